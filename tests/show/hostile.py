"""Values that would be more than text on a page, were they not escaped there."""

import json
from pathlib import Path

import pytest

HOSTILE = json.loads(Path(__file__).with_name("hostile_values.json").read_text("utf-8"))
every_hostile_value = pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["name"])
