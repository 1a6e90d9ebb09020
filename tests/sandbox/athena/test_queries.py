# ruff: noqa: E501 (tables of cases: a case a line)
"""Queries over values written out: clauses, joins, grouping, windows, and the errors of what can't be."""

import pytest

T = "(VALUES (1, 'a', 10), (2, 'b', 20), (3, 'a', 30)) AS t (n, k, v)"

QUERIES = [
    ("SELECT n FROM {T} WHERE k = 'a' ORDER BY n DESC", [["3"], ["1"]]),
    ("SELECT * FROM {T} ORDER BY 1 LIMIT 1", [["1", "a", "10"]]),
    ("SELECT N, t.K FROM {T} ORDER BY v OFFSET 1 ROWS FETCH FIRST 1 ROW ONLY", [["2", "b"]]),
    ("SELECT DISTINCT k FROM {T} ORDER BY k", [["a"], ["b"]]),
    ("SELECT n AS big FROM {T} ORDER BY BIG DESC LIMIT 1", [["3"]]),
    ("SELECT -n AS n FROM {T} ORDER BY n", [["-3"], ["-2"], ["-1"]]),
    ("SELECT n FROM {T} ORDER BY nullif(n, 1)", [["2"], ["3"], ["1"]]),
    ("SELECT n FROM {T} ORDER BY nullif(n, 1) DESC NULLS FIRST", [["1"], ["3"], ["2"]]),
    ("SELECT k, count(*) FROM {T} GROUP BY k ORDER BY t.k DESC", [["b", "1"], ["a", "2"]]),
    ("SELECT -n AS n FROM {T} ORDER BY t.n", [["-1"], ["-2"], ["-3"]]),
    ("SELECT t.n AS k FROM {T} ORDER BY t.k || '-', k DESC", [["3"], ["1"], ["2"]]),
    # grouping
    ("SELECT k, count(*), sum(v) FROM {T} GROUP BY k ORDER BY k", [["a", "2", "40"], ["b", "1", "20"]]),
    ("SELECT k, count(*) AS c FROM {T} GROUP BY 1 HAVING count(*) > 1", [["a", "2"]]),
    ("SELECT upper(k), max(v) FROM {T} GROUP BY upper(k) ORDER BY max(v)", [["B", "20"], ["A", "30"]]),
    ("SELECT sum(v) / count(*) FROM {T}", [["20"]]),
    ("SELECT k, grouping(k), count(*) FROM {T} GROUP BY ROLLUP (k) ORDER BY 2, 1", [["a", "0", "2"], ["b", "0", "1"], [None, "1", "3"]]),
    ("SELECT k, n % 2, count(*) FROM {T} GROUP BY GROUPING SETS ((k), (n % 2)) ORDER BY 1, 2", [["a", None, "2"], ["b", None, "1"], [None, "0", "1"], [None, "1", "2"]]),
    ("SELECT count(*) FILTER (WHERE v > 10), count_if(k = 'a'), sum(DISTINCT 1) FROM {T}", [["2", "2", "1"]]),
    ("SELECT count(DISTINCT k), approx_distinct(k), approx_percentile(v, 0.5) FROM {T}", [["2", "2", "20"]]),
    ("SELECT array_agg(n ORDER BY n DESC), max_by(n, v), min_by(k, v) FROM {T}", [["[3, 2, 1]", "3", "a"]]),
    ("SELECT listagg(k, '/') WITHIN GROUP (ORDER BY n) FROM {T}", [["a/b/a"]]),
    ("SELECT map_agg(n, k), histogram(k) FROM {T}", [["{1=a, 2=b, 3=a}", "{a=2, b=1}"]]),
    ("SELECT multimap_agg(k, n) FROM {T}", [["{a=[1, 3], b=[2]}"]]),
    ("SELECT avg(v), stddev(v), bool_and(v > 5), arbitrary(1) FROM {T}", [["20.0", "10.0", "true", "1"]]),
    ("SELECT count(*), sum(n) FROM {T} WHERE false", [["0", None]]),
    # windows
    ("SELECT n, row_number() OVER (ORDER BY v DESC) FROM {T} ORDER BY n", [["1", "3"], ["2", "2"], ["3", "1"]]),
    ("SELECT n, sum(v) OVER (PARTITION BY k ORDER BY n) FROM {T} ORDER BY n", [["1", "10"], ["2", "20"], ["3", "40"]]),
    ("SELECT lag(n) OVER w, lead(n, 1, 0) OVER w FROM {T} WINDOW w AS (ORDER BY n) ORDER BY n", [[None, "2"], ["1", "3"], ["2", "0"]]),
    ("SELECT sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {T} ORDER BY n", [["1"], ["3"], ["5"]]),
    ("SELECT k, sum(count(*)) OVER () FROM {T} GROUP BY k ORDER BY k", [["a", "3"], ["b", "3"]]),
    # joins and subqueries
    ("SELECT t.n, u.x FROM {T} JOIN (VALUES (1, 'one'), (9, 'nine')) AS u (n, x) ON t.n = u.n", [["1", "one"]]),
    ("SELECT t.n, u.x FROM {T} LEFT JOIN (VALUES (1, 'one')) AS u (n, x) ON t.n = u.n ORDER BY 1", [["1", "one"], ["2", None], ["3", None]]),
    ("SELECT n, x FROM {T} FULL JOIN (VALUES (1, 'one'), (9, 'nine')) AS u (n, x) USING (n) ORDER BY 1", [["1", "one"], ["2", None], ["3", None], ["9", "nine"]]),
    ("SELECT count(*) FROM {T} CROSS JOIN (VALUES 1, 2) AS u (x)", [["6"]]),
    ("SELECT n FROM {T} WHERE v > (SELECT avg(v) FROM {T})", [["3"]]),
    ("SELECT n FROM {T} WHERE EXISTS (SELECT 1 FROM (VALUES 2) AS u (x) WHERE u.x = t.n)", [["2"]]),
    ("SELECT n FROM {T} WHERE n NOT IN (SELECT x FROM (VALUES 1, 2) AS u (x))", [["3"]]),
    ("SELECT n, y FROM {T} CROSS JOIN LATERAL (SELECT t.n * 2 AS y) ORDER BY 1 LIMIT 1", [["1", "2"]]),
    ("SELECT n, x, i FROM {T} CROSS JOIN UNNEST(split(k || '-' || k, '-')) WITH ORDINALITY AS u (x, i) WHERE n = 1 ORDER BY i", [["1", "a", "1"], ["1", "a", "2"]]),
    ("SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['x']) AS u (a, b)", [["1", "x"], ["2", None]]),
    ("SELECT a, b FROM UNNEST(ARRAY[ROW(1, 'x')]) AS u (a, b)", [["1", "x"]]),
    ("SELECT k, v FROM UNNEST(MAP(ARRAY['a'], ARRAY[1])) AS u (k, v)", [["a", "1"]]),
    # set operations and WITH
    ("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1", [["1.0"], ["2.5"]]),
    ("SELECT n FROM {T} EXCEPT SELECT 2 ORDER BY n", [["1"], ["3"]]),
    ("SELECT n FROM {T} INTERSECT SELECT 2", [["2"]]),
    ("WITH a AS (SELECT n FROM {T} WHERE n > 1), b (m) AS (SELECT n * 2 FROM a) SELECT sum(m) FROM b", [["10"]]),
    ("WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 4) SELECT max(x) FROM c", [["4"]]),
    ("VALUES (1, 'x'), (2, NULL)", [["1", "x"], ["2", None]]),
    ("SELECT q FROM (SELECT ROW(1, ROW('x')) AS r) CROSS JOIN LATERAL (SELECT r[1] AS q)", [["1"]]),
    ("SELECT schema_name FROM information_schema.schemata", [["default"]]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), QUERIES, ids=[case[0] for case in QUERIES])
