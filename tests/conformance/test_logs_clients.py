"""Clients of CloudWatch Logs, unmodified: boto3's paginators, the AWS CLI, and `aws logs tail` of its version 2."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

NOW = 1_793_610_000_000
SSH_REJECT = (
    "[version, account, eni, source, destination, srcport, destport=22, protocol=6, packets, bytes, start, end,"
    " action=REJECT, status]"
)


def record(number: int) -> str:
    action = "ACCEPT" if number % 3 else "REJECT"
    return (
        f"2 123456789012 eni-0a 198.51.100.{number} 10.0.0.5 {40_000 + number} 22 6 1 40"
        f" 1793610000 1793610060 {action} OK"
    )


@pytest.fixture
def logs(client) -> Any:
    """A client, and a group of three streams with ten records each, one a millisecond."""
    logs = client("logs")
    logs.create_log_group(logGroupName="flows")
    for stream in range(3):
        logs.create_log_stream(logGroupName="flows", logStreamName=f"eni-{stream}")
        put(logs, stream, range(10))
    return logs


def put(logs: Any, stream: int, numbers: range) -> None:
    events = [{"timestamp": NOW - 10_000 + number, "message": record(number)} for number in numbers]
    logs.put_log_events(logGroupName="flows", logStreamName=f"eni-{stream}", logEvents=events)


PAGINATED = [
    ("filter_log_events", {"logGroupName": "flows"}, "events", 30),
    ("filter_log_events", {"logGroupName": "flows", "filterPattern": SSH_REJECT}, "events", 12),
    ("filter_log_events", {"logGroupName": "flows", "logStreamNamePrefix": "eni-2"}, "events", 10),
    ("filter_log_events", {"logGroupName": "flows", "startFromHead": False, "startTime": NOW - 9_995}, "events", 15),
    ("describe_log_streams", {"logGroupName": "flows"}, "logStreams", 3),
    ("describe_log_streams", {"logGroupName": "flows", "orderBy": "LastEventTime"}, "logStreams", 3),
    ("describe_log_groups", {}, "logGroups", 1),
    ("describe_metric_filters", {"logGroupName": "flows"}, "metricFilters", 4),
    ("describe_subscription_filters", {"logGroupName": "flows"}, "subscriptionFilters", 0),
]


@pytest.mark.parametrize(
    ("operation", "params", "key", "count"),
    PAGINATED,
    ids=[f"{number}-{case[0]}" for number, case in enumerate(PAGINATED)],
)
def test_boto3s_paginators_come_to_an_end_with_each_item_once(
    logs: Any, operation: str, params: dict[str, Any], key: str, count: int
) -> None:
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for number in range(4):
        name = f"filter-{number}"
        logs.put_metric_filter(
            logGroupName="flows", filterName=name, filterPattern="x", metricTransformations=[transformation]
        )
    pages = logs.get_paginator(operation).paginate(**params, PaginationConfig={"PageSize": 2})
    items = [json.dumps(item, sort_keys=True) for page in pages for item in page[key]]
    assert len(items) == len(set(items)) == count


@pytest.mark.parametrize("from_head", [True, False])
def test_a_stream_is_read_to_its_end_in_both_directions(logs: Any, from_head: bool) -> None:
    params = {"logGroupName": "flows", "logStreamName": "eni-1", "startFromHead": from_head, "limit": 4}
    token_name = "nextForwardToken" if from_head else "nextBackwardToken"
    read, page = [], logs.get_log_events(**params)
    while page["events"]:
        read = read + page["events"] if from_head else page["events"] + read
        token = page[token_name]
        page = logs.get_log_events(**params, nextToken=token)
    assert page[token_name] == token
    assert [event["message"] for event in read] == [record(number) for number in range(10)]


class Tail:
    """What `aws logs tail --follow` of version 2 of the CLI asks: each new event once, by the time and id of the last.

    https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html
    """

    def __init__(self, logs: Any, since: int, pattern: str) -> None:
        self._logs = logs
        self._params: dict[str, Any] = {
            "logGroupName": "flows",
            "filterPattern": pattern,
            "interleaved": True,
            "startTime": since,
        }
        self._seen: dict[int, set[str]] = defaultdict(set)

    def new_events(self) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._logs.filter_log_events(**self._params, limit=5)
            for event in answer["events"]:
                if event["eventId"] not in self._seen[event["timestamp"]]:
                    self._seen[event["timestamp"]].add(event["eventId"])
                    yield event
            if "nextToken" not in answer:
                break
            self._params["nextToken"] = answer["nextToken"]
        self._params.pop("nextToken", None)
        self._params["startTime"] = max(self._seen, default=self._params["startTime"])


def test_the_calls_of_logs_tail_show_each_event_once_and_go_on(logs: Any) -> None:
    tail = Tail(logs, NOW - 3_600_000, SSH_REJECT)
    first = list(tail.new_events())
    assert [event["timestamp"] - NOW + 10_000 for event in first] == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9]
    assert [event["logStreamName"] for event in first[:3]] == ["eni-0", "eni-1", "eni-2"]
    assert list(tail.new_events()) == []
    put(logs, 1, range(9, 13))
    assert [event["message"] for event in tail.new_events()] == [record(9), record(12)]


def test_a_refused_pattern_has_awss_message_and_its_place_beside_it(logs: Any) -> None:
    with pytest.raises(ClientError) as caught:
        logs.test_metric_filter(filterPattern="[version, account=%a(b)%]", logEventMessages=["2 1"])
    error = caught.value.response
    assert error["Error"] == {
        "Code": "InvalidParameterException",
        "Message": "Invalid character(s) in term '('",
    }
    assert error["ResponseMetadata"]["HTTPHeaders"]["x-sandbox-detail"].startswith("The fault is at character 21, ")


AWS_CLI = str(Path(sys.executable).with_name("aws"))
CLI_SECONDS = 60
"""How long a call of the CLI may take before it counts as hanging."""


def cli_environment(server: Any) -> dict[str, str]:
    """The variables of `labkit sandbox env`, and nothing of this machine's configuration."""
    return {**os.environ, **server.environment(), "AWS_CONFIG_FILE": "/dev/null", "AWS_PAGER": ""}


