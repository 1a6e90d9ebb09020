"""relevantfields: which fields tell the events that meet a condition from the others."""

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

QUICK = [
    {"Time": 100 + number, "Path": "/a" if number % 2 else "/b", "Zone": "x", "id": f"q{number}"}
    for number in range(10)
]
SLOW = [{"Time": 500 + number, "Path": "/slow", "Zone": "x", "id": f"s{number}"} for number in range(5)]


def test_fields_are_ranked_by_how_much_they_differ():
    found = rows("relevantfields where Time > 400", [*QUICK, *SLOW])
    assert [(row["@fieldName"], row["@relevanceScore"]) for row in found] == [
        ("Path", "1"),
        ("Time", "1"),
        ("Zone", "0"),
        ("id", "0"),
    ]
    path, time, *_ = found
    assert path["@topRelevanceContributors"] == "/slow: 100% against 0%, /a: 0% against 50%, /b: 0% against 50%"
    assert (time["@conditionalMedian"], time["@baselineMedian"]) == ("502", "104.5")
    assert "@conditionalMedian" not in path
    assert "@topRelevanceContributors" not in time


def test_only_the_fields_named_are_looked_at():
    found = rows("relevantfields Zone, Path where Time > 400 | display @fieldName", [*QUICK, *SLOW])
    assert found == [{"@fieldName": "Path"}, {"@fieldName": "Zone"}]


@pytest.mark.parametrize(
    ("values", "score"),
    [([1, 2, 3, 4], "0"), ([1, 2, 3, 9], "0.25"), ([1, 2, 8, 9], "0.5"), ([6, 7, 8, 9], "1")],
)
def test_the_score_of_numbers_is_the_widest_gap_of_their_distributions(values, score):
    events = [{"hit": 0, "n": number} for number in (1, 2, 3, 4)] + [{"hit": 1, "n": number} for number in values]
    (row,) = rows("relevantfields n where hit = 1", events)
    assert row["@relevanceScore"] == score


def test_nothing_is_relevant_where_one_side_is_empty():
    found = rows("relevantfields Path where Time > 4000", QUICK)
    assert [row["@relevanceScore"] for row in found] == ["0"]


def test_flow_log_records_by_their_own_fields():
    record = "2 123456789012 eni-0a1b2c3d 203.0.113.{} 10.0.0.5 40001 {} 6 1 40 1793609940 1793610000 {} OK"
    events = [record.format(9, 22, "REJECT")] * 3 + [record.format(7, 443, "ACCEPT")] * 3
    found = answer('relevantfields where action = "REJECT"', events)
    top = {dict(row)["@fieldName"] for row in found.rows if dict(row)["@relevanceScore"] == "1"}
    assert top == {"action", "dstPort", "srcAddr"}
    assert found.records_matched == 6


def test_events_are_needed():
    with pytest.raises(QueryError, match="relevantfields needs events"):
        check("stats count(*) as n | relevantfields where n > 1")
