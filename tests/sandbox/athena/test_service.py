# ruff: noqa: E501 (tables of cases: a case a line)
"""The API's operations: executions, results in pages and in S3, work groups, saved queries, catalogs."""

import json
import threading

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from tests.sandbox.athena.conftest import BUCKET, make_athena

OUTPUT = {"OutputLocation": f"s3://{BUCKET}/results/"}


# --- executions


def test_an_execution(athena):
    done = athena.run("SELECT 1 AS a", QueryExecutionContext={"Database": "Default"})
    shown = done.execution
    assert shown["Query"] == "SELECT 1 AS a"
    assert (shown["StatementType"], shown["SubstatementType"], shown["WorkGroup"]) == ("DML", "SELECT", "primary")
    assert shown["QueryExecutionContext"] == {"Database": "default"}
    assert shown["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert shown["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/results/{done.id}.csv"
    statistics, status = shown["Statistics"], shown["Status"]
    assert statistics["EngineExecutionTimeInMillis"] > 0
    assert statistics["QueryQueueTimeInMillis"] > 0
    took = (status["CompletionDateTime"] - status["SubmissionDateTime"]).total_seconds()
    assert took * 1000 == statistics["TotalExecutionTimeInMillis"]
    runtime = athena.call("GetQueryRuntimeStatistics", QueryExecutionId=done.id)["QueryRuntimeStatistics"]
    assert runtime["Rows"] == {"InputBytes": 0, "OutputBytes": 8, "OutputRows": 1}


def test_the_result_in_s3(athena):
    done = athena.run("SELECT 1 AS a, CAST(NULL AS varchar) AS b, '' AS c, 'say \"x\"' AS d")
    assert athena.get(done.output) == b'"a","b","c","d"\n"1",,"","say ""x"""\n'
    assert athena.get(f"{done.output}.metadata").startswith(b"\x22")


def test_pages(athena):
    done = athena.run(
        "SELECT a * 1000 + b AS n FROM UNNEST(sequence(0, 11)) AS t (a), UNNEST(sequence(1, 1000)) AS u (b) ORDER BY n"
    )
    seen, token = [], {}
    while True:
        page = athena.call("GetQueryResults", QueryExecutionId=done.id, MaxResults=999, **token)
        seen += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == ["n", *(str(n) for n in range(1, 12001))]
    assert len(athena.call("GetQueryResults", QueryExecutionId=done.id)["ResultSet"]["Rows"]) == 1000
    assert (
        athena.refused("GetQueryResults", QueryExecutionId=done.id, NextToken="x")
        == "InvalidRequestException: Invalid NextToken"
    )


def test_results_need_a_location(athena):
    with pytest.raises(ServiceError) as caught:
        athena.call("StartQueryExecution", QueryString="SELECT 1")
    assert caught.value.code == "InvalidRequestException"
    assert caught.value.message == (
        "No output location provided. An output location is required either through the Workgroup result configuration"
        " setting or as an API input."
    )
    missing = {"OutputLocation": "s3://no-such-bucket-here/"}
    assert (
        athena.error("SELECT 1", ResultConfiguration=missing)
        == "Unable to verify/create output bucket no-such-bucket-here"
    )
    local = athena.refused(
        "StartQueryExecution", QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "/tmp"}
    )
    assert local == "InvalidRequestException: outputLocation is not a valid S3 path. Provided outputLocation: /tmp"


def test_results_of_a_failed_query_are_refused(athena):
    done = athena.run("SELECT nope FROM nope")
    message = "InvalidRequestException: Query did not finish successfully. Final query state: FAILED"
    assert athena.refused("GetQueryResults", QueryExecutionId=done.id) == message
    assert (
        athena.refused("GetQueryExecution", QueryExecutionId="x")
        == "InvalidRequestException: QueryExecution x was not found"
    )


def test_a_token_makes_one_execution(athena):
    token = {"ClientRequestToken": "t" * 32}
    first = athena.start("SELECT 1", **token)
    assert athena.start("SELECT 1", **token) == first
    assert athena.error("SELECT 2", **token) == "InvalidRequestException: Idempotent parameters do not match"