def aws(server: Any, *arguments: str, program: str = AWS_CLI) -> subprocess.CompletedProcess[str]:
    """Runs the AWS CLI; older ones of version 2 have to be told the endpoint."""
    command = [program, "--endpoint-url", server.endpoint, "--output", "json", *arguments]
    return subprocess.run(
        command, env=cli_environment(server), capture_output=True, text=True, check=False, timeout=CLI_SECONDS
    )


def test_the_aws_cli_filters_events_and_shows_awss_error(server: Any, logs: Any) -> None:
    command = ["logs", "filter-log-events", "--log-group-name", "flows", "--page-size", "7", "--filter-pattern"]
    found = json.loads(aws(server, *command, SSH_REJECT).stdout)
    assert {event["message"] for event in found["events"]} == {record(number) for number in (0, 3, 6, 9)}
    refused = aws(server, *command, "[version, account")
    assert refused.returncode != 0
    error = "(InvalidParameterException) when calling the FilterLogEvents operation: Invalid filter pattern"
    assert refused.stderr.strip() == f"An error occurred {error}"


def test_the_aws_cli_starts_a_query_and_gets_its_results(server: Any, logs: Any) -> None:
    query = "filter action = 'REJECT' | stats count(*) as rejects by srcAddr | sort srcAddr | limit 2"
    times = ["--start-time", str(NOW // 1000 - 3600), "--end-time", str(NOW // 1000)]
    started = aws(server, "logs", "start-query", "--log-group-name", "flows", *times, "--query-string", query)
    query_id = json.loads(started.stdout)["queryId"]
    answer = json.loads(aws(server, "logs", "get-query-results", "--query-id", query_id).stdout)
    assert answer["status"] == "Complete"
    assert [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]] == [
        {"srcAddr": "198.51.100.0", "rejects": "3"},
        {"srcAddr": "198.51.100.3", "rejects": "3"},
    ]


@pytest.fixture(scope="module")
def aws_2() -> str:
    """An AWS CLI of version 2 on this machine: PyPI, and so this environment, has version 1, without `logs tail`."""
    for directory in os.environ["PATH"].split(os.pathsep):
        if program := shutil.which("aws", path=directory):
            version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=CLI_SECONDS)
            if version.stdout.startswith("aws-cli/2."):
                return program
    pytest.skip("this machine has no AWS CLI of version 2 (Debian and Ubuntu: apt-get install awscli)")


SINCE = ["logs", "tail", "flows", "--since", "2026-11-02T08:00:00Z"]


def test_logs_tail_shows_the_events_of_its_range_streams_and_pattern(server: Any, logs: Any, aws_2: str) -> None:
    short = aws(server, *SINCE, "--format", "short", "--log-stream-names", "eni-0", "eni-2", program=aws_2)
    assert short.stdout.splitlines() == [f"2026-11-02T08:59:50 {record(n // 2)}" for n in range(20)]
    options = ["--filter-pattern", SSH_REJECT, "--log-stream-name-prefix", "eni-1"]
    detailed = aws(server, *SINCE, *options, program=aws_2)
    assert detailed.stdout.splitlines() == [
        f"2026-11-02T08:59:50.00{n}000+00:00 eni-1 {record(n)}" for n in (0, 3, 6, 9)
    ]
    assert aws(server, "logs", "tail", "flows", "--since", "2026-11-02T09:00:00Z", program=aws_2).stdout == ""


def test_logs_tail_says_awss_error(server: Any, logs: Any, aws_2: str) -> None:
    refused = aws(server, *SINCE, "--filter-pattern", "[version, account", program=aws_2)
    assert refused.returncode != 0
    assert "(InvalidParameterException) when calling the FilterLogEvents operation" in refused.stderr


def test_logs_tail_follows_a_group_and_sets_json_out(server: Any, logs: Any, aws_2: str) -> None:
    options = ["--follow", "--format", "json", "--color", "off", "--log-stream-names", "eni-1"]
    command = [aws_2, "--endpoint-url", server.endpoint, *SINCE, *options]
    ours, theirs = os.openpty()  # as in a terminal: into a pipe the CLI writes when it has a block full
    with subprocess.Popen(command, stdout=theirs, env=cli_environment(server)) as tail:
        timer = threading.Timer(CLI_SECONDS, tail.kill)
        timer.start()
        try:
            os.close(theirs)
            with os.fdopen(ours) as lines:
                seen = [lines.readline().rstrip() for _ in range(10)]
                event = {"timestamp": NOW, "message": '{"port": 22}'}
                logs.put_log_events(logGroupName="flows", logStreamName="eni-1", logEvents=[event])
                later = [lines.readline().rstrip() for _ in range(4)]
        finally:
            timer.cancel()
            tail.kill()
    assert [line.split(" ", 2)[2] for line in seen] == [record(number) for number in range(10)]
    assert later == ["2026-11-02T09:00:00+00:00 eni-1", "{", '    "port": 22', "}"]
