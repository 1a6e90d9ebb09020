"""Putting events, with the limits of a batch, and reading them back page by page."""

from contextlib import suppress
from typing import Any

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.logs.conftest import NOW, Logs

HOUR = 3_600_000
DAY = 24 * HOUR


def put(logs: Logs, *events: tuple[int, str]) -> Any:
    """Puts events at times relative to now, into the stream `s`."""
    group = logs.sandbox.logs.group("eu-west-1", "g")
    if "s" not in group.streams:
        logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    listed = [{"timestamp": NOW + offset, "message": message} for offset, message in events]
    return logs.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=listed)


def stored(logs: Logs) -> list[str]:
    return [event["message"] for event in logs.call("FilterLogEvents", logGroupName="g")["events"]]


def test_events_come_back_as_they_were_put(logs: Logs) -> None:
    put(logs, (0, "first"), (0, "same moment"), (5, "last"))
    answer = logs.call("GetLogEvents", logGroupName="g", logStreamName="s")
    assert answer["events"] == [
        {"timestamp": NOW, "ingestionTime": NOW, "message": "first"},
        {"timestamp": NOW, "ingestionTime": NOW, "message": "same moment"},
        {"timestamp": NOW + 5, "ingestionTime": NOW, "message": "last"},
    ]


@pytest.mark.parametrize(
    ("offsets", "kept", "rejected"),
    [
        ([0], [0], None),
        ([-14 * DAY, -14 * DAY + 1], [-14 * DAY, -14 * DAY + 1], None),
        ([-14 * DAY - 1, -14 * DAY], [-14 * DAY], {"tooOldLogEventEndIndex": 1}),
        ([-15 * DAY, -15 * DAY, 0], [0], {"tooOldLogEventEndIndex": 2}),
        ([0, 2 * HOUR], [0, 2 * HOUR], None),
        ([0, 2 * HOUR + 1, 3 * HOUR], [0], {"tooNewLogEventStartIndex": 1}),
        ([3 * HOUR], [], {"tooNewLogEventStartIndex": 0}),
        ([-20 * DAY, 0, 3 * HOUR], [0], {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}),
    ],
)
def test_events_out_of_time_are_reported_and_the_others_kept(
    logs: Logs, offsets: list[int], kept: list[int], rejected: dict[str, int] | None
) -> None:
    answer = put(logs, *[(offset, str(offset)) for offset in offsets])
    assert answer.get("rejectedLogEventsInfo") == rejected
    assert stored(logs) == [str(offset) for offset in kept]


