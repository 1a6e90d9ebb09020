"""Lookup tables, and queries that read more than one place, through the API."""

import pytest

from tests.sandbox.calls import client_call, refusal
from tests.sandbox.logs.insights.runs import START

NOW = START // 1000
OWNERS = "network,owner\n203.0.113.0/24,scanner\n"


@pytest.fixture
def logs(sandbox):
    """Calls of the service `logs`, in a sandbox with two log groups."""

    def call(operation, **params):
        return client_call(sandbox, "logs", operation, **params)

    for group, messages in (
        ("orders", ['{"id": "a", "ip": "203.0.113.9"}', '{"id": "b", "ip": "192.0.2.1"}']),
        ("payments", ['{"id": "b", "paid": 5}']),
    ):
        call("CreateLogGroup", logGroupName=group)
        times = [(NOW - 100 + number) * 1000 for number in range(len(messages))]
        sandbox.logs.deliver("eu-west-1", group, "stream", times, messages)
    return call


def rows(logs, query, **params):
    given = {"startTime": NOW - 3600, "endTime": NOW, "queryString": query, "logGroupName": "orders"} | params
    query_id = logs("StartQuery", **{name: value for name, value in given.items() if value})["queryId"]
    answer = logs("GetQueryResults", queryId=query_id)
    assert answer["status"] == "Complete"
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]


def refused(logs, code, operation, **params):
    error = refusal(logs, operation, **params)
    assert error.code == code
    return error.message


def test_a_table_is_created_described_read_changed_and_deleted(logs):
    arn = logs("CreateLookupTable", lookupTableName="owners", tableBody=OWNERS, description="who")["lookupTableArn"]
    assert arn == "arn:aws:logs:eu-west-1:123456789012:lookup-table:owners"
    (table,) = logs("DescribeLookupTables", lookupTableNamePrefix="own")["lookupTables"]
    assert (table["tableFields"], table["recordsCount"], table["sizeBytes"]) == (["network", "owner"], 1, len(OWNERS))
    assert logs("DescribeLookupTables", lookupTableNamePrefix="x")["lookupTables"] == []
    assert rows(logs, "cidrlookup owners ip OUTPUT owner | filter ispresent(owner) | display id, owner") == [
        {"id": "a", "owner": "scanner"}
    ]
    logs("UpdateLookupTable", lookupTableArn=arn, tableBody="network,owner\n192.0.2.0/24,lab\n")
    assert "192.0.2.0/24" in logs("GetLookupTable", lookupTableArn=arn)["tableBody"]
    assert logs("GetLookupTable", lookupTableArn=arn)["description"] == "who"
    assert rows(logs, "cidrlookup owners ip OUTPUT owner | filter ispresent(owner) | display id") == [{"id": "b"}]
    logs("DeleteLookupTable", lookupTableArn=arn)
    refused(logs, "ResourceNotFoundException", "GetLookupTable", lookupTableArn=arn)
    query = {"startTime": 0, "endTime": NOW, "queryString": "lookup owners id OUTPUT owner", "logGroupName": "orders"}
    assert refused(logs, "MalformedQueryException", "StartQuery", **query) == "the lookup table owners does not exist"


def test_a_query_sees_the_table_as_it_was_when_it_was_started(logs):
    arn = logs("CreateLookupTable", lookupTableName="names", tableBody="id,name\na,Ann\n")["lookupTableArn"]
    query = "lookup names id OUTPUT name | filter ispresent(name) | display name"
    started = logs("StartQuery", logGroupName="orders", startTime=0, endTime=NOW, queryString=query)["queryId"]
    logs("DeleteLookupTable", lookupTableArn=arn)
    assert logs("GetQueryResults", queryId=started)["results"][0][0] == {"field": "name", "value": "Ann"}


def test_the_results_of_a_query_become_a_table(logs):
    query = logs("StartQuery", logGroupName="orders", startTime=0, endTime=NOW, queryString="fields id, ip | sort id")
    arn = logs("CreateLookupTable", lookupTableName="seen", queryId=query["queryId"])["lookupTableArn"]
    assert logs("GetLookupTable", lookupTableArn=arn)["tableBody"] == "id,ip\na,203.0.113.9\nb,192.0.2.1\n"
    assert rows(logs, "lookup seen id OUTPUT ip | display id, ip", logGroupName="payments") == [
        {"id": "b", "ip": "192.0.2.1"}
    ]


def test_what_a_table_cannot_be_made_of_is_refused(logs):
    create = {"operation": "CreateLookupTable", "lookupTableName": "owners"}
    refused(logs, "InvalidParameterException", **create)
    refused(logs, "InvalidParameterException", **create, tableBody=OWNERS, queryId="x")
    refused(logs, "InvalidParameterException", **create, tableBody=OWNERS, kmsKeyId="key")
    refused(logs, "ResourceNotFoundException", **create, queryId="nosuch")
    refused(logs, "InvalidParameterException", **create, tableBody="a,a\n1,2\n")
    logs(**create, tableBody=OWNERS)
    refused(logs, "ResourceAlreadyExistsException", **create, tableBody=OWNERS)


