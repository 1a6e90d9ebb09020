import base64
from datetime import UTC, datetime

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.calls import client_call, refusal

GROUP = "VPCFlowLogs"
NOW = int(datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp())
TOP_REJECTED = (
    'filter action="REJECT" | stats count(*) as numRejections by srcAddr | sort numRejections desc | limit 20'
)


def record(number, action="REJECT"):
    return f"2 123456789012 eni-0a1b2c3d 203.0.113.{number} 10.0.0.5 {40000 + number} 22 6 1 40 {NOW} {NOW} {action} OK"


@pytest.fixture
def logs(sandbox):
    """Calls of the service `logs`, in a sandbox with a log group of four flow log records and one of three texts."""

    def call(operation, **params):
        return client_call(sandbox, "logs", operation, **params)

    for group, messages in (
        (GROUP, [record(1), record(2, "ACCEPT"), record(1), record(3)]),
        ("app", ['{"level": "warn", "code": 7}', "plain", '{"level": "info", "@type": "x", "list": [{"ok": true}]}']),
    ):
        call("CreateLogGroup", logGroupName=group)
        times = [(NOW - 100 + number) * 1000 for number in range(len(messages))]
        sandbox.logs.deliver("eu-west-1", group, "stream", times, messages)
    return call


def start(logs, query, **params):
    given = {"logGroupName": GROUP, "startTime": NOW - 3600, "endTime": NOW, "queryString": query} | params
    return logs("StartQuery", **{name: value for name, value in given.items() if value is not None})["queryId"]


def results(logs, query, **params):
    return logs("GetQueryResults", queryId=start(logs, query, **params))


def table(answer):
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]


def refused(logs, code, operation, **params):
    error = refusal(logs, operation, **params)
    assert error.code == code
    return error


def test_a_query_knows_the_range_it_was_asked_for(logs):
    answer = results(logs, "fields queryStartTime() as s, queryEndTime() as e, queryTimeRange() as r | limit 1")
    assert table(answer) == [{"s": str((NOW - 3600) * 1000), "e": str(NOW * 1000), "r": "3600000"}]


def test_the_labs_query_finds_the_rejected_sources(logs):
    answer = results(logs, TOP_REJECTED)
    assert answer["status"] == "Complete"
    assert answer["results"] == [
        [{"field": "srcAddr", "value": "203.0.113.1"}, {"field": "numRejections", "value": "2"}],
        [{"field": "srcAddr", "value": "203.0.113.3"}, {"field": "numRejections", "value": "1"}],
    ]
    assert answer["statistics"] == {
        "recordsMatched": 3.0,
        "recordsScanned": 4.0,
        "bytesScanned": float(sum(len(record(1, action)) for action in ("REJECT", "ACCEPT", "REJECT", "REJECT"))),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": 1.0,
        "resultCount": 2.0,
    }


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("fields @message", 4),
        ("fields @message | limit 1", 4),
        ('filter action = "REJECT" | limit 1', 3),
        ('filter action = "nothing" | stats count(*)', 0),
        ('filter action = "REJECT" | stats count(*) as n by srcAddr | filter n > 9', 3),
        ('filter action = "REJECT" | stats count(*) as n by srcAddr | stats max(n)', 3),
        ("dedup action", 4),
    ],
)
def test_matched_are_the_events_that_the_filters_let_through(logs, query, matched):
    assert results(logs, query)["statistics"]["recordsMatched"] == matched


def test_the_time_range_has_its_ends_within_it(logs):
    second = NOW - 100
    assert len(results(logs, "fields srcAddr", startTime=second, endTime=second + 1)["results"]) == 2
    assert len(results(logs, "fields srcAddr", startTime=second + 4, endTime=NOW)["results"]) == 0


def test_events_put_after_the_start_of_a_query_are_not_in_its_answer(logs, sandbox):
    query_id = start(logs, "stats count(*) as n")
    sandbox.logs.deliver("eu-west-1", GROUP, "stream", [(NOW - 50) * 1000], [record(9)])
    assert table(logs("GetQueryResults", queryId=query_id)) == [{"n": "4"}]
    assert table(results(logs, "stats count(*) as n")) == [{"n": "5"}]