def test_several_executions(athena):
    ids = [athena.run(f"SELECT {n}").id for n in range(3)]
    assert athena.call("ListQueryExecutions")["QueryExecutionIds"] == ids[::-1]
    page = athena.call("ListQueryExecutions", MaxResults=2)
    rest = athena.call("ListQueryExecutions", MaxResults=2, NextToken=page["NextToken"])
    assert [*page["QueryExecutionIds"], *rest["QueryExecutionIds"]] == ids[::-1]
    batch = athena.call("BatchGetQueryExecution", QueryExecutionIds=[ids[0], "x"])
    assert [each["QueryExecutionId"] for each in batch["QueryExecutions"]] == ids[:1]
    assert batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "x"


def test_a_running_query_stops(athena):
    identity = athena.start(
        "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a (x), UNNEST(sequence(1, 10000)) AS b (y), UNNEST(sequence(1, 1000)) AS c (z) WHERE x * y * z % 7 = 3"
    )
    assert athena.call("GetQueryExecution", QueryExecutionId=identity)["QueryExecution"]["Status"]["State"] == "RUNNING"
    assert "not yet finished" in athena.refused("GetQueryResults", QueryExecutionId=identity)
    athena.call("StopQueryExecution", QueryExecutionId=identity)
    status = athena.wait(identity).execution["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    athena.call("StopQueryExecution", QueryExecutionId=identity)
    assert athena.rows("SELECT 1") == [["1"]]


def test_queries_run_beside_one_another(athena):
    found = {}

    def one(number):
        found[number] = athena.rows(f"SELECT count(*) + {number} FROM UNNEST(sequence(1, 10000)) AS t (n)")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [[str(10000 + number)]] for number in range(16)}


def test_the_same_requests_give_the_same_answers():
    def story():
        athena = make_athena()
        try:
            made = athena.run("CREATE TABLE t AS SELECT CAST(uuid() AS varchar) AS u, random() AS r")
            return made.id, athena.rows('SELECT *, "$path" FROM t')
        finally:
            athena.sandbox.close()

    assert story() == story()


# --- parameters and prepared statements


def test_execution_parameters(athena):
    sql = "SELECT n FROM (VALUES (1, 'a?'), (2, 'b')) AS t (n, s) WHERE s = ? AND n < ? AND s <> '?'"
    assert athena.rows(sql, ExecutionParameters=["'a?'", "5"]) == [["1"]]
    wrong = "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 2 but found 1"
    assert athena.error(sql, ExecutionParameters=["1"]) == wrong


def test_prepare_and_execute(athena):
    athena.lines("PREPARE p FROM SELECT ? + ?")
    assert athena.rows("EXECUTE p USING 1, (2 + 3)") == [["6"]]
    assert athena.rows("EXECUTE p", ExecutionParameters=["4", "5"]) == [["9"]]
    assert athena.call("ListPreparedStatements", WorkGroup="primary")["PreparedStatements"][0]["StatementName"] == "p"
    athena.lines("DEALLOCATE PREPARE p")
    assert athena.error("EXECUTE p USING 1, 2") == "NOT_FOUND: PreparedStatement p was not found in workGroup primary"


def test_prepared_statements_of_the_api(athena):
    given = {"StatementName": "query", "WorkGroup": "primary", "QueryStatement": "SELECT ?"}
    athena.call("CreatePreparedStatement", **given)
    assert "already exists" in athena.refused("CreatePreparedStatement", **given)
    assert athena.rows("EXECUTE query USING 'x'") == [["x"]]
    athena.call("UpdatePreparedStatement", **{**given, "QueryStatement": "SELECT ? || '!'"})
    assert athena.rows("EXECUTE query USING 'x'") == [["x!"]]
    names = ["query", "z"]
    batch = athena.call("BatchGetPreparedStatement", WorkGroup="primary", PreparedStatementNames=names)
    assert [each["StatementName"] for each in batch["PreparedStatements"]] == ["query"]
    athena.call("DeletePreparedStatement", StatementName="query", WorkGroup="primary")
    gone = athena.refused("GetPreparedStatement", StatementName="query", WorkGroup="primary")
    assert gone.startswith("ResourceNotFoundException")


