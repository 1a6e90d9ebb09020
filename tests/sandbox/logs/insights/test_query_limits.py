"""What a query may not do: run for ever, return too much, or ask a log group for what its class does not have."""

from datetime import UTC, datetime

import duckdb
import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.insights import engine
from tests.sandbox.calls import client_call

NOW = int(datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp())
QUERY = {"startTime": NOW - 3600, "endTime": NOW, "logGroupName": "app"}


@pytest.fixture
def logs(sandbox):
    def call(operation, **params):
        return client_call(sandbox, "logs", operation, **params)

    call("CreateLogGroup", logGroupName="app")
    call("CreateLogGroup", logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    sandbox.logs.deliver("eu-west-1", "app", "stream", [NOW * 1000 - 1000], ["text"])
    return call


def test_a_query_that_needs_more_memory_than_there_is_has_failed(logs, monkeypatch):
    def run(*arguments):
        raise duckdb.OutOfMemoryException("no")

    monkeypatch.setattr(engine, "run", run)
    query = logs("StartQuery", **QUERY, queryString="fields @message")["queryId"]
    answer = logs("GetQueryResults", queryId=query)
    assert (answer["status"], answer["results"]) == ("Failed", [])
    assert logs("DescribeQueries", status="Failed")["queries"][0]["queryId"] == query


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("fields @message | pattern @message", "pattern @message"),
        ("pattern @message | diff", "pattern @message"),
        ("filter a = 1 | filterIndex a = 1", "filterIndex a = 1"),
        ("stats count(*) as n by a | stats max(n) as n | stats max(n)", "stats max(n)"),
    ],
)
def test_what_infrequent_access_does_not_have_is_refused(logs, query, place):
    logs("StartQuery", **QUERY, queryString=query)
    with pytest.raises(ServiceError) as caught:
        logs("StartQuery", **{**QUERY, "logGroupName": "rare"}, queryString=query)
    assert caught.value.code == "MalformedQueryException"
    assert caught.value.message.endswith("is not supported for log groups in the Infrequent Access log class")
    location = caught.value.members["queryCompileError"]["location"]
    assert query[location["startCharOffset"] : location["endCharOffset"]] == place


def test_the_class_delivery_has_no_queries(logs):
    logs("CreateLogGroup", logGroupName="passing", logGroupClass="DELIVERY")
    with pytest.raises(ServiceError, match="passing is of log-group-class DELIVERY") as caught:
        logs("StartQuery", **{**QUERY, "logGroupName": "passing"}, queryString="fields @message")
    assert caught.value.code == "InvalidParameterException"


def test_infrequent_access_has_the_rest(logs):
    query = "stats count(*) as n by @logStream | stats max(n) as most"
    started = logs("StartQuery", **{**QUERY, "logGroupName": "rare"}, queryString=query)["queryId"]
    assert logs("GetQueryResults", queryId=started)["status"] == "Complete"


def test_a_limit_beyond_aws_is_refused_with_its_place(logs):
    with pytest.raises(ServiceError, match="limit: a query returns at most 100000 rows, not 100001") as caught:
        logs("StartQuery", **QUERY, queryString="fields @message | limit 100001")
    assert caught.value.members["queryCompileError"]["location"] == {"startCharOffset": 24, "endCharOffset": 30}