def test_events_past_the_groups_retention_are_expired(logs: Logs) -> None:
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=3)
    answer = put(logs, (-15 * DAY, "old"), (-4 * DAY, "expired"), (-2 * DAY, "kept"))
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}
    assert stored(logs) == ["kept"]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [(5, "a"), (4, "b")],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            [(-DAY - 1, "a"), (0, "b")],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (
            [(0, "x" * (1_048_576 - 25))],
            "Upload too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (
            [(0, "ö" * 300_000), (0, "ö" * 300_000)],
            "Upload too large: 1200052 bytes exceeds limit of 1048576",
        ),
    ],
    ids=["order", "span", "bytes", "bytes in UTF-8"],
)
def test_a_batch_beyond_the_limits_is_refused_whole(logs: Logs, events: list[tuple[int, str]], message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        put(logs, *events)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterException", message)
    assert stored(logs) == []


def test_a_batch_of_exactly_the_limits_is_taken(logs: Logs) -> None:
    put(logs, (-DAY, "a"), (0, "x" * (1_048_576 - 26 - 27)))
    assert len(stored(logs)) == 2
    assert logs.call("DescribeLogGroups")["logGroups"][0]["storedBytes"] == 1_048_576


def test_a_stream_must_be_there(logs: Logs) -> None:
    events = [{"timestamp": NOW, "message": "x"}]
    assert logs.refused("PutLogEvents", logGroupName="g", logStreamName="none", logEvents=events) == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_delivery_makes_its_stream_and_takes_events_of_any_age(logs: Logs) -> None:
    logs.sandbox.logs.deliver("eu-west-1", "g", "new", [NOW - 100 * DAY, NOW], ["old", "new"])
    assert stored(logs) == ["old", "new"]
    with pytest.raises(ServiceError, match="The specified log group does not exist"):
        logs.sandbox.logs.deliver("eu-west-1", "none", "s", [NOW], ["x"])


def test_what_comes_in_is_counted_in_awss_own_metrics(logs: Logs) -> None:
    put(logs, (0, "four"), (1, "five!"))
    where = {"LogGroupName": "g"}
    assert logs.metric("AWS/Logs") == [
        ("IncomingLogEvents", where, 0.0, 2.0, "None"),
        ("IncomingLogEvents", {}, 0.0, 2.0, "None"),
        ("IncomingBytes", where, 0.0, 61.0, "Bytes"),
        ("IncomingBytes", {}, 0.0, 61.0, "Bytes"),
    ]


def get(logs: Logs, **params: Any) -> tuple[list[str], str, str]:
    answer = logs.call("GetLogEvents", logGroupName="g", logStreamName="s", **params)
    messages = [event["message"] for event in answer["events"]]
    return messages, answer["nextForwardToken"], answer["nextBackwardToken"]


@pytest.fixture
def numbered(logs: Logs) -> Logs:
    """Ten events, 0 to 9, of which two each have the same timestamp."""
    put(logs, *[(number // 2, str(number)) for number in range(10)])
    return logs


def test_the_latest_events_come_first_unless_asked_otherwise(numbered: Logs) -> None:
    assert get(numbered, limit=3)[0] == ["7", "8", "9"]
    assert get(numbered, limit=3, startFromHead=True)[0] == ["0", "1", "2"]


def test_forward_tokens_lead_to_the_end_and_then_stay(numbered: Logs) -> None:
    messages, token, _ = get(numbered, limit=4, startFromHead=True)
    pages = [messages]
    while True:
        messages, following, _ = get(numbered, limit=4, startFromHead=True, nextToken=token)
        if following == token:
            break
        pages.append(messages)
        token = following
    assert pages == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9"]]
    assert messages == []


def test_backward_tokens_lead_to_the_start_and_then_stay(numbered: Logs) -> None:
    messages, forward, backward = get(numbered, limit=4)
    assert messages == ["6", "7", "8", "9"]
    messages, _, backward = get(numbered, limit=4, nextToken=backward)
    assert messages == ["2", "3", "4", "5"]
    messages, _, backward = get(numbered, limit=4, nextToken=backward)
    assert messages == ["0", "1"]
    assert get(numbered, limit=4, nextToken=backward) == ([], backward.replace("b/", "f/"), backward)
    assert get(numbered, nextToken=forward, startFromHead=True)[0] == []


def test_a_forward_token_finds_events_put_later(numbered: Logs) -> None:
    _, token, _ = get(numbered, startFromHead=True)
    put(numbered, (100, "late"))
    assert get(numbered, nextToken=token, startFromHead=True)[0] == ["late"]


@pytest.mark.parametrize(
    ("params", "messages"),
    [
        ({"startTime": NOW + 3}, ["6", "7", "8", "9"]),
        ({"endTime": NOW + 1}, ["0", "1"]),
        ({"startTime": NOW + 1, "endTime": NOW + 2}, ["2", "3"]),
        ({"startTime": NOW + 1, "endTime": NOW + 1}, []),
    ],
)
def test_a_time_range_has_its_start_and_not_its_end(
    numbered: Logs, params: dict[str, int], messages: list[str]
) -> None:
    assert get(numbered, **params)[0] == messages


@pytest.mark.parametrize(
    "token",
    ["x", "f/1/s", "g/" + "3" * 56 + "/s", "f/" + "x" * 56 + "/s", "f/" + "٣" * 56 + "/s", "b/" + "9" * 56 + "/s"],
)
def test_a_token_that_was_never_given_is_refused(numbered: Logs, token: str) -> None:
    assert numbered.refused("GetLogEvents", logGroupName="g", logStreamName="s", nextToken=token) == (
        "InvalidParameterException",
        "The specified nextToken is invalid.",
    )


def test_filtered_events_of_all_streams_come_in_order_of_time(logs: Logs) -> None:
    logs.put("a1", at=NOW + 2, stream="a")
    logs.put("b1", at=NOW + 1, stream="b")
    logs.put("a2", at=NOW + 3, stream="a")
    events = logs.call("FilterLogEvents", logGroupName="g")["events"]
    assert [(event["logStreamName"], event["message"]) for event in events] == [
        ("b", "b1"),
        ("a", "a1"),
        ("a", "a2"),
    ]
    assert [len(event["eventId"]) for event in events] == [56, 56, 56]
    assert set(events[0]) == {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}


@pytest.mark.parametrize(
    ("params", "messages"),
    [
        ({"filterPattern": "REJECT"}, ["22 REJECT", "80 REJECT"]),
        ({"filterPattern": "[port=22, verdict]"}, ["22 REJECT", "22 ACCEPT"]),
        ({"logStreamNames": ["eni-2"]}, ["80 REJECT"]),
        ({"logStreamNames": ["eni-2", "eni-1"], "filterPattern": "ACCEPT"}, ["22 ACCEPT"]),
        ({"logStreamNamePrefix": "eni-1"}, ["22 REJECT", "22 ACCEPT"]),
        ({"startTime": NOW + 1}, ["22 ACCEPT", "80 REJECT"]),
        ({"endTime": NOW + 1}, ["22 REJECT", "22 ACCEPT"]),
        ({"startFromHead": False, "startTime": NOW}, ["80 REJECT", "22 ACCEPT", "22 REJECT"]),
        ({"unmask": True}, ["22 REJECT", "22 ACCEPT", "80 REJECT"]),
        ({"interleaved": False}, ["22 REJECT", "22 ACCEPT", "80 REJECT"]),
        ({"filterPattern": "nothing"}, []),
    ],
)
def test_events_are_filtered(logs: Logs, params: dict[str, Any], messages: list[str]) -> None:
    logs.put("22 REJECT", "22 ACCEPT", stream="eni-1")
    logs.put("80 REJECT", at=NOW + 2, stream="eni-2")
    answer = logs.call("FilterLogEvents", logGroupName="g", **params)
    assert [event["message"] for event in answer["events"]] == messages
    assert answer["searchedLogStreams"] == []
    assert "nextToken" not in answer


@pytest.mark.parametrize("backwards", [False, True])
def test_filtered_events_come_in_pages_of_the_matching_ones(numbered: Logs, backwards: bool) -> None:
    direction = {"startFromHead": False, "startTime": NOW} if backwards else {}
    seen: list[str] = []
    token: dict[str, str] = {}
    for _ in range(4):
        answer = numbered.call("FilterLogEvents", logGroupName="g", filterPattern="-5", limit=3, **direction, **token)
        seen += [event["message"] for event in answer["events"]]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    expected = [str(number) for number in range(10) if number != 5]
    assert seen == (expected[::-1] if backwards else expected)


def test_a_page_holds_one_megabyte(logs: Logs) -> None:
    for number in range(3):
        put(logs, (number, str(number) * 500_000))
    first = logs.call("FilterLogEvents", logGroupName="g")
    second = logs.call("FilterLogEvents", logGroupName="g", nextToken=first["nextToken"])
    assert [len(first["events"]), len(second["events"])] == [2, 1]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"filterPattern": "[a"}, "InvalidParameterException"),
        ({"logStreamNames": ["none"]}, "ResourceNotFoundException"),
        ({"logStreamNames": ["s"], "logStreamNamePrefix": "s"}, "InvalidParameterException"),
        ({"startFromHead": False}, "InvalidParameterException"),
        ({"startFromHead": False, "startTime": 1_704_067_199_999}, "InvalidParameterException"),
        ({"nextToken": "x"}, "InvalidParameterException"),
    ],
)
def test_a_malformed_filter_request_is_refused(numbered: Logs, params: dict[str, Any], code: str) -> None:
    assert numbered.refused("FilterLogEvents", logGroupName="g", **params)[0] == code


