"""Which statement a text is, what is refused before there is a query, and where parameters go."""

import json
from pathlib import Path

import pytest

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements import classify

KINDS = json.loads(Path(__file__).with_name("kinds.json").read_text())
REFUSED = json.loads(Path(__file__).with_name("refused.json").read_text())


def named(case):
    return f"{case['page'].removesuffix('.html')}: {case['sql'][:40]}"


@pytest.mark.parametrize("case", KINDS, ids=named)
def test_statement_and_substatement_type(case):
    parsed = classify.read(case["sql"])
    assert (parsed.statement_type, parsed.substatement_type) == (case["type"], case["substatement"])


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_a_text_that_start_query_execution_refuses(case):
    with pytest.raises(classify.Malformed) as error:
        classify.read(case["sql"])
    assert str(error.value).startswith(case["message"])


@pytest.mark.parametrize("word", ["UPDATE", "DELETE", "MERGE", "OPTIMIZE", "VACUUM"])
def test_changes_of_rows_are_of_iceberg_tables_and_fail_by_name(word):
    with pytest.raises(QueryError, match=rf"^NOT_SUPPORTED: {word} \(of Iceberg tables\)"):
        classify.read(f"{word} t")


@pytest.mark.parametrize("sql", ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN INSERT INTO t SELECT 1", "EXPLAIN SHOW TABLES"])
def test_what_explain_can_not_do_here_is_said(sql):
    with pytest.raises(QueryError, match=f"NOT_SUPPORTED: EXPLAIN (of )?{sql.split()[1]}"):
        classify.read(sql)


def test_a_refusal_makes_no_execution(athena):
    refusal = athena.refused("StartQueryExecution", QueryString="SELEC 1")
    assert refusal.startswith("InvalidRequestException: ")
    assert athena.call("ListQueryExecutions")["QueryExecutionIds"] == []


UNLOADED = [
    ("WITH (format = 'PARQUET',compression = 'SNAPPY')", {"format": "PARQUET", "compression": "SNAPPY"}),
    ("with (FORMAT='TEXTFILE', field_delimiter = '''')", {"format": "TEXTFILE", "field_delimiter": "'"}),
    ("WITH (format = 'JSON', partitioned_by = ARRAY['a', 'b'])", {"format": "JSON", "partitioned_by": ["a", "b"]}),
    ("", {}),
    (";", {}),
]


@pytest.mark.parametrize(("options", "wanted"), UNLOADED, ids=[options for options, _ in UNLOADED])
def test_the_options_of_unload(options, wanted):
    parsed = classify.read(f"UNLOAD (SELECT a, (b) FROM t) TO 's3://bucket/out/' {options}")
    assert (parsed.location, parsed.options) == ("s3://bucket/out/", wanted)


PARAMETERS = [
    ("SELECT ?", ["1"], "SELECT 1"),
    ("SELECT ? + ?", ["1", "(2)"], "SELECT 1 + (2)"),
    ("SELECT '?', \"?\", ? -- ?", ["'a?'"], "SELECT '?', \"?\", 'a?' -- ?"),
    ("SELECT ?/* ? */", ["NULL"], "SELECT NULL/* ? */"),
    ("SELECT 1", [], "SELECT 1"),
]


@pytest.mark.parametrize(("text", "parameters", "wanted"), PARAMETERS, ids=[case[0] for case in PARAMETERS])
def test_marks_are_replaced_in_order_but_not_in_quotes_or_comments(text, parameters, wanted):
    assert classify.with_parameters(text, parameters) == wanted


@pytest.mark.parametrize(("text", "given"), [("SELECT ?", []), ("SELECT 1", ["1"]), ("SELECT ?, ?", ["1"])])
def test_there_are_as_many_parameters_as_marks(text, given):
    marks = text.count("?")
    with pytest.raises(QueryError, match=f"expected {marks} but found {len(given)}"):
        classify.with_parameters(text, given)


SPLIT = [
    ("1, 2", ["1", "2"]),
    ("'a, b', 'c'", ["'a, b'", "'c'"]),
    ("concat('x', 'y'), ARRAY[1, 2]", ["concat('x', 'y')", "ARRAY[1, 2]"]),
    ("  DATE '2026-11-02'  ", ["DATE '2026-11-02'"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "wanted"), SPLIT, ids=[text for text, _ in SPLIT])
def test_values_after_using_are_split_at_the_commas_between_them(text, wanted):
    assert classify.split_parameters(text) == wanted


def test_places_in_the_query_of_a_statement_are_those_of_the_whole_text():
    for text in ("CREATE VIEW v AS\n  SELECT nope(", "EXPLAIN\n  SELECT nope(", "INSERT INTO t\n  SELECT nope("):
        with pytest.raises(classify.Malformed, match=r"^line 2:15: "):
            classify.read(text)
