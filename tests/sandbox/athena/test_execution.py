"""What GetQueryExecution says of a statement: its kind, its state, its times and bytes, and why it failed.

https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from datetime import timedelta

import pytest

from tests.sandbox.athena.conftest import BUCKET

TOKEN = "t" * 32
OUTPUT = {"OutputLocation": f"s3://{BUCKET}/results/"}


def refuse(athena, **params):
    return athena.refused("StartQueryExecution", **{"QueryString": "SELECT 1", "ResultConfiguration": OUTPUT, **params})


# --- what may be asked


LIMITS = [
    ({"QueryString": ""}, "'queryString' failed to satisfy constraint: Member must have length greater than"),
    ({"QueryString": "x" * 262145}, "'queryString' failed to satisfy constraint: Member must have length less than"),
    ({"ClientRequestToken": "t" * 31}, "'clientRequestToken' failed"),
    ({"ClientRequestToken": "t" * 129}, "'clientRequestToken' failed"),
    ({"WorkGroup": "a b"}, "'workGroup' failed"),
    ({"ExecutionParameters": []}, "'executionParameters' failed"),
    ({"QueryExecutionContext": {"Database": ""}}, "'queryExecutionContext.database' failed"),
    ({"ResultConfiguration": {**OUTPUT, "ExpectedBucketOwner": "me"}}, "expectedBucketOwner' failed"),
    (
        {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10081}}},
        "maxAgeInMinutes' failed",
    ),
]


@pytest.mark.parametrize(("params", "rule"), LIMITS, ids=[f"{next(iter(p))} {n}" for n, (p, _) in enumerate(LIMITS)])
def test_a_request_keeps_to_the_models_limits(athena, params, rule):
    refusal = refuse(athena, **params)
    assert refusal.startswith("InvalidRequestException: ")
    assert rule in refusal
    assert athena.call("ListQueryExecutions")["QueryExecutionIds"] == []


def test_a_longest_statement_runs(athena):
    sql = "SELECT 1 --"
    assert athena.rows(sql + "x" * (262144 - len(sql))) == [["1"]]


CHANGED = [
    {"QueryString": "SELECT 2"},
    {"WorkGroup": "primary"},
    {"QueryExecutionContext": {"Database": "default"}},
    {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/elsewhere/"}},
    {"ExecutionParameters": ["1"]},
    {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True}}},
]


@pytest.mark.parametrize("change", CHANGED, ids=[next(iter(change)) for change in CHANGED])
def test_a_token_with_a_changed_parameter_is_refused(athena, change):
    """ "An error is returned if a parameter, such as QueryString, has changed"."""
    athena.start("SELECT 1", ClientRequestToken=TOKEN)
    assert refuse(athena, ClientRequestToken=TOKEN, **change) == (
        "InvalidRequestException: Idempotent parameters do not match"
    )
    assert len(athena.call("ListQueryExecutions")["QueryExecutionIds"]) == 1


def test_a_token_gives_the_same_execution_once_it_is_over_too(athena):
    first = athena.run("SELECT 1", ClientRequestToken=TOKEN)
    athena.sandbox.clock.advance(3600)
    assert athena.start("SELECT 1", ClientRequestToken=TOKEN) == first.id


def test_a_statement_that_is_refused_uses_no_token(athena):
    assert refuse(athena, QueryString="SELEC 1", ClientRequestToken=TOKEN).startswith("InvalidRequestException")
    assert athena.start("SELECT 1", ClientRequestToken=TOKEN)


# --- which statement it was


def test_an_execution_says_where_and_how_it_ran(athena):
    context = {"Database": "default", "Catalog": "AwsDataCatalog"}
    settings = {**OUTPUT, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    execution = athena.run("SELECT 1", QueryExecutionContext=context, ResultConfiguration=settings).execution
    assert execution["QueryExecutionContext"] == {"Database": "default", "Catalog": "awsdatacatalog"}
    assert execution["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert execution["ResultReuseConfiguration"] == {"ResultReuseByAgeConfiguration": {"Enabled": False}}
    assert execution["EngineVersion"]["SelectedEngineVersion"] == "AUTO"


@pytest.mark.parametrize("location", [f"s3://{BUCKET}/a/b/", f"s3://{BUCKET}/a/b", f"s3://{BUCKET}/a/b//"])
def test_a_location_is_a_folder_with_its_slash_or_without(athena, location):
    done = athena.run("SELECT 1", ResultConfiguration={"OutputLocation": location})
    assert done.output == f"s3://{BUCKET}/a/b/{done.id}.csv"
    assert athena.get(done.output) == b'"_col0"\n"1"\n'


def test_a_bucket_alone_is_a_location(athena):
    done = athena.run("SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{BUCKET}"})
    assert done.output == f"s3://{BUCKET}/{done.id}.csv"


OUTPUTS = [
    ("SELECT 1", "{id}.csv"),
    ("EXPLAIN SELECT 1", "{id}.txt"),
    ("SHOW TABLES", "{id}.txt"),
    ("CREATE DATABASE logs", "{id}.txt"),
    ("CREATE TABLE made AS SELECT 1 AS a", "tables/{id}"),
    (f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/out/' WITH (format = 'JSON')", "{id}"),
]


@pytest.mark.parametrize(("sql", "name"), OUTPUTS, ids=[sql for sql, _ in OUTPUTS])
def test_names_of_outputs(athena, sql, name):
    """https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html"""
    done = athena.run(sql)
    assert done.output == f"s3://{BUCKET}/results/{name.replace('{id}', done.id)}"


# --- times and bytes


def test_times_add_up(athena):
    execution = athena.run("SELECT 1").execution
    statistics, status = execution["Statistics"], execution["Status"]
    engine = statistics["EngineExecutionTimeInMillis"]
    assert statistics["QueryPlanningTimeInMillis"] <= engine
    assert statistics["TotalExecutionTimeInMillis"] == (
        statistics["QueryQueueTimeInMillis"]
        + statistics["ServicePreProcessingTimeInMillis"]
        + engine
        + statistics["ServiceProcessingTimeInMillis"]
    )
    total = timedelta(milliseconds=statistics["TotalExecutionTimeInMillis"])
    assert status["CompletionDateTime"] - status["SubmissionDateTime"] == total


def test_a_query_of_more_bytes_takes_the_engine_longer(athena):
    for name, lines in (("few", 1), ("many", 1_000_000)):
        athena.numbers(name, "1\n" * lines)
    few, many = (athena.run(f"SELECT count(*) FROM {name}").execution["Statistics"] for name in ("few", "many"))
    assert (few["DataScannedInBytes"], many["DataScannedInBytes"]) == (2, 2_000_000)
    assert many["EngineExecutionTimeInMillis"] - few["EngineExecutionTimeInMillis"] == 10


NOTHING_SCANNED = [
    "SELECT 1",
    "SHOW TABLES",
    "EXPLAIN SELECT * FROM t",
    "CREATE VIEW v AS SELECT * FROM t",
    "DROP TABLE t",
]


@pytest.mark.parametrize("sql", NOTHING_SCANNED)
def test_ddl_and_queries_without_a_table_scan_nothing(athena, sql):
    """https://docs.aws.amazon.com/athena/latest/ug/ "You are not charged for DDL statements"."""
    athena.numbers("t", "1\n")
    assert athena.run(sql).scanned == 0


