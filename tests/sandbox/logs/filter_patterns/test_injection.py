"""Texts that would be SQL outside of their quotes are just texts: in patterns, names, tokens and messages."""

import json
from typing import Any

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.logs.conftest import NOW, Logs

ATTEMPTS = [
    "' OR '1'='1",
    "') OR TRUE --",
    "'; DROP TABLE events.group_1; --",
    "'; ATTACH '/tmp/x.db' AS x; --",
    "' UNION SELECT current_setting('secret_directory'), 2, 3, 4, 5 --",
    "'||(SELECT string_agg(message, ',') FROM events.group_1)||'",
    "\\'; SELECT 1; --",
    "$$; DROP TABLE events.group_1; $$",
    "E'\\x27",
    "/* */ ' */",
    "%' OR message LIKE '%",
    "{{message}} ${message} $1 ? :name",
    "'); COPY events.group_1 TO '/tmp/out.csv'; --",
    "read_text('/etc/passwd')",
    "’ OR ’1’=’1",
]
WAYS = {
    "a term": '"{}"',
    "an excluded term": 'PLAIN -"{}"',
    "a value in JSON": '{{ $.a = "{}" }}',
    "a name in JSON": '{{ $.["{}"] = 1 }}',
    "a field's value": '[a="{}", ...]',
    "a field's wildcard": '[a="*{}*", ...]',
}


@pytest.fixture
def stored(logs: Logs) -> Logs:
    """A group with two plain events."""
    logs.put("PLAIN text", '{"a": "b"}')
    return logs


def messages(logs: Logs, **params: Any) -> list[str]:
    answer = logs.call("FilterLogEvents", logGroupName="g", **params)
    return [event["message"] for event in answer["events"]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_pattern_finds_no_more_than_its_text(stored: Logs, way: str, attempt: str) -> None:
    written = attempt.replace("\\", "\\\\").replace('"', '\\"')
    try:
        found = messages(stored, filterPattern=WAYS[way].format(written))
    except ServiceError as refusal:
        assert refusal.code == "InvalidParameterException"  # noqa: PT017
        found = []
    assert found == (["PLAIN text"] if way == "an excluded term" else [])
    assert messages(stored) == ["PLAIN text", '{"a": "b"}']


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_message_is_read_back_and_found_as_it_was_put(stored: Logs, attempt: str) -> None:
    document = json.dumps({"a": attempt, attempt: 1})
    stored.put(attempt, document, at=NOW + 10)
    assert messages(stored)[2:] == [attempt, document]
    written = attempt.replace("\\", "\\\\").replace('"', '\\"')
    assert messages(stored, filterPattern=f'"{written}"')[:1] == [attempt]
    if "*" not in (attempt[0], attempt[-1]):
        assert messages(stored, filterPattern=f'{{ $.a = "{written}" }}') == [document]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_names_of_streams_are_texts(stored: Logs, attempt: str) -> None:
    assert messages(stored, logStreamNamePrefix=attempt) == []
    with pytest.raises(ServiceError, match="The specified log stream does not exist"):
        messages(stored, logStreamNames=[attempt])
    for operation, params in (("FilterLogEvents", {}), ("GetLogEvents", {"logStreamName": "eni-1"})):
        with pytest.raises(ServiceError, match="The specified nextToken is invalid"):
            stored.call(operation, logGroupName="g", nextToken=attempt, **params)
    assert len(messages(stored)) == 2


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_values_and_dimensions_of_a_metric_are_texts(stored: Logs, attempt: str) -> None:
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": f"${attempt}"}
    params = {"logGroupName": "g", "filterName": "f", "filterPattern": "[a, ...]"}
    try:
        stored.call("PutMetricFilter", **params, metricTransformations=[transformation])
    except ServiceError as refusal:
        assert refusal.code == "InvalidParameterException"  # noqa: PT017
    stored.call(
        "PutMetricFilter",
        **params,
        metricTransformations=[{**transformation, "metricValue": "1", "dimensions": {"D": f"${attempt}", "A": "$a"}}],
    )
    stored.put("5 6", at=NOW + 10)
    assert stored.metric("n") == []
