"""Lines clustered by what they have in common, and compared with an earlier time range.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html and CWL_QuerySyntax-Diff.html
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("patterns.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_lines_are_clustered(case):
    assert rows(case["query"], case["events"], timestamps=case.get("timestamps")) == case["rows"]


def test_a_pattern_after_a_diff_or_two_of_them_are_refused():
    for query in ("pattern @message | diff | diff", "fields @message | diff | pattern @message"):
        with pytest.raises(QueryError, match="Diff operation has to be used after Pattern"):
            check(query)


def test_all_events_are_matched_however_few_the_patterns():
    found = answer("pattern @message", [f"took {number} ms" for number in range(20)])
    assert (len(found.rows), found.records_matched) == (1, 20)


def test_a_query_compares_with_one_earlier_range_only():
    with pytest.raises(QueryError, match="logcompare: a query compares with one earlier time range only"):
        check("logcompare timeshift 1d | logcompare timeshift 7d")