def test_a_query_within_the_query_reads_another_group(logs):
    assert rows(logs, "filter id in (SOURCE 'payments' | fields id) | fields id") == [{"id": "b"}]
    joined = "join left=o right=p where o.id=p.id (SOURCE 'payments') | fields o.ip, p.paid"
    assert rows(logs, joined) == [{"o.ip": "192.0.2.1", "p.paid": "5"}]
    query = {"startTime": 0, "endTime": NOW, "logGroupName": "orders"}
    query["queryString"] = "filter id in (SOURCE 'nosuch' | fields id)"
    assert "nosuch" in refused(logs, "ResourceNotFoundException", "StartQuery", **query)


def test_a_source_names_groups_and_a_time_range(logs):
    assert rows(logs, "SOURCE 'orders', payments | fields id | sort id", logGroupName=None) == [
        {"id": "a"},
        {"id": "b"},
        {"id": "b"},
    ]
    late = "SOURCE orders start=-100s end=now | fields id"
    assert rows(logs, late, logGroupName=None, startTime=1, endTime=2) == [{"id": "b"}, {"id": "a"}]
    assert rows(logs, late.replace("-100s", "-99s"), logGroupName=None) == [{"id": "b"}]
    assert rows(logs, late.replace("end=now", "end=-100s"), logGroupName=None) == [{"id": "a"}]


def test_a_description_is_changed_only_where_one_is_given(logs):
    made = logs("CreateLookupTable", lookupTableName="owners", tableBody=OWNERS, description="who")
    arn = {"lookupTableArn": made["lookupTableArn"]}
    logs("UpdateLookupTable", **arn, tableBody=OWNERS)
    assert logs("GetLookupTable", **arn)["description"] == "who"
    logs("UpdateLookupTable", **arn, tableBody="network,owner\n", description="nobody")
    assert logs("GetLookupTable", **arn)["description"] == "nobody"
    assert logs("DescribeLookupTables")["lookupTables"][0]["recordsCount"] == 0


@pytest.mark.parametrize("operation", ["GetLookupTable", "UpdateLookupTable", "DeleteLookupTable"])
def test_a_table_that_is_not_there_is_not_found(logs, operation):
    arn = "arn:aws:logs:eu-west-1:123456789012:lookup-table:none"
    body = {"tableBody": OWNERS} if operation == "UpdateLookupTable" else {}
    message = refused(logs, "ResourceNotFoundException", operation, lookupTableArn=arn, **body)
    assert message == f"The lookup table {arn} does not exist."


def test_a_table_has_ten_megabytes_of_csv_at_most(logs):
    body = "a\n" + ("x" * 1023 + "\n") * (10 * 1024 - 1) + "x" * 1022
    made = logs("CreateLookupTable", lookupTableName="large", tableBody=body)
    assert logs("DescribeLookupTables")["lookupTables"][0]["sizeBytes"] == 10 * 1024 * 1024
    larger = {"lookupTableArn": made["lookupTableArn"], "tableBody": body + "y"}
    message = refused(logs, "InvalidParameterException", "UpdateLookupTable", **larger)
    assert message == "The CSV content of a lookup table can have at most 10 MB."


def test_a_region_has_a_hundred_tables_at_most(logs):
    for number in range(100):
        logs("CreateLookupTable", lookupTableName=f"t{number:02}", tableBody=OWNERS)
    refused(logs, "LimitExceededException", "CreateLookupTable", lookupTableName="more", tableBody=OWNERS)
    first = logs("DescribeLookupTables", maxResults=60)
    rest = logs("DescribeLookupTables", maxResults=60, nextToken=first["nextToken"])
    assert [len(page["lookupTables"]) for page in (first, rest)] == [60, 40]


def test_a_query_without_rows_makes_no_table(logs):
    query = {"startTime": NOW - 3600, "endTime": NOW, "logGroupName": "orders", "queryString": "filter id = 'z'"}
    query_id = logs("StartQuery", **query)["queryId"]
    message = refused(logs, "InvalidParameterException", "CreateLookupTable", lookupTableName="none", queryId=query_id)
    assert message == f"The query {query_id} has no results."
    assert logs("DescribeLookupTables") == {"lookupTables": []}


@pytest.mark.parametrize("limit", ["start=-1fortnight", "end=-2sek", "start=-3mm"])
def test_a_time_of_a_unit_that_is_none_is_refused_at_its_place(logs, limit):
    query = {"startTime": 1, "endTime": 2, "queryString": f"SOURCE 'orders' {limit} | fields id"}
    message = refused(logs, "MalformedQueryException", "StartQuery", **query)
    assert message.endswith(" is no unit of time, such as m, h or d")
    inner = f"filter id in (SOURCE 'orders' {limit} | fields id)"
    refused(logs, "MalformedQueryException", "StartQuery", **query | {"queryString": inner, "logGroupName": "orders"})
