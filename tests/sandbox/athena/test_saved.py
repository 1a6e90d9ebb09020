"""Named queries and prepared statements, as the API reference and
https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html have them."""

import pytest

from tests.sandbox.athena.conftest import BUCKET

TOKEN = "t" * 32


def make_query(athena, name="rejects", **more):
    given = {"Name": name, "Database": "default", "QueryString": "SELECT 1", **more}
    return athena.call("CreateNamedQuery", **given)["NamedQueryId"]


def make_group(athena, name="team"):
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/{name}/"}}
    athena.call("CreateWorkGroup", Name=name, Configuration=configuration)


def prepare(athena, name="by_port", statement="SELECT ?", group="primary", **more):
    athena.call("CreatePreparedStatement", StatementName=name, QueryStatement=statement, WorkGroup=group, **more)


# --- named queries


def test_a_named_query_keeps_what_it_was_given(athena):
    identity = make_query(athena, Description="who was turned away", Database="logs")
    assert athena.call("GetNamedQuery", NamedQueryId=identity)["NamedQuery"] == {
        "NamedQueryId": identity,
        "Name": "rejects",
        "Description": "who was turned away",
        "Database": "logs",
        "QueryString": "SELECT 1",
        "WorkGroup": "primary",
    }


def test_two_named_queries_may_have_one_name(athena):
    ids = {make_query(athena), make_query(athena)}
    assert set(athena.call("ListNamedQueries")["NamedQueryIds"]) == ids
    assert len(ids) == 2


def test_a_token_makes_one_named_query(athena):
    first = make_query(athena, ClientRequestToken=TOKEN)
    assert make_query(athena, ClientRequestToken=TOKEN) == first
    assert athena.call("ListNamedQueries")["NamedQueryIds"] == [first]


def test_a_token_with_another_query_is_refused(athena):
    make_query(athena, ClientRequestToken=TOKEN)
    given = {"Name": "rejects", "Database": "default", "QueryString": "SELECT 2", "ClientRequestToken": TOKEN}
    assert athena.refused("CreateNamedQuery", **given) == (
        "InvalidRequestException: Idempotent parameters do not match"
    )


def test_a_token_of_an_execution_is_none_of_a_named_query(athena):
    execution = athena.start("SELECT 1", ClientRequestToken=TOKEN)
    assert make_query(athena, ClientRequestToken=TOKEN) != execution


QUERY_LIMITS = [
    ({"Name": ""}, "length greater than or equal to 1"),
    ({"Name": "x" * 129}, "length less than or equal to 128"),
    ({"Database": "x" * 256}, "length less than or equal to 255"),
    ({"QueryString": ""}, "length greater than or equal to 1"),
    ({"QueryString": "x" * 262145}, "length less than or equal to 262144"),
    ({"Description": ""}, "length greater than or equal to 1"),
    ({"ClientRequestToken": "short"}, "length greater than or equal to 32"),
]


@pytest.mark.parametrize(("wrong", "rule"), QUERY_LIMITS, ids=[f"{next(iter(w))} {r[7:]}" for w, r in QUERY_LIMITS])
def test_a_named_query_keeps_to_the_models_limits(athena, wrong, rule):
    given = {"Name": "n", "Database": "default", "QueryString": "SELECT 1", **wrong}
    refusal = athena.refused("CreateNamedQuery", **given)
    assert refusal.startswith("InvalidRequestException: ")
    assert rule in refusal
    assert athena.call("ListNamedQueries")["NamedQueryIds"] == []


def test_named_queries_are_listed_by_work_group_in_pages(athena):
    make_group(athena)
    ours = [make_query(athena, f"q{number}", WorkGroup="team") for number in range(3)]
    make_query(athena, "elsewhere")
    first = athena.call("ListNamedQueries", WorkGroup="team", MaxResults=2)
    rest = athena.call("ListNamedQueries", WorkGroup="team", MaxResults=2, NextToken=first["NextToken"])
    assert sorted([*first["NamedQueryIds"], *rest["NamedQueryIds"]]) == sorted(ours)
    assert (len(first["NamedQueryIds"]), "NextToken" in rest) == (2, False)


def test_a_named_query_of_a_group_that_is_not_there(athena):
    for operation, more in (
        ("CreateNamedQuery", {"Name": "n", "Database": "d", "QueryString": "SELECT 1"}),
        ("ListNamedQueries", {}),
    ):
        assert athena.refused(operation, WorkGroup="nope", **more) == (
            "InvalidRequestException: WorkGroup is not found. WorkGroup name: nope"
        )


def test_an_update_changes_name_text_and_description_alone(athena):
    identity = make_query(athena, Description="old")
    athena.call("UpdateNamedQuery", NamedQueryId=identity, Name="new", QueryString="SELECT 2", Description="")
    query = athena.call("GetNamedQuery", NamedQueryId=identity)["NamedQuery"]
    assert (query["Name"], query["QueryString"], query["Description"]) == ("new", "SELECT 2", "")
    assert (query["Database"], query["WorkGroup"]) == ("default", "primary")