def test_query(shared_athena, sql, rows):
    assert shared_athena.rows(sql.replace("{T}", T)) == rows


NAMES = [
    ("SELECT 1", ["_col0"]),
    ("SELECT n, v + 1, k AS Label FROM {T}", ["n", "_col1", "Label"]),
    ("SELECT t.*, 1 AS n FROM {T}", ["n", "k", "v", "n"]),
    ('SELECT 1 AS "select"', ["select"]),
]


@pytest.mark.parametrize(("sql", "names"), NAMES)
def test_names_of_columns(shared_athena, sql, names):
    done = shared_athena.run(sql.replace("{T}", T))
    assert done.rows[0] == names


ERRORS = [
    ("SELECT x FROM {T}", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved or requester is not authorized to access requested resources"),
    ("SELECT n\nFROM {T}\nWHERE nope = 1", "COLUMN_NOT_FOUND: line 3:7: Column 'nope' cannot be resolved"),
    ("SELECT u.n FROM {T}", "COLUMN_NOT_FOUND: line 1:8: Column 'u.n' cannot be resolved"),
    ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nope' does not exist"),
    ("SELECT * FROM other.nope", "SCHEMA_NOT_FOUND: line 1:15: Schema 'other' does not exist"),
    ("SELECT * FROM elsewhere.default.nope", "CATALOG_NOT_FOUND: line 1:15: Catalog 'elsewhere' does not exist"),
    ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
    ("SELECT read_csv('/etc/hostname')", "FUNCTION_NOT_FOUND: line 1:8: Function 'read_csv' not registered"),
    ("SELECT lower(1)", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (integer) for function lower. Expected: lower(varchar(x))"),
    ("SELECT 1 = 'a'", "TYPE_MISMATCH: line 1:10: Cannot apply operator: integer = varchar(1)"),
    ("SELECT DATE '2026-01-01' < '2026-02-01'", "TYPE_MISMATCH: line 1:26: Cannot apply operator: date < varchar(10)"),
    ("SELECT n + 'a' FROM {T}", "TYPE_MISMATCH: line 1:10: Cannot apply operator: integer + varchar(1)"),
    ("SELECT 1 IN ('a')", "TYPE_MISMATCH: line 1:14: IN value and list items must be the same type"),
    ("SELECT 1 WHERE 2", "TYPE_MISMATCH: line 1:16: WHERE clause must evaluate to a boolean: actual type integer"),
    ("SELECT NOT 1", "TYPE_MISMATCH: line 1:12: Value of logical NOT expression must evaluate to a boolean"),
    ("SELECT CAST(ARRAY[1] AS integer)", "TYPE_MISMATCH: line 1:8: Cannot cast array(integer) to integer"),
    ("SELECT CASE WHEN true THEN 1 ELSE 'a' END", "TYPE_MISMATCH: line 1:28: All CASE results must be the same type"),
    ("SELECT k, count(*) FROM {T}", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'k' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT n + v FROM {T} GROUP BY n", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'n + v' must be an aggregate"),
    ("SELECT * FROM {T} GROUP BY n", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'k' must be an aggregate"),
    ("SELECT k FROM {T} GROUP BY k HAVING n > 1", "EXPRESSION_NOT_AGGREGATE"),
    ("SELECT 1 FROM {T} WHERE count(*) > 1", "EXPRESSION_NOT_SCALAR: line 1:"),
    ("SELECT sum(sum(n)) FROM {T}", "NESTED_AGGREGATION: line 1:12"),
    ("SELECT row_number() FROM {T}", "MISSING_OVER: line 1:8: Window function row_number requires an OVER clause"),
    ("SELECT n FROM {T}, {T} ORDER BY 1", "AMBIGUOUS_NAME: line 1:8: Column 'n' is ambiguous"),
    ("SELECT n FROM {T} ORDER BY 2", "INVALID_COLUMN_REFERENCE: line 1:"),
    ("SELECT DISTINCT n FROM {T} ORDER BY v", "EXPRESSION_NOT_IN_DISTINCT: line 1:"),
    ("SELECT 1 UNION SELECT 'a'", "TYPE_MISMATCH: line 1:8: column 1 in UNION query has incompatible types: integer, varchar(1)"),
    ("SELECT 1, 2 UNION SELECT 1", "TYPE_MISMATCH: line 1:8: UNION query has different number of fields: 2, 1"),
    ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT n % (n - n) FROM {T}", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT CAST('4x' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast '4x' to INT"),
    ("SELECT CAST('-' AS IPADDRESS)", "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: -"),
    ("SELECT ARRAY[1][2]", "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 2 > 1"),
    ("SELECT MAP(ARRAY['a'], ARRAY[1])['b']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: b"),
    ("SELECT date_trunc('eon', now())", "INVALID_FUNCTION_ARGUMENT: 'eon' is not a valid TIMESTAMP field"),
    ("SELECT date_format(now(), '%D')", "INVALID_FUNCTION_ARGUMENT: %D not supported in date format string"),
    ("SELECT from_iso8601_timestamp('yesterday')", 'INVALID_FUNCTION_ARGUMENT: Invalid format: "yesterday"'),
    ("SELECT now() AT TIME ZONE 'Mars/Base'", "INVALID_FUNCTION_ARGUMENT: 'Mars/Base' is not a valid time zone"),
    ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("SELECT * FROM {T}, UNNEST(1) AS u (x)", "TYPE_MISMATCH: line 1:"),
    ("SELECT a.n FROM (SELECT 1 AS n) AS a JOIN (SELECT 1 AS n) AS b USING (m)", "COLUMN_NOT_FOUND: line 1:"),
    ("DELETE FROM nope", "NOT_SUPPORTED: DELETE"),
    ("SELECT st_point(1, 2)", "NOT_SUPPORTED: line 1:8: the function st_point"),
    ("SELECT from_iso8601_timestamp(x) FROM (VALUES '2026-01-01T00:00:00+02:00') AS t (x)", "NOT_SUPPORTED: a time zone in a column (2026-01-01T00:00:00+02:00)"),
    ("SELECT parse_datetime(x, 'dd/MMM/yyyy:HH:mm:ss Z') FROM (VALUES '02/Nov/2026:09:08:07 +0530') AS t (x)", "NOT_SUPPORTED: a time zone in a column"),
    ("SELECT json_extract('{}', '$..a')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$..a'"),
    ("SELECT regexp_replace('a', '(?<x>a)', '${y}')", "INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group {y}"),
    ("SELECT format('%s %s', 1)", "INVALID_FUNCTION_ARGUMENT: Invalid format string: %s %s"),
    ("SELECT format('%d', 1.5)", "INVALID_FUNCTION_ARGUMENT: Invalid format string: %d (decimal(2,1))"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "reason"), ERRORS, ids=[case[0] for case in ERRORS])
def test_error(shared_athena, sql, reason):
    assert shared_athena.error(sql.replace("{T}", T)).startswith(reason)


REFUSED_AT_ONCE = [
    ("selec 1", "line 1:1: mismatched input 'selec'. Expecting: 'ALTER'"),
    ("SELECT 1 +", "line 1:11: mismatched input '<EOF>'"),
    ("SELECT\n  count(*) FROM x WHERE", "line 2:24: mismatched input '<EOF>'"),
    ("SELECT (1", "line 1:10: mismatched input '<EOF>'"),
    ("SELECT", "line 1:7: mismatched input '<EOF>'"),
    ("SELECT FROM x", "line 1:8: mismatched input 'FROM'"),
    ("SELECT 1,, 2", "line 1:10: mismatched input ','"),
    ("SELECT count(*), FROM x", "line 1:18: mismatched input 'FROM'"),
    ("SELECT end FROM x", "line 1:8: mismatched input 'end'"),
    ("SELECT count(*) FROM x GROUP", "line 1:24: mismatched input 'GROUP'"),
    ("SELECT * FROM 'x'", "line 1:15: mismatched input 'x'. Expecting: <identifier>"),
    ("SELECT `a` FROM x", "line 1:8: backquoted identifiers are not supported; use double quotes to quote identifiers"),
    ("SELECT 'abc", "line 1:8: mismatched input '''"),
    ("CREATE VIEW v AS\nSELECT 1 +", "line 2:11: mismatched input '<EOF>'"),
    ("CREATE TABLE `c` AS SELECT 1 AS x", "line 1:14: backquoted identifiers are not supported"),
    ("INSERT INTO x SELECT 1 +", "line 1:25: mismatched input '<EOF>'"),
    ("USE default", "Queries of this type are not supported"),
    ("TRUNCATE TABLE x", "Queries of this type are not supported"),
    ("", "line 1:1: mismatched input '<EOF>'"),
    ("SELECT 1; SELECT 2", "Only one sql statement is allowed. Got: SELECT 1; SELECT 2"),
    ("SELECT a::integer FROM x", "line 1:9: mismatched input '::'"),
    ("PRAGMA database_list", "line 1:1: mismatched input 'PRAGMA'"),
    ("COPY x TO '/tmp/x'", "line 1:1: mismatched input 'COPY'"),
    ("ATTACH '/tmp/x.db'", "line 1:1: mismatched input 'ATTACH'"),
    ("SET memory_limit = '1TB'", "Queries of this type are not supported"),
    ("INSTALL httpfs", "line 1:1: mismatched input 'INSTALL'"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED_AT_ONCE)
def test_refused_at_once(shared_athena, sql, message):
    before = shared_athena.call("ListQueryExecutions")["QueryExecutionIds"]
    error = shared_athena.error(sql)
    if error.startswith("InvalidRequestException"):
        assert error.removeprefix("InvalidRequestException: ").startswith(message)
        assert shared_athena.call("ListQueryExecutions")["QueryExecutionIds"] == before
    else:
        assert message in error


def test_athena_error_says_whose_fault_it_is(shared_athena):
    status = shared_athena.run("SELECT x FROM (VALUES 1) AS t (y)").execution["Status"]
    assert status["AthenaError"]["ErrorCategory"] == 2
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    assert status["AthenaError"]["Retryable"] is False


FAILURES = [
    # https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
    ("SELECT x FROM (VALUES 1) AS t (y)", 2, 1006),
    ("SELECT '1' = 1", 2, 1006),
    ("SELECT row_number()", 2, 1006),
    ("SELECT * FROM nowhere", 2, 1301),
    ("SELECT * FROM nowhere.t", 2, 1301),
    ("SELECT nonsense(1)", 2, 1303),
    ("SELECT checksum(1)", 2, 1200),
    ("DELETE FROM t", 2, 1200),
    ("SELECT split_part('a', ',', 0)", 2, 1106),
    ("SELECT CAST('x' AS integer)", 2, 1001),
    ("SELECT 1 / 0", 2, 1001),
    ("DROP TABLE nowhere", 2, 1003),
    ("CREATE DATABASE default", 2, 1003),
    ("CREATE EXTERNAL TABLE", 2, 1006),
]


@pytest.mark.parametrize(("sql", "category", "kind"), FAILURES)
def test_the_numbers_of_errors(shared_athena, sql, category, kind):
    status = shared_athena.run(sql).execution["Status"]
    assert status["AthenaError"] == {
        "ErrorCategory": category,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": status["StateChangeReason"],
    }


def test_a_missing_output_bucket_has_a_number_of_its_own(shared_athena):
    done = shared_athena.run("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket-here/"})
    assert done.execution["Status"]["AthenaError"]["ErrorType"] == 1306


@pytest.mark.parametrize(
    "text", ["a\nb", 'say "x", then', "tab\there", "nul\0l", "😀", "שלום", "it's", "\\N", "NULL", "a,b"]
)
def test_any_text_comes_back_as_it_was(shared_athena, text):
    written = text.replace("'", "''")
    assert shared_athena.rows(f"SELECT '{written}', NULL, ''") == [[text, None, ""]]


FILES = ["SELECT * FROM read_csv('{f}')", "SELECT * FROM '{f}'", "SELECT * FROM \"{f}\"", "SELECT getenv('HOME')",
         "SELECT * FROM duckdb_settings()", "SELECT * FROM pragma_table_info('x')", "SELECT * FROM glob('/*')",
         "SELECT * FROM sqlite_master", "SELECT * FROM copy_1", "SELECT * FROM temp.x"]  # fmt: skip


@pytest.mark.parametrize("sql", FILES)
def test_no_query_sees_the_machine(shared_athena, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret\n")
    assert shared_athena.error(sql.replace("{f}", str(secret)))


def test_the_engine_itself_is_locked(shared_athena, tmp_path):
    """What the compiler lets by, DuckDB stops."""
    cursor = shared_athena.sandbox.athena.runner.engine.cursor()
    (tmp_path / "x.csv").write_text("a\n1\n")
    for sql in (f"SELECT * FROM '{tmp_path}/x.csv'", f"COPY (SELECT 1) TO '{tmp_path}/y.csv'", "SET memory_limit='9GB'",
                "INSTALL httpfs", f"ATTACH '{tmp_path}/z.db'", "SET enable_external_access=true"):  # fmt: skip
        with pytest.raises(Exception, match=r"disabled|locked|Permission|Cannot"):
            cursor.execute(sql)
    assert not (tmp_path / "y.csv").exists()