def test_a_bad_pattern_has_the_words_of_this_operation(numbered: Logs) -> None:
    _, message = numbered.refused("FilterLogEvents", logGroupName="g", filterPattern="{ $.a EXISTS }")
    assert message.startswith("Invalid filter pattern")


INJECTIONS = [
    "'; DROP TABLE events.group_1; --",
    '"\') OR 1=1 --"',
    '"\'"',
    "{ $.['x') OR 1=1 --'] = 1 }",
    "{ $.a = \"' OR ''='\" }",
    "[a=\"' OR '1'='1\", ...]",
    "%'%",
    '"%" "_" "\\\\"',
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_sql_gets_in_through_patterns_names_or_messages(numbered: Logs, text: str) -> None:
    numbered.put(text, at=NOW + 50)
    with suppress(ServiceError):
        found = numbered.call("FilterLogEvents", logGroupName="g", filterPattern=text)["events"]
        assert all(event["timestamp"] == NOW + 50 for event in found)
    assert numbered.call("FilterLogEvents", logGroupName="g", logStreamNamePrefix=text)["events"] == []
    assert len(stored(numbered)) == 11


def test_a_page_of_a_stream_holds_one_megabyte_from_either_end(logs: Logs) -> None:
    for number in range(3):
        put(logs, (number, str(number) * 500_000))
    first, forward, _ = get(logs, startFromHead=True)
    assert [message[0] for message in first] == ["0", "1"]
    assert [message[0] for message in get(logs, startFromHead=True, nextToken=forward)[0]] == ["2"]
    latest, _, backward = get(logs)
    assert [message[0] for message in latest] == ["1", "2"]
    assert [message[0] for message in get(logs, nextToken=backward)[0]] == ["0"]


def test_an_event_of_a_megabyte_is_a_page_of_its_own(logs: Logs) -> None:
    put(logs, (0, "a" * (1_048_576 - 26)))
    put(logs, (1, "b"))
    first = logs.call("FilterLogEvents", logGroupName="g")
    assert [event["message"][0] for event in first["events"]] == ["a"]
    rest = logs.call("FilterLogEvents", logGroupName="g", nextToken=first["nextToken"])
    assert ([event["message"] for event in rest["events"]], "nextToken" in rest) == (["b"], False)


def test_tokens_lead_back_the_way_they_came(numbered: Logs) -> None:
    first, forward, _ = get(numbered, limit=4, startFromHead=True)
    second, _, backward = get(numbered, limit=4, startFromHead=True, nextToken=forward)
    assert (first, second) == (["0", "1", "2", "3"], ["4", "5", "6", "7"])
    assert get(numbered, limit=4, startFromHead=True, nextToken=backward)[0] == first


def test_a_stream_without_events_has_tokens_that_find_those_put_later(logs: Logs) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    messages, forward, backward = get(logs, startFromHead=True)
    assert (messages, forward[:2], backward[:2]) == ([], "f/", "b/")
    put(logs, (0, "late"))
    assert get(logs, startFromHead=True, nextToken=forward)[0] == ["late"]


def test_events_of_a_stream_are_in_order_of_time_whatever_the_order_of_the_batches(logs: Logs) -> None:
    put(logs, (10, "second"), (20, "third"))
    put(logs, (0, "first"), (15, "between"))
    assert get(logs, startFromHead=True)[0] == ["first", "second", "between", "third"]


def test_a_page_of_filtered_events_goes_on_within_one_millisecond(logs: Logs) -> None:
    for name in ("b", "a"):
        logs.put("1", stream=name, at=NOW)
    logs.put("2", stream="b", at=NOW)
    first = logs.call("FilterLogEvents", logGroupName="g", limit=2)
    rest = logs.call("FilterLogEvents", logGroupName="g", limit=2, nextToken=first["nextToken"])
    found = [(event["logStreamName"], event["message"]) for page in (first, rest) for event in page["events"]]
    assert found == [("b", "1"), ("a", "1"), ("b", "2")]


def test_a_sequence_token_of_any_kind_is_taken_and_ignored(logs: Logs) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    events = [{"timestamp": NOW, "message": "x"}]
    for token in ("1", "not a token", "49039859657467384398213942387231981230984012983471"):
        answer = logs.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events, sequenceToken=token)
        assert set(answer) == {"nextSequenceToken"}
    assert stored(logs) == ["x", "x", "x"]


def test_the_same_event_put_twice_is_there_twice_with_ids_of_their_own(logs: Logs) -> None:
    put(logs, (0, "x"))
    put(logs, (0, "x"))
    events = logs.call("FilterLogEvents", logGroupName="g")["events"]
    assert len({event["eventId"] for event in events}) == 2
    assert events == sorted(events, key=lambda event: event["eventId"])