@pytest.mark.parametrize("operation", ["GetNamedQuery", "DeleteNamedQuery", "UpdateNamedQuery"])
def test_a_named_query_that_is_not_there(athena, operation):
    more = {"Name": "n", "QueryString": "SELECT 1"} if operation == "UpdateNamedQuery" else {}
    assert athena.refused(operation, NamedQueryId="nope", **more) == (
        "InvalidRequestException: NamedQuery nope was not found"
    )


def test_a_batch_has_what_is_there_and_says_what_is_not(athena):
    one, other = make_query(athena, "one"), make_query(athena, "other")
    batch = athena.call("BatchGetNamedQuery", NamedQueryIds=[other, "nope", one])
    assert [each["Name"] for each in batch["NamedQueries"]] == ["other", "one"]
    assert batch["UnprocessedNamedQueryIds"] == [
        {"NamedQueryId": "nope", "ErrorCode": "INVALID_INPUT", "ErrorMessage": "NamedQuery nope was not found"}
    ]


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_has_between_1_and_50_ids(athena, count):
    assert "at 'namedQueryIds' failed" in athena.refused("BatchGetNamedQuery", NamedQueryIds=["x"] * count)


# --- prepared statements of the API


def test_a_prepared_statement_keeps_what_it_was_given(athena):
    prepare(athena, statement="SELECT * FROM t WHERE x = ?", Description="by x")
    given = {"StatementName": "by_port", "WorkGroup": "primary"}
    statement = athena.call("GetPreparedStatement", **given)["PreparedStatement"]
    assert statement == {
        "StatementName": "by_port",
        "QueryStatement": "SELECT * FROM t WHERE x = ?",
        "WorkGroupName": "primary",
        "Description": "by x",
        "LastModifiedTime": athena.sandbox.clock.now(),
    }


@pytest.mark.parametrize("name", ["ab", "_a", "a1@b:c", "x" * 256])
def test_names_of_prepared_statements(athena, name):
    prepare(athena, name)
    found = athena.call("ListPreparedStatements", WorkGroup="primary")["PreparedStatements"]
    assert [each["StatementName"] for each in found] == [name]


@pytest.mark.parametrize("name", ["1a", "a-b", "a b", "x" * 258])
def test_another_name_of_a_prepared_statement_is_refused(athena, name):
    refusal = athena.refused(
        "CreatePreparedStatement", StatementName=name, QueryStatement="SELECT 1", WorkGroup="primary"
    )
    assert "at 'statementName' failed to satisfy constraint" in refusal


def test_a_name_is_of_one_statement_in_a_group_and_of_others_elsewhere(athena):
    """ "Prepared statement names must be unique within the workgroup"."""
    make_group(athena)
    prepare(athena, statement="SELECT 'primary'")
    prepare(athena, statement="SELECT 'team'", group="team")
    assert athena.refused(
        "CreatePreparedStatement", StatementName="by_port", QueryStatement="SELECT 1", WorkGroup="team"
    ) == ("InvalidRequestException: Prepared statement already exists")
    assert athena.rows("EXECUTE by_port") == [["primary"]]
    assert athena.rows("EXECUTE by_port", WorkGroup="team") == [["team"]]


def test_a_statement_runs_in_its_own_group_alone(athena):
    make_group(athena)
    prepare(athena, "ours", group="team")
    reason = "NOT_FOUND: PreparedStatement ours was not found in workGroup primary"
    assert athena.error("EXECUTE ours USING 1") == reason


def test_an_update_replaces_a_statement_and_says_when(athena):
    prepare(athena, Description="old")
    athena.sandbox.clock.advance(60)
    given = {"StatementName": "by_port", "WorkGroup": "primary"}
    athena.call("UpdatePreparedStatement", **given, QueryStatement="SELECT ? + 1")
    statement = athena.call("GetPreparedStatement", **given)["PreparedStatement"]
    assert (statement["QueryStatement"], statement["Description"]) == ("SELECT ? + 1", "")
    assert statement["LastModifiedTime"] == athena.sandbox.clock.now()


def test_statements_are_listed_by_name_in_pages(athena):
    for name in ("zz", "aa", "mm"):
        prepare(athena, name)
    first = athena.call("ListPreparedStatements", WorkGroup="primary", MaxResults=2)
    rest = athena.call("ListPreparedStatements", WorkGroup="primary", MaxResults=2, NextToken=first["NextToken"])
    listed = [each["StatementName"] for page in (first, rest) for each in page["PreparedStatements"]]
    assert listed == ["aa", "mm", "zz"]
    assert set(first["PreparedStatements"][0]) == {"StatementName", "LastModifiedTime"}