def test_named_queries(athena):
    given = {"Name": "n", "Database": "default", "QueryString": "SELECT 1", "ClientRequestToken": "t" * 32}
    identity = athena.call("CreateNamedQuery", **given)["NamedQueryId"]
    assert athena.call("CreateNamedQuery", **given)["NamedQueryId"] == identity
    athena.call("UpdateNamedQuery", NamedQueryId=identity, Name="m", QueryString="SELECT 2")
    assert athena.call("GetNamedQuery", NamedQueryId=identity)["NamedQuery"] == {
        "NamedQueryId": identity, "Name": "m", "Description": "", "Database": "default", "QueryString": "SELECT 2",
        "WorkGroup": "primary",
    }  # fmt: skip
    assert athena.call("ListNamedQueries")["NamedQueryIds"] == [identity]
    batch = athena.call("BatchGetNamedQuery", NamedQueryIds=[identity, "x"])
    assert (len(batch["NamedQueries"]), len(batch["UnprocessedNamedQueryIds"])) == (1, 1)
    athena.call("DeleteNamedQuery", NamedQueryId=identity)
    assert "was not found" in athena.refused("GetNamedQuery", NamedQueryId=identity)


# --- work groups


def make_group(athena, name="team", **configuration):
    athena.call(
        "CreateWorkGroup",
        Name=name,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/team/"}, **configuration},
    )


def test_work_groups(athena):
    make_group(athena)
    assert [each["Name"] for each in athena.call("ListWorkGroups")["WorkGroups"]] == ["primary", "team"]
    group = athena.call("GetWorkGroup", WorkGroup="team")["WorkGroup"]
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    assert "already" in athena.refused("CreateWorkGroup", Name="team")
    done = athena.run("SELECT 1", WorkGroup="team")
    assert done.output == f"s3://{BUCKET}/team/{done.id}.csv"
    assert athena.refused("DeleteWorkGroup", WorkGroup="team") == "InvalidRequestException: WorkGroup is not empty"
    athena.call("DeleteWorkGroup", WorkGroup="team", RecursiveDeleteOption=True)
    assert "not found" in athena.refused("GetWorkGroup", WorkGroup="team")
    assert "not found" in athena.refused("StartQueryExecution", QueryString="SELECT 1", WorkGroup="team")


def test_settings_that_are_not_enforced_give_way(athena):
    make_group(athena, EnforceWorkGroupConfiguration=False)
    assert athena.run("SELECT 1", WorkGroup="team").output.startswith(f"s3://{BUCKET}/results/")
    athena.call("UpdateWorkGroup", WorkGroup="team", State="DISABLED")
    assert "disabled" in athena.refused("StartQueryExecution", QueryString="SELECT 1", WorkGroup="team")


def test_removing_a_work_groups_location(athena):
    make_group(athena)
    updates = {"ResultConfigurationUpdates": {"RemoveOutputLocation": True}, "BytesScannedCutoffPerQuery": 10_000_000}
    athena.call("UpdateWorkGroup", WorkGroup="team", ConfigurationUpdates=updates)
    configuration = athena.call("GetWorkGroup", WorkGroup="team")["WorkGroup"]["Configuration"]
    assert (configuration["ResultConfiguration"], configuration["BytesScannedCutoffPerQuery"]) == ({}, 10_000_000)


def test_a_query_over_the_limit_is_cancelled(athena):
    athena.numbers("t", "1\n" * 1000)
    make_group(athena, BytesScannedCutoffPerQuery=1000)
    done = athena.run("SELECT * FROM t", WorkGroup="team")
    assert (done.state, done.reason.startswith("Bytes scanned limit was exceeded")) == ("CANCELLED", True)