def test_a_query_over_several_groups_knows_the_fields_of_each(logs):
    answer = results(
        logs,
        "stats count(*) as n by @log, action, level | sort n desc",
        logGroupName=None,
        logGroupNames=[GROUP, "app"],
    )
    assert table(answer) == [
        {"@log": f"123456789012:{GROUP}", "action": "REJECT", "n": "3"},
        {"@log": f"123456789012:{GROUP}", "action": "ACCEPT", "n": "1"},
        {"@log": "123456789012:app", "n": "1"},
        {"@log": "123456789012:app", "level": "info", "n": "1"},
        {"@log": "123456789012:app", "level": "warn", "n": "1"},
    ]
    assert answer["statistics"]["logGroupsScanned"] == 2


def test_groups_may_be_named_by_arn(logs):
    arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{GROUP}"
    answer = results(logs, "stats count(*) as n", logGroupName=None, logGroupIdentifiers=[arn, "app"])
    assert table(answer) == [{"n": "7"}]


def test_fields_of_a_flow_log_in_a_format_of_its_own(logs, sandbox, monkeypatch):
    log_format = "${dstport} ${flow-direction} ${srcaddr} ${pkt-srcaddr} ${tcp-flags}"
    monkeypatch.setattr(sandbox.wiring, "log_format", lambda region, group: log_format)
    sandbox.logs.create_group("eu-west-1", "custom")
    times = [(NOW - 10) * 1000, (NOW - 9) * 1000]
    sandbox.logs.deliver(
        "eu-west-1", "custom", "s", times, ["22 ingress 10.0.0.1 192.0.2.9 2", "443 egress 10.0.0.5 10.0.0.5 18"]
    )
    query = "fields dstPort, flowDirection, srcAddr, pktSrcAddr, tcpFlags, action | filter tcpFlags = 2"
    assert table(results(logs, query, logGroupName="custom")) == [
        {
            "dstPort": "22",
            "flowDirection": "ingress",
            "srcAddr": "10.0.0.1",
            "pktSrcAddr": "192.0.2.9",
            "tcpFlags": "2",
        }
    ]


def test_the_limit_of_the_call_comes_after_that_of_the_query(logs):
    assert len(results(logs, "fields srcAddr | limit 3", limit=2)["results"]) == 2
    assert len(results(logs, "fields srcAddr | limit 3", limit=9)["results"]) == 3


def test_ten_thousand_rows_unless_told_and_pages_of_them(logs, sandbox):
    sandbox.logs.create_group("eu-west-1", "large")
    sandbox.logs.deliver("eu-west-1", "large", "s", [(NOW - 10) * 1000] * 10_050, ["x"] * 10_050)
    assert len(results(logs, "fields @message", logGroupName="large")["results"]) == 10_000
    query_id = start(logs, "fields @message | limit 10040", logGroupName="large")
    first = logs("GetQueryResults", queryId=query_id)
    second = logs("GetQueryResults", queryId=query_id, nextToken=first["nextToken"])
    assert (len(first["results"]), len(second["results"])) == (10_000, 40)
    assert "nextToken" not in second
    refused(logs, "InvalidParameterException", "GetQueryResults", queryId=query_id, nextToken="nonsense")


def test_a_query_that_has_ended_can_not_be_stopped(logs):
    finished = start(logs, TOP_REJECTED)
    logs("GetQueryResults", queryId=finished)
    refused(logs, "InvalidParameterException", "StopQuery", queryId=finished)


def test_a_query_is_forgotten_after_seven_days(logs, sandbox):
    query_id = start(logs, TOP_REJECTED)
    sandbox.clock.advance(7 * 24 * 3600 + 1)
    refused(logs, "ResourceNotFoundException", "GetQueryResults", queryId=query_id)
    assert logs("DescribeQueries")["queries"] == []


def test_queries_are_described_newest_first_by_group_and_status(logs, sandbox):
    first = start(logs, TOP_REJECTED)
    second = start(logs, "fields level", logGroupName="app")
    with sandbox.lock:  # no query can end meanwhile
        cancelled = start(logs, "fields level", logGroupName="app")
        logs("StopQuery", queryId=cancelled)
    described = logs("DescribeQueries")["queries"]
    assert [query["queryId"] for query in described] == [cancelled, second, first]
    assert [query["status"] for query in described] == ["Cancelled", "Complete", "Complete"]
    assert [
        query["queryId"] for query in logs("DescribeQueries", logGroupName="app", status="Complete")["queries"]
    ] == [second]
    assert described[2]["queryString"] == TOP_REJECTED
    assert described[2]["logGroupName"] == GROUP
    assert described[2]["createTime"] == NOW * 1000
    page = logs("DescribeQueries", maxResults=2)
    rest = logs("DescribeQueries", maxResults=2, nextToken=page["nextToken"])
    assert [query["queryId"] for query in page["queries"] + rest["queries"]] == [cancelled, second, first]


