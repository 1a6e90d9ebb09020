"""What a log group and its streams know of their events: times, sizes, and the filters they have.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html and API_LogStream.html
"""

from typing import Any

import pyarrow as pa
import pytest

from labkit.sandbox.logs.groups import batch_bytes
from tests.sandbox.logs.conftest import NOW, Logs

DAY = 86_400_000


def stream(logs: Logs, name: str = "eni-1") -> dict[str, Any]:
    found = logs.call("DescribeLogStreams", logGroupName="g", logStreamNamePrefix=name)["logStreams"]
    return next(stream for stream in found if stream["logStreamName"] == name)


def stored_bytes(logs: Logs) -> int:
    (group,) = logs.call("DescribeLogGroups", logGroupIdentifiers=["g"])["logGroups"]
    return int(group["storedBytes"])


@pytest.mark.parametrize(
    ("messages", "size"),
    [
        ([], 0),
        (["a"], 27),
        (["abc", "de"], 57),
        (["ü"], 28),
        (["😀"], 30),
        (["a" * 1000] * 10, 10_260),
    ],
)
def test_a_batch_is_as_large_as_its_messages_in_utf_8_and_26_bytes_an_event(messages: list[str], size: int) -> None:
    assert batch_bytes(pa.array(messages, pa.string())) == size


def test_the_first_and_last_event_are_those_by_time_in_whatever_order_they_came(logs: Logs) -> None:
    logs.put("middle", at=NOW - 5_000)
    logs.put("early", at=NOW - 60_000)
    logs.put("late", at=NOW + 60_000)
    logs.put("middle", at=NOW - 1_000)
    described = stream(logs)
    assert (described["firstEventTimestamp"], described["lastEventTimestamp"]) == (NOW - 60_000, NOW + 60_000)


def test_the_last_ingestion_is_when_events_were_put_and_not_their_own_time(logs: Logs) -> None:
    logs.put("old", at=NOW - DAY)
    logs.sandbox.clock.advance(90)
    logs.put("older", at=NOW - 2 * DAY)
    described = stream(logs)
    assert (described["creationTime"], described["lastIngestionTime"]) == (NOW, NOW + 90_000)


def test_a_batch_of_which_nothing_is_kept_changes_nothing_about_its_stream(logs: Logs) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="eni-1")
    before = stream(logs)
    answer = logs.put("too old", at=NOW - 15 * DAY)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert stream(logs) == before
    assert stored_bytes(logs) == 0


def test_a_streams_stored_bytes_are_nought_and_its_groups_are_counted(logs: Logs) -> None:
    """A stream's have been 0 since June 2019."""
    logs.put("12345", stream="a")
    logs.put("123", stream="b")
    assert [stream(logs, name)["storedBytes"] for name in ("a", "b")] == [0, 0]
    assert stored_bytes(logs) == 5 + 26 + 3 + 26


def test_a_deleted_streams_events_are_counted_no_more_and_the_others_are(logs: Logs) -> None:
    logs.put("12345", stream="a")
    logs.put("123", stream="b")
    logs.call("DeleteLogStream", logGroupName="g", logStreamName="a")
    assert stored_bytes(logs) == 3 + 26
    logs.put("1", stream="a")
    assert stream(logs, "a")["firstEventTimestamp"] == NOW
    assert stored_bytes(logs) == 3 + 26 + 1 + 26


def test_expired_events_are_counted_no_more(logs: Logs) -> None:
    logs.put("12345", at=NOW - DAY + 1_000)
    logs.put("123", at=NOW)
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    assert stored_bytes(logs) == 60
    logs.sandbox.clock.advance(86_400)
    assert stored_bytes(logs) == 29


def test_groups_count_their_metric_filters(logs: Logs) -> None:
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for name in ("one", "two", "two"):
        filter_ = {"filterName": name, "filterPattern": "x", "metricTransformations": [transformation]}
        logs.call("PutMetricFilter", logGroupName="g", **filter_)
    assert logs.call("DescribeLogGroups")["logGroups"][0]["metricFilterCount"] == 2
    logs.call("DeleteMetricFilter", logGroupName="g", filterName="one")
    assert logs.call("DescribeLogGroups")["logGroups"][0]["metricFilterCount"] == 1


def test_streams_by_their_last_event_have_those_without_events_last_when_descending(logs: Logs) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="empty")
    logs.put("x", at=NOW - 10, stream="early")
    logs.put("x", at=NOW, stream="late")
    found = logs.call("DescribeLogStreams", logGroupName="g", orderBy="LastEventTime", descending=True)["logStreams"]
    assert [described["logStreamName"] for described in found] == ["late", "early", "empty"]


def test_names_of_streams_are_in_the_order_of_ascii(logs: Logs) -> None:
    for name in ("b", "B", "a10", "a9", "[1]"):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=name)
    found = logs.call("DescribeLogStreams", logGroupName="g")["logStreams"]
    assert [described["logStreamName"] for described in found] == ["B", "[1]", "a10", "a9", "b"]