def test_results_are_reused(athena):
    reuse = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10}}}
    first = athena.run("SELECT 1")
    again = athena.run("SELECT 1", **reuse)
    assert again.execution["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}
    assert (again.output, again.rows) == (first.output, first.rows)
    athena.sandbox.clock.advance(601)
    assert athena.run("SELECT 1", **reuse).output != first.output


MANAGED = {"ManagedQueryResultsConfiguration": {"Enabled": True}}


def test_managed_results_are_in_no_bucket(athena):
    athena.call("CreateWorkGroup", Name="managed", Configuration=MANAGED)
    identity = athena.call("StartQueryExecution", QueryString="SELECT 1 AS a, NULL AS b", WorkGroup="managed")
    done = athena.wait(identity["QueryExecutionId"])
    assert done.rows == [["a", "b"], ["1", None]]
    assert "ResultConfiguration" not in done.execution
    assert done.execution["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert s3.list_objects(BUCKET, "") == []
    shown = athena.wait(
        athena.call("StartQueryExecution", QueryString="SHOW DATABASES", WorkGroup="managed")["QueryExecutionId"]
    )
    assert shown.rows == [["default"]]


def test_managed_results_have_no_location(athena):
    athena.call("CreateWorkGroup", Name="managed", Configuration=MANAGED)
    assert "An output location cannot be provided" in athena.refused(
        "StartQueryExecution", QueryString="SELECT 1", WorkGroup="managed", ResultConfiguration=OUTPUT
    )
    both = {**MANAGED, "ResultConfiguration": OUTPUT}
    assert "cannot both be set" in athena.refused("CreateWorkGroup", Name="both", Configuration=both)
    updates = {"ResultConfigurationUpdates": OUTPUT}
    assert "cannot both be set" in athena.refused(
        "UpdateWorkGroup", WorkGroup="managed", State="DISABLED", ConfigurationUpdates=updates
    )
    assert athena.call("GetWorkGroup", WorkGroup="managed")["WorkGroup"]["State"] == "ENABLED"
    table = athena.call("StartQueryExecution", QueryString="CREATE TABLE t AS SELECT 1 AS a", WorkGroup="managed")
    assert athena.wait(table["QueryExecutionId"]).reason.startswith("INVALID_TABLE_PROPERTY")
    updates["ManagedQueryResultsConfigurationUpdates"] = {"Enabled": False}
    athena.call("UpdateWorkGroup", WorkGroup="managed", ConfigurationUpdates=updates)
    assert athena.run("SELECT 1", WorkGroup="managed").output.startswith(OUTPUT["OutputLocation"])


# --- catalogs


def test_metadata(athena):
    athena.lines(
        "CREATE EXTERNAL TABLE t (a int COMMENT 'x') PARTITIONED BY (d date)"
        f" LOCATION 's3://{BUCKET}/t/' TBLPROPERTIES ('k'='v')"
    )
    where = {"CatalogName": "AwsDataCatalog", "DatabaseName": "default"}
    assert athena.call("ListDataCatalogs")["DataCatalogsSummary"] == [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]
    assert athena.call("ListDatabases", CatalogName="AwsDataCatalog")["DatabaseList"][0]["Name"] == "default"
    table = athena.call("GetTableMetadata", **where, TableName="t")["TableMetadata"]
    assert table["Columns"] == [{"Name": "a", "Type": "int", "Comment": "x"}]
    assert table["PartitionKeys"] == [{"Name": "d", "Type": "date"}]
    assert (table["Parameters"]["k"], table["Parameters"]["location"]) == ("v", f"s3://{BUCKET}/t/")
    assert len(athena.call("ListTableMetadata", **where, Expression="t.*")["TableMetadataList"]) == 1
    assert athena.call("ListTableMetadata", **where, Expression="x.*")["TableMetadataList"] == []
    assert athena.refused("GetTableMetadata", **where, TableName="x").startswith("MetadataException")
    assert athena.refused("GetDatabase", CatalogName="AwsDataCatalog", DatabaseName="x").startswith("MetadataException")
    assert athena.refused("ListDatabases", CatalogName="other").startswith("InvalidRequestException")


def test_regions_are_apart(athena):
    athena.lines(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{BUCKET}/t/'")
    identity = athena.call(
        "StartQueryExecution", region="us-east-1", QueryString="SELECT * FROM t", ResultConfiguration=OUTPUT
    )["QueryExecutionId"]
    elsewhere = athena.call("GetQueryExecution", region="us-east-1", QueryExecutionId=identity)["QueryExecution"]
    assert elsewhere["Status"]["StateChangeReason"].startswith("TABLE_NOT_FOUND")
    assert "not found" in athena.refused("GetQueryExecution", QueryExecutionId=identity)


def test_explain(athena):
    athena.lines(f"CREATE EXTERNAL TABLE t (a int, b int) LOCATION 's3://{BUCKET}/t/'")
    plan = athena.lines("EXPLAIN SELECT a AS x FROM t")
    assert plan[0] == "Query Plan"
    assert any("TableScan[table = awsdatacatalog:default:t]" in line for line in plan)
    assert athena.error("EXPLAIN ANALYZE SELECT 1").startswith("NOT_SUPPORTED")


def test_explain_validates_without_running(athena):
    athena.lines(f"CREATE EXTERNAL TABLE t (a int, b int) LOCATION 's3://{BUCKET}/t/'")
    done = athena.run("EXPLAIN (TYPE VALIDATE) SELECT a FROM t")
    assert (done.rows, [column["Name"] for column in done.columns], done.scanned) == ([["true"]], ["Valid"], 0)
    assert athena.error("EXPLAIN (TYPE VALIDATE) SELECT c FROM t").startswith("COLUMN_NOT_FOUND: line 1:32: Column 'c'")


def test_explain_as_json(athena):
    athena.lines(f"CREATE EXTERNAL TABLE t (a int, b int) LOCATION 's3://{BUCKET}/t/'")
    plan = json.loads("\n".join(athena.lines("EXPLAIN (FORMAT JSON, TYPE LOGICAL) SELECT a AS x FROM t")))
    assert (plan["name"], plan["outputs"]) == ("Output", [{"symbol": "x", "type": "integer"}])
    assert plan["children"][0]["descriptor"] == {"table": "awsdatacatalog:default:t"}
    assert plan["children"][0]["outputs"] == [{"symbol": "a", "type": "integer"}]
    fragments = json.loads("\n".join(athena.lines("EXPLAIN (format json) SELECT a AS x FROM t")))
    assert fragments == {"0": plan}
    read = json.loads("\n".join(athena.lines("EXPLAIN (TYPE IO) SELECT t.a FROM t JOIN t AS u ON t.a = u.b")))
    assert [each["table"]["schemaTable"] for each in read["inputTableColumnInfos"]] == [
        {"schema": "default", "table": "t"}
    ]


def test_explain_takes_no_other_options(athena):
    text = athena.lines("EXPLAIN (FORMAT TEXT, TYPE DISTRIBUTED) SELECT 1 AS x")
    assert text == athena.lines("EXPLAIN SELECT 1 AS x") == athena.lines("EXPLAIN (SELECT 1 AS x)")
    assert athena.error("EXPLAIN (FORMAT GRAPHVIZ) SELECT 1").startswith("NOT_SUPPORTED: EXPLAIN (FORMAT GRAPHVIZ)")
    assert "line 1:22: mismatched input 'FORMAT XML'" in athena.refused(
        "StartQueryExecution",
        QueryString="EXPLAIN (TYPE IO,    FORMAT XML) SELECT 1",
        ResultConfiguration=OUTPUT,
    )
    assert "mismatched input" in athena.refused(
        "StartQueryExecution", QueryString="EXPLAIN", ResultConfiguration=OUTPUT
    )


def test_tags(athena):
    athena.call("CreateWorkGroup", Name="team", Tags=[{"Key": "a", "Value": "b"}])
    arn = "arn:aws:athena:eu-west-1:123456789012:workgroup/team"
    athena.call("TagResource", ResourceARN=arn, Tags=[{"Key": "c", "Value": "d"}])
    athena.call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    assert athena.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    gone = "arn:aws:athena:eu-west-1:123456789012:workgroup/nope"
    with pytest.raises(
        ServiceError, match="Resource arn:aws:athena:eu-west-1:123456789012:workgroup/nope is not found"
    ):
        athena.call("TagResource", ResourceARN=gone, Tags=[{"Key": "c", "Value": "d"}])


def test_engine_versions(athena):
    found = athena.call("ListEngineVersions")["EngineVersions"]
    assert [each["SelectedEngineVersion"] for each in found] == ["AUTO", "Athena engine version 3"]


def test_a_catalog_that_is_not_there(athena):
    done = athena.run("SELECT 1", QueryExecutionContext={"Catalog": "nope", "Database": "x"})
    assert done.reason == "CATALOG_NOT_FOUND: line 1:1: Catalog 'nope' does not exist"


def test_a_mistake_of_the_sandbox_s_own_fails_its_query_alone(athena, monkeypatch):
    monkeypatch.setattr("labkit.sandbox.athena.work.csv_lines", lambda *given: 1 / 0)
    assert athena.error("SELECT 1") == "GENERIC_INTERNAL_ERROR: ZeroDivisionError: division by zero"
    monkeypatch.undo()
    assert athena.rows("SELECT 1") == [["1"]]
