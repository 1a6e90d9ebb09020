"""The fields of logs of Lambda and Route 53, in a query and in a single record alike."""

import pytest

from labkit.sandbox.logs.insights.discovery import discovered
from labkit.sandbox.logs.insights.fields import FLOW_LOG_RECORD, Source
from labkit.sandbox.logs.insights.service_logs import LAMBDA
from tests.sandbox.logs.insights.runs import rows

REQUEST = "3604209a-e9a3-11e6-939a-754dd98c7be3"
REPORT = (
    f"REPORT RequestId: {REQUEST}\tDuration: 12.34 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 18 MB\tInit Duration: 99.5 ms\t\n"
    "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n"
)
START = f"START RequestId: {REQUEST} Version: $LATEST\n"
LINE = f'2026-11-02T09:00:00.000Z\t{REQUEST}\tINFO\t{{"user": {{"id": 7}}, "ok": true}}\n'
DNS = "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.168.1.1 198.51.100.0/24"
LOOKS_LIKE = ["REPORT RequestId: none", "Duration: 5 ms", "1.0 not a record", DNS + " more", "{}", ""]


def source(group):
    return Source("events", f"123456789012:{group}", (), FLOW_LOG_RECORD, only_flow_logs=False)


@pytest.mark.parametrize("message", [REPORT, START, LINE, DNS, *LOOKS_LIKE])
def test_a_query_finds_what_a_record_has(message):
    wanted = [*LAMBDA, "queryName", "responseCode", "protocol", "resolverIp", "ednsClientSubnet", "hostZoneId"]
    (found,) = rows("fields " + ", ".join(wanted), [message])
    record = discovered(message, source("group"))
    assert found == {name: record[name] for name in wanted if name in record}


def test_the_report_of_an_invocation():
    (found,) = rows("fields " + ", ".join(LAMBDA), [REPORT])
    assert found == {
        "@type": "REPORT",
        "@requestId": REQUEST,
        "@duration": "12.34",
        "@billedDuration": "100",
        "@initDuration": "99.5",
        "@memorySize": "128000000",
        "@maxMemoryUsed": "18000000",
        "@xrayTraceId": "1-5e34a614-10bdxmplf1fb44f07bc535a1",
        "@xraySegmentId": "07f5xmpl2d1f6f85",
    }


def test_the_json_in_a_functions_line_has_fields_in_its_log_group_only():
    query = "filter user.id = 7 | fields @requestId, user.id, ok"
    assert rows(
        "filter id in (SOURCE '/aws/lambda/f' | fields user.id as id)", [{"id": 7}], groups={"/aws/lambda/f": [LINE]}
    )
    assert rows(query, [LINE]) == []
    assert discovered(LINE, source("/aws/lambda/f")) == {"@requestId": REQUEST, "user.id": "7", "ok": "1"}
    assert discovered(LINE, source("group")) == {"@requestId": REQUEST}


def test_a_line_of_the_query_log_by_its_names():
    assert rows("filter queryType = 'A' | stats count(*) as n by queryName, responseCode", [DNS, DNS, "other"]) == [
        {"queryName": "example.com", "responseCode": "NOERROR", "n": "2"}
    ]


def test_json_and_flow_records_keep_their_own_fields_of_the_same_names():
    flow = "2 123456789012 eni-0a1b2c3d 203.0.113.1 10.0.0.5 40001 22 6 1 40 1793609940 1793610000 REJECT OK"
    events = [flow, DNS, {"protocol": "icmp"}]
    assert [row["protocol"] for row in rows("sort @timestamp | display protocol", events)] == ["6", "UDP", "icmp"]


PIECES = [
    ('INFO {"a": 1} then {"a": 2}', "1"),
    ('{"a": {"b": [{"c": "}"}]}, "x": 1} tail', None),
    ('{"b": 0, "a": {"deep": {"er": 1}}} {"a": 3}', None),
    ('no json {here} {"a": 1}', None),
    ('text {"a": "}{", "b": 2} text', "}{"),
    ("{" * 2000, None),
]


@pytest.mark.parametrize(("message", "value"), PIECES)
def test_of_several_pieces_of_json_in_a_functions_line_the_first_counts(message, value):
    group = {"/aws/lambda/f": [message]}
    found = rows(
        "filter n in (SOURCE '/aws/lambda/f' | fields a as n) | fields n", [{"n": "1"}, {"n": "}{"}], groups=group
    )
    assert found == ([{"n": value}] if value else [])
    assert discovered(message, source("/aws/lambda/f")).get("a") == value


@pytest.mark.parametrize("group", ["group", "/aws/lambda/f"])
@pytest.mark.parametrize("message", ["[" * 100_000, '{"a":' * 100_000, '{"a":' * 700 + "1" + "}" * 700, "{" * 100_000])
def test_a_record_that_is_nested_without_end_has_no_fields_and_does_no_harm(group, message):
    assert set(discovered(message, source(group))) <= {".".join("a" * 700)}