@pytest.mark.parametrize("operation", ["GetPreparedStatement", "DeletePreparedStatement", "UpdatePreparedStatement"])
def test_a_statement_that_is_not_there(athena, operation):
    more = {"QueryStatement": "SELECT 1"} if operation == "UpdatePreparedStatement" else {}
    refusal = athena.refused(operation, StatementName="nope", WorkGroup="primary", **more)
    assert refusal == "ResourceNotFoundException: PreparedStatement nope was not found"


def test_a_batch_of_statements_says_which_are_not_there(athena):
    prepare(athena)
    batch = athena.call("BatchGetPreparedStatement", WorkGroup="primary", PreparedStatementNames=["by_port", "nope"])
    assert [each["QueryStatement"] for each in batch["PreparedStatements"]] == ["SELECT ?"]
    (missing,) = batch["UnprocessedPreparedStatementNames"]
    assert (missing["StatementName"], missing["ErrorCode"]) == ("nope", "NOT_FOUND")


# --- PREPARE, EXECUTE and DEALLOCATE PREPARE


def test_prepare_replaces_a_statement_of_the_same_name(athena):
    athena.lines("PREPARE again FROM SELECT 1")
    athena.lines("PREPARE again FROM SELECT 2")
    assert athena.rows("EXECUTE again") == [["2"]]


def test_prepare_and_the_api_keep_statements_in_one_place(athena):
    athena.lines("PREPARE mine FROM\nSELECT ? AS port;")
    given = {"StatementName": "mine", "WorkGroup": "primary"}
    assert athena.call("GetPreparedStatement", **given)["PreparedStatement"]["QueryStatement"] == "SELECT ? AS port"
    athena.call("DeletePreparedStatement", **given)
    assert athena.error("EXECUTE mine USING 1").startswith("NOT_FOUND: PreparedStatement mine")


@pytest.mark.parametrize("sql", ["EXECUTE nope", "EXECUTE nope USING 1", "DEALLOCATE PREPARE nope"])
def test_a_statement_that_was_never_prepared(athena, sql):
    assert athena.error(sql) == "NOT_FOUND: PreparedStatement nope was not found in workGroup primary"


PARAMETERS = [
    ("'a, b', 2", [["a, b", "2"]]),
    ("concat('x', 'y'), ARRAY[1, 2][2]", [["xy", "2"]]),
    ("NULL, 1 + 1", [[None, "2"]]),
    ("'it''s', -1", [["it's", "-1"]]),
    ("'?', 3", [["?", "3"]]),
]


@pytest.mark.parametrize(("using", "rows"), PARAMETERS, ids=[using for using, _ in PARAMETERS])
def test_values_of_parameters(shared_athena, using, rows):
    shared_athena.lines("PREPARE two FROM SELECT ?, ?")
    assert shared_athena.rows(f"EXECUTE two USING {using}") == rows


@pytest.mark.parametrize(("using", "found"), [("1", 1), ("1, 2, 3", 3)])
def test_a_statement_needs_as_many_values_as_it_has_marks(shared_athena, using, found):
    shared_athena.lines("PREPARE two FROM SELECT ?, ?")
    assert shared_athena.error(f"EXECUTE two USING {using}") == (
        f"INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 2 but found {found}"
    )


def test_a_mark_in_quotes_is_text(athena):
    """ "Question mark parameters cannot be placed in double or single quotes"."""
    athena.lines("""PREPARE quoted FROM SELECT '?' AS "?", ? AS x -- ?""")
    done = athena.run("EXECUTE quoted USING 5")
    assert done.rows == [["?", "x"], ["?", "5"]]


def test_insert_create_table_as_and_unload_can_be_prepared(athena):
    athena.lines("CREATE TABLE cities AS SELECT 'Lyon' AS city, 'fr' AS country")
    athena.lines("PREPARE my_insert FROM INSERT INTO cities SELECT ?, country FROM cities WHERE country = ?")
    athena.run("EXECUTE my_insert USING 'Nice', 'fr'")
    assert athena.rows("SELECT city FROM cities ORDER BY 1") == [["Lyon"], ["Nice"]]
    athena.lines(
        f"PREPARE my_unload FROM UNLOAD (SELECT city FROM cities WHERE city < ?) TO 's3://{BUCKET}/out/'"
        " WITH (format='JSON')"
    )
    assert athena.run("EXECUTE my_unload USING 'M'").state == "SUCCEEDED"
    athena.lines("PREPARE my_table FROM CREATE TABLE one AS SELECT city FROM cities WHERE city = ?")
    athena.run("EXECUTE my_table USING 'Nice'")
    assert athena.rows("SELECT * FROM one") == [["Nice"]]


def test_an_execution_tells_of_the_statement_that_ran(athena):
    athena.lines("PREPARE one FROM SELECT ?")
    execution = athena.run("EXECUTE one USING 7").execution
    assert (execution["Query"], execution["StatementType"]) == ("EXECUTE one USING 7", "DML")
    given = athena.run("EXECUTE one", ExecutionParameters=["8"]).execution
    assert given["ExecutionParameters"] == ["8"]
