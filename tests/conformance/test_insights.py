"""The query language of CloudWatch Logs Insights, case by case from AWS's documentation.

`insights.json` has a case for each construct: the page of the CloudWatch Logs user guide that documents it (under
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/), a query, the events, and the rows. Events are a second apart
from 2026-11-02 09:00:00 UTC unless they have timestamps, and the query starts at 12:00. A case may have other log
groups (`groups`), lookup tables (`tables`) and a flow log's format (`log_format`). A long query is a list of its lines.
"""

import json
from pathlib import Path

import pytest

from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("insights.json").read_text(encoding="utf-8"))
NOON = 1_793_620_800


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['page'].removesuffix('.html')}: {case['name']}")
def test_a_query_gives_the_rows_that_aws_documents(case):
    options = {name: case[name] for name in ("timestamps", "groups", "tables", "log_format") if name in case}
    query = case["query"] if isinstance(case["query"], str) else "\n".join(case["query"])
    found = rows(query, case["events"], now=NOON, **options)
    wanted = case["rows"]
    if case.get("any_order"):
        found, wanted = (sorted(part, key=json.dumps) for part in (found, wanted))
    assert found == wanted


SAMPLES = json.loads(Path(__file__).with_name("insights_samples.json").read_text(encoding="utf-8"))
EVENTS = [
    "2 123456789012 eni-0a1b2c3d 203.0.113.12 10.0.0.5 43418 22 6 3 180 1793609940 1793610000 REJECT OK",
    {"status": 404, "path": "/", "server": "a", "tlsDetails": {"tlsVersion": "TLSv1"}, "eventName": "CreateUser"},
    "user=ann, method:get, latency := 10",
    " ".join(str(number) for number in range(27)),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: " ".join(sample["query"])[:60])
def test_the_sample_queries_of_aws_run(sample):
    answer("\n".join(sample["query"]), EVENTS)


def test_a_record_in_a_custom_format_is_taken_apart_by_a_glob_of_27_fields():
    (sample,) = (
        sample for sample in SAMPLES if "repost" in sample["page"] and "start desc" in " ".join(sample["query"])
    )
    newest = rows("\n".join(sample["query"]), EVENTS[3:])[0]
    assert (newest["account_id"], newest["srcaddr"], newest["action"], newest["sublocation_id"]) == (
        "0",
        "5",
        "12",
        "26",
    )