def test_runtime_statistics_are_those_of_the_execution(athena):
    athena.numbers("t", "1\n2\n3\n")
    done = athena.run("SELECT a FROM t WHERE a > 1")
    found = athena.call("GetQueryRuntimeStatistics", QueryExecutionId=done.id)["QueryRuntimeStatistics"]
    assert found["Rows"] == {"InputBytes": 6, "OutputBytes": len(athena.get(done.output)), "OutputRows": 2}
    statistics = done.execution["Statistics"]
    for key, value in found["Timeline"].items():
        assert statistics[key] == value


def test_runtime_statistics_of_an_execution_that_is_not_there(athena):
    assert athena.refused("GetQueryRuntimeStatistics", QueryExecutionId="nope") == (
        "InvalidRequestException: QueryExecution nope was not found"
    )


# --- failures: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html


FAILURES = [
    ("SELECT nope FROM (VALUES 1) AS t (a)", 2, 1006, "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
    ("SELECT * FROM nope", 2, 1301, "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nope' does not exist"),
    ("SELECT * FROM nope.t", 2, 1301, "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
    ("SELECT nope(1)", 2, 1303, "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
    ("SELECT 1 / x FROM (VALUES 0) AS t (x)", 2, 1001, "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT CAST('x' AS integer)", 2, 1001, "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT"),
    ("DROP TABLE nope", 2, 1003, "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("CREATE TABEL x (a int)", 2, 1006, "FAILED: ParseException line 1:7"),
    ("EXECUTE nope", 2, 1300, "NOT_FOUND: PreparedStatement nope was not found in workGroup primary"),
]


@pytest.mark.parametrize(("sql", "category", "kind", "reason"), FAILURES, ids=[case[0] for case in FAILURES])
def test_a_failure_says_why_and_of_which_kind(athena, sql, category, kind, reason):
    status = athena.run(sql).execution["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith(reason)
    assert status["AthenaError"] == {
        "ErrorCategory": category,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": status["StateChangeReason"],
    }


def test_a_success_has_no_reason_and_no_error(athena):
    status = athena.run("SELECT 1").execution["Status"]
    assert set(status) == {"State", "SubmissionDateTime", "CompletionDateTime"}


def test_a_failure_is_over_and_keeps_its_kind(athena):
    execution = athena.run("SELECT nope").execution
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert execution["Status"]["CompletionDateTime"] > execution["Status"]["SubmissionDateTime"]
    assert execution["Statistics"]["DataScannedInBytes"] == 0


def test_a_failed_query_leaves_no_result(athena):
    done = athena.run("SELECT 1 / x FROM (VALUES 0) AS t (x)")
    assert "Final query state: FAILED" in athena.refused("GetQueryResults", QueryExecutionId=done.id)
    assert athena.run("SELECT 1").output != done.output


# --- what was run before


def test_executions_of_a_group_are_its_own(athena):
    athena.call("CreateWorkGroup", Name="team", Configuration={"ResultConfiguration": OUTPUT})
    ours, theirs = athena.run("SELECT 1", WorkGroup="team").id, athena.run("SELECT 1").id
    assert athena.call("ListQueryExecutions", WorkGroup="team")["QueryExecutionIds"] == [ours]
    assert athena.call("ListQueryExecutions")["QueryExecutionIds"] == [theirs]
    assert athena.refused("ListQueryExecutions", WorkGroup="nope") == (
        "InvalidRequestException: WorkGroup is not found. WorkGroup name: nope"
    )


def test_a_batch_of_executions_is_in_the_order_asked_for(athena):
    ids = [athena.run(f"SELECT {number}").id for number in range(3)]
    batch = athena.call("BatchGetQueryExecution", QueryExecutionIds=[ids[2], "nope", ids[0]])
    assert [each["Query"] for each in batch["QueryExecutions"]] == ["SELECT 2", "SELECT 0"]
    assert batch["UnprocessedQueryExecutionIds"] == [
        {"QueryExecutionId": "nope", "ErrorCode": "INVALID_INPUT", "ErrorMessage": "QueryExecution nope was not found"}
    ]


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_has_between_1_and_50_executions(athena, count):
    refusal = athena.refused("BatchGetQueryExecution", QueryExecutionIds=["x"] * count)
    assert "at 'queryExecutionIds' failed" in refusal


@pytest.mark.parametrize("operation", ["GetQueryExecution", "StopQueryExecution", "GetQueryResults"])
def test_an_execution_that_is_not_there(athena, operation):
    assert athena.refused(operation, QueryExecutionId="nope") == (
        "InvalidRequestException: QueryExecution nope was not found"
    )


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT nope"])
def test_to_stop_what_is_over_changes_nothing(athena, sql):
    done = athena.run(sql)
    assert athena.call("StopQueryExecution", QueryExecutionId=done.id) == {}
    assert athena.wait(done.id).execution == done.execution


# --- results of before: https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html

REUSE = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}}


def is_reused(done):
    return done.execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]


def test_a_reused_result_scans_nothing_and_is_the_old_one(athena):
    athena.numbers("t", "1\n")
    first = athena.run("SELECT a FROM t")
    athena.put("t/x", "2\n")
    again = athena.run("SELECT a FROM t", **REUSE)
    assert (is_reused(again), again.scanned, again.rows) == (True, 0, first.rows)
    assert again.execution["ResultReuseConfiguration"] == REUSE["ResultReuseConfiguration"]
    assert athena.rows("SELECT a FROM t") == [["2"]]


OTHERS = [
    {"sql": "SELECT  1"},
    {"QueryExecutionContext": {"Database": "default"}},
    {"WorkGroup": "team"},
]


@pytest.mark.parametrize("other", OTHERS, ids=[next(iter(other)) for other in OTHERS])
def test_only_the_same_query_of_the_same_database_and_group_is_reused(athena, other):
    athena.call("CreateWorkGroup", Name="team", Configuration={"ResultConfiguration": OUTPUT})
    athena.run("SELECT 1")
    assert not is_reused(athena.run(**{"sql": "SELECT 1", **other, **REUSE}))


def test_another_parameter_is_another_query(athena):
    athena.run("SELECT ?", ExecutionParameters=["1"])
    assert not is_reused(athena.run("SELECT ?", ExecutionParameters=["2"], **REUSE))
    assert is_reused(athena.run("SELECT ?", ExecutionParameters=["1"], **REUSE))


@pytest.mark.parametrize(("minutes", "reused"), [(60, True), (61, False)])
def test_an_hour_is_the_age_of_a_result_that_is_reused_at_most(athena, minutes, reused):
    athena.run("SELECT 1")
    athena.sandbox.clock.advance(minutes * 60)
    reuse = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True}}}
    assert is_reused(athena.run("SELECT 1", **reuse)) is reused


def test_failures_and_ddl_are_not_reused(athena):
    athena.run("SELECT nope")
    assert athena.run("SELECT nope", **REUSE).state == "FAILED"
    athena.lines("SHOW TABLES")
    assert not is_reused(athena.run("SHOW TABLES", **REUSE))
