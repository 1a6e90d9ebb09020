"""The query language of CloudWatch Logs Insights, case by case from AWS's documentation.

`insights.json` has a case for each construct: the page of the CloudWatch Logs user guide that documents it (under
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/), a query, the events, and the rows. Events are a second apart
from 2026-11-02 09:00:00 UTC unless they have timestamps, and the query starts at 12:00.
"""

import json
from pathlib import Path

import pytest

from tests.sandbox.logs.insights.runs import rows

CASES = json.loads(Path(__file__).with_name("insights.json").read_text(encoding="utf-8"))
NOON = 1_793_620_800


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['page'].removesuffix('.html')}: {case['name']}")
def test_a_query_gives_the_rows_that_aws_documents(case):
    found = rows(case["query"], case["events"], timestamps=case.get("timestamps"), now=NOON)
    wanted = case["rows"]
    if case.get("any_order"):
        found, wanted = (sorted(part, key=json.dumps) for part in (found, wanted))
    assert found == wanted