def test_a_malformed_query_is_refused_with_the_place_of_the_error(logs):
    params = {"logGroupName": GROUP, "startTime": 0, "endTime": NOW}
    query = "fields srcAddr | bogus"
    error = refused(logs, "MalformedQueryException", "StartQuery", queryString=query, **params)
    message = "unexpected symbol found bogus at line 1 and position 18"
    assert error.message == message
    assert error.members == {
        "queryCompileError": {"location": {"startCharOffset": 17, "endCharOffset": 22}, "message": message}
    }


STARTS = [
    ({"logGroupName": "nowhere"}, "ResourceNotFoundException", "Log group 'nowhere' does not exist"),
    (
        {"logGroupName": None, "logGroupIdentifiers": ["arn:aws:logs:us-east-1:123456789012:log-group:app"]},
        "ResourceNotFoundException",
        "does not exist",
    ),
    ({"logGroupName": None}, "InvalidParameterException", "not none"),
    ({"logGroupNames": ["app"]}, "InvalidParameterException", "not logGroupName, logGroupNames"),
    ({"logGroupName": None, "logGroupNames": [f"g{n}" for n in range(51)]}, "InvalidParameterException", "at most 50"),
    ({"startTime": NOW + 1}, "InvalidParameterException", "is after the end time"),
    ({"queryLanguage": "SQL"}, "InvalidParameterException", "docs/sandbox.md"),
    ({"queryLanguage": "PPL"}, "InvalidParameterException", "docs/sandbox.md"),
]


@pytest.mark.parametrize(("params", "code", "words"), STARTS)
def test_what_cannot_be_started_is_refused(logs, params, code, words):
    with pytest.raises(ServiceError) as caught:
        start(logs, "fields a", **params)
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize("operation", ["GetQueryResults", "StopQuery"])
def test_an_unknown_query_is_not_found(logs, operation):
    refused(logs, "ResourceNotFoundException", operation, queryId="unknown")


def test_queries_are_kept_by_region(logs, sandbox):
    query_id = start(logs, TOP_REJECTED)
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        client_call(sandbox, "logs", "GetQueryResults", region="us-east-1", queryId=query_id)


def test_a_pointer_leads_to_all_fields_of_its_event(logs):
    (row,) = results(logs, "filter srcAddr = '203.0.113.3'")["results"]
    pointer = next(cell["value"] for cell in row if cell["field"] == "@ptr")
    found = logs("GetLogRecord", logRecordPointer=pointer)["logRecord"]
    assert found["@message"] == record(3)
    assert found["@timestamp"] == str((NOW - 97) * 1000)
    assert (found["srcAddr"], found["dstPort"], found["action"], found["logStatus"]) == (
        "203.0.113.3",
        "22",
        "REJECT",
        "OK",
    )
    assert (found["@log"], found["@logStream"]) == (f"123456789012:{GROUP}", "stream")


def test_a_pointer_to_json_leads_to_its_paths(logs):
    (row,) = results(logs, "filter level = 'info'", logGroupName="app")["results"]
    found = logs("GetLogRecord", logRecordPointer=row[-1]["value"])["logRecord"]
    assert {name: value for name, value in found.items() if name in ("level", "@@type", "list.0.ok")} == {
        "level": "info",
        "@@type": "x",
        "list.0.ok": "1",
    }


FAR = [base64.b64encode(f"1|{sign}{'9' * 40}|123456789012:{GROUP}".encode()).decode() for sign in ("", "-")]


@pytest.mark.parametrize("pointer", ["", "x", "!!", "YWJj", "MXwyfGE=", *FAR])
def test_a_pointer_to_nothing_is_refused(logs, pointer):
    with pytest.raises(ServiceError) as caught:
        logs("GetLogRecord", logRecordPointer=pointer)
    assert caught.value.code in ("InvalidParameterException", "ResourceNotFoundException")


def test_the_fields_of_a_group_with_their_shares(logs):
    flow = {
        field["name"]: field["percent"] for field in logs("GetLogGroupFields", logGroupName=GROUP)["logGroupFields"]
    }
    assert len(flow) == 5 + 14
    assert set(flow.values()) == {100}
    app = logs("GetLogGroupFields", logGroupIdentifier="app")["logGroupFields"]
    assert app[:6] == [
        *(
            {"name": f"@{name}", "percent": 100}
            for name in ("ingestionTime", "log", "logStream", "message", "timestamp")
        ),
        {"name": "level", "percent": 67},
    ]
    assert {"name": "code", "percent": 33} in app


