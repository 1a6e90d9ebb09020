import re
from pathlib import Path

from labkit.sandbox.moto import services

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"


def test_the_docs_list_the_services_that_are_answered():
    listed = re.search(r"for these services: ([^(]+) \(", DOCS.read_text())
    assert listed
    assert re.findall(r"[a-z0-9-]+", listed[1]) == list(services.ANSWERED)
