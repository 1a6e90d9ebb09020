"""The commands that look at a row's neighbours: totals, lags, gaps, sessions, outliers.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html and the page of each command.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("row_commands.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_row_is_seen_beside_its_neighbours(case):
    assert rows(case["query"], case["events"], timestamps=case.get("timestamps")) == case["rows"]


@pytest.mark.parametrize("lags", ["p=0", "p=3-1", "p=1-101"])
def test_a_lag_is_a_range_from_one_on(lags):
    with pytest.raises(QueryError) as caught:
        check(f"fields n | autoregress n {lags}")
    assert caught.value.message == f"autoregress: {lags} must be a range within 1 to 100"


@pytest.mark.parametrize(
    "query",
    [
        "outlier n param=x",
        "outlier action=drop n",
        "addtotals row=maybe n",
        "sessionize",
        "fillmissing with 0",
        "accum",
    ],
)
def test_options_that_are_not_documented_are_refused(query):
    with pytest.raises(QueryError, match=r"^unexpected symbol found "):
        check(f"fields n | {query}")


def test_all_matching_events_are_counted_whatever_rows_were_added():
    events = [{"n": 1}, {"n": 2}]
    found = answer("fields n | addtotals row=false col=true n", events)
    assert (len(found.rows), found.records_matched) == (3, 2)