def test_the_fields_of_a_group_are_those_of_the_last_quarter_of_an_hour_or_around_a_time(logs, sandbox):
    sandbox.clock.advance(3600)
    assert logs("GetLogGroupFields", logGroupName=GROUP)["logGroupFields"] == []
    assert logs("GetLogGroupFields", logGroupName=GROUP, time=NOW + 300)["logGroupFields"] != []
    assert logs("GetLogGroupFields", logGroupName=GROUP, time=NOW + 600)["logGroupFields"] == []
    refused(logs, "ResourceNotFoundException", "GetLogGroupFields", logGroupName="nowhere")


def test_diff_compares_the_patterns_of_two_time_ranges(logs, sandbox):
    sandbox.logs.create_group("eu-west-1", "changing")
    earlier = ["login of user 1", "login of user 2", "login of user 3", "disk full at 10.0.0.1"]
    later = ["login of user 4", "bad password of user 5", "bad password of user 6"]
    times = [
        *((NOW - 7200 + number) * 1000 for number in range(4)),
        *((NOW - 60 + number) * 1000 for number in range(3)),
    ]
    sandbox.logs.deliver("eu-west-1", "changing", "s", times, earlier + later)
    answer = results(logs, "pattern @message | diff", logGroupName="changing", startTime=NOW - 3600, endTime=NOW - 1)
    columns = ("@pattern", "@sampleCount", "@differenceStat", "@differenceDescription")
    assert [tuple(row.get(column) for column in columns) for row in table(answer)] == [
        ("bad password of user <Number-1>", "2", "2", "new"),
        ("login of user <Number-1>", "1", "-2", "less often"),
        ("disk full at <IPAddress-1>", "0", "-1", "no longer there"),
    ]
    assert answer["statistics"]["recordsMatched"] == 3


@pytest.mark.parametrize(("period", "days"), [("previousDay", 1), ("previousWeek", 7), ("previousMonth", 31)])
def test_diff_can_look_back_further(logs, sandbox, period, days):
    sandbox.logs.create_group("eu-west-1", "old")
    times = [(NOW - 60 - days * 86_400) * 1000, (NOW - 60) * 1000]
    sandbox.logs.deliver("eu-west-1", "old", "s", times, ["same", "same"])
    (row,) = table(results(logs, f"pattern @message | diff {period}", logGroupName="old"))
    assert (row["@pattern"], row["@differenceDescription"]) == ("same", "unchanged")


SOURCES = [
    ("SOURCE logGroups()", 7),
    ("SOURCE logGroups(namePrefix: ['VPC'])", 4),
    ("source logGroups(namePrefix: ['VPC', 'a'], class: ['STANDARD'])", 7),
    ("SOURCE logGroups(accountIdentifiers: ['123456789012'])", 7),
]


@pytest.mark.parametrize(("source", "events"), SOURCES)
def test_a_query_may_select_its_log_groups_itself(logs, source, events):
    answer = results(logs, f"{source} | stats count(*) as n", logGroupName=None)
    assert table(answer) == [{"n": str(events)}]
    assert len(results(logs, source, logGroupName=None)["results"]) == events


@pytest.mark.parametrize(
    ("source", "group", "code"),
    [
        ("SOURCE logGroups(namePrefix: ['nowhere'])", None, "ResourceNotFoundException"),
        ("SOURCE logGroups(class: ['INFREQUENT_ACCESS'])", None, "ResourceNotFoundException"),
        ("SOURCE logGroups(accountIdentifiers: ['111122223333'])", None, "ResourceNotFoundException"),
        ("SOURCE logGroups()", GROUP, "InvalidParameterException"),
    ],
)
def test_a_source_that_selects_nothing_is_refused(logs, source, group, code):
    with pytest.raises(ServiceError) as caught:
        start(logs, source, logGroupName=group)
    assert caught.value.code == code


def test_there_are_no_queries_in_other_languages(logs):
    start(logs, TOP_REJECTED)
    assert logs("DescribeQueries", queryLanguage="SQL") == {"queries": []}
    assert len(logs("DescribeQueries", queryLanguage="CWLI")["queries"]) == 1


def test_a_pointer_to_an_event_that_is_gone_is_not_found(logs, sandbox):
    pointer = results(logs, "limit 1")["results"][0][-1]["value"]
    logs("DeleteLogStream", logGroupName=GROUP, logStreamName="stream")
    assert refused(logs, "ResourceNotFoundException", "GetLogRecord", logRecordPointer=pointer)
    assert results(logs, "fields srcAddr")["results"] == []
