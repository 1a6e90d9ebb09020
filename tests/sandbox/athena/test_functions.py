# ruff: noqa: E501 (tables of cases: a case a line)
"""The table of functions: every line of it is one that DuckDB takes."""

import pytest

from labkit.sandbox.athena.dialect.calls import SPECIAL
from labkit.sandbox.athena.dialect.functions import best_match, not_here, signatures
from labkit.sandbox.athena.types import DATE, INTEGER, TIMESTAMP_TZ, VARCHAR, array, decimal, varchar

SAMPLES = {
    "T": "1", "text": "'1'", "K": "'k'", "V": "2", "U": "3", "R": "4", "number": "1", "integral": "1", "decimal": "1.5",
    "local": "TIMESTAMP '2026-11-02 09:00:00'", "bigint": "1", "integer": "1", "double": "0.5e0", "real": "CAST(0.5 AS real)",
    "varchar": "'1'", "varbinary": "X'31'", "boolean": "true", "date": "DATE '2026-11-02'",
    "timestamp": "TIMESTAMP '2026-11-02 09:00:00'", "timestamp with time zone": "now()", "time": "TIME '09:00:00'",
    "json": "JSON '[1]'", "ipaddress": "IPADDRESS '10.0.0.1'", "ipprefix": "IPPREFIX '10.0.0.0/8'", "uuid": "uuid()",
    "interval day to second": "INTERVAL '1' DAY", "interval year to month": "INTERVAL '1' MONTH",
}  # fmt: skip
OF_THEIR_OWN = {
    "json_extract": "json_extract('[1]', '$[0]')",
    "json_extract_scalar": "json_extract_scalar('[1]', '$[0]')",
    "json_size": "json_size('[1]', '$')",
    "from_iso8601_date": "from_iso8601_date('2026-11-02')",
    "from_iso8601_timestamp": "from_iso8601_timestamp('2026-11-02')",
    "from_iso8601_timestamp_nanos": "from_iso8601_timestamp_nanos('2026-11-02')",
    "from_base": "from_base('1', 16)",
    "to_base": "to_base(7, 2)",
    "from_base32": "from_base32('ME======')",
    "from_ieee754_32": "from_ieee754_32(X'3F800000')",
    "from_ieee754_64": "from_ieee754_64(X'3FF0000000000000')",
    "width_bucket": "width_bucket(1, 0, 10, 5)",
    "bit_count": "bit_count(1, 8)",
    "parse_data_size": "parse_data_size('1kB')",
    "wilson_interval_lower": "wilson_interval_lower(1, 2, 1e0)",
    "wilson_interval_upper": "wilson_interval_upper(1, 2, 1e0)",
    "split_to_multimap": "split_to_multimap('a=1', ',', '=')",
    "from_base64": "from_base64('YQ==')",
    "from_base64url": "from_base64url('YQ==')",
    "from_big_endian_32": "from_big_endian_32(X'00000001')",
    "from_big_endian_64": "from_big_endian_64(X'0000000000000001')",
    "parse_duration": "parse_duration('1m')",
    "from_hex": "from_hex('31')",
    "date": "date('2026-11-02')",
    "contains": "contains('10.0.0.0/8', IPADDRESS '10.0.0.1')",
    "map_from_entries": "map_from_entries(ARRAY[ROW('a', 1)])",
    "split_to_map": "split_to_map('a=1', ',', '=')",
    "regexp_extract": "regexp_extract('1', '(1)', 1)",
    "regexp_extract_all": "regexp_extract_all('1', '(1)', 1)",
    "array_average": "array_average(ARRAY[1e0])",
    "random": "random(1, 2)",
    "from_unixtime": "from_unixtime(0, 'Europe/Paris')",
    "at_timezone": "at_timezone(now(), 'Europe/Paris')",
    "with_timezone": "with_timezone(TIMESTAMP '2026-11-02 09:00:00', 'Europe/Paris')",
    "date_add": "date_add('day', 1, DATE '2026-11-02')",
    "date_diff": "date_diff('day', DATE '2026-11-02', DATE '2026-11-03')",
    "date_trunc": "date_trunc('hour', TIME '09:30:00')",
    "normalize": "normalize('a', NFC)",
    "array_sort": "array_sort(ARRAY[2, 1], (x, y) -> x - y)",
    "ip_prefix": "ip_prefix('10.0.0.1', 8)",
}


def sample(kind) -> str:
    if kind.name == "array":
        return f"ARRAY[{sample(kind.items[0])}]"
    if kind.name == "map":
        return f"MAP(ARRAY[{sample(kind.items[0])}], ARRAY[{sample(kind.items[1])}])"
    if kind.name == "row":
        return f"ROW({', '.join(map(sample, kind.items))})"
    if kind.name == "function":
        *given, result = kind.items
        names = [f"x{number}" for number in range(len(given))]
        return f"({', '.join(names)}) -> {'true' if result.name == 'boolean' else names[0]}"
    return SAMPLES[kind.name]


def written(signature) -> str:
    if signature.name in OF_THEIR_OWN:
        return OF_THEIR_OWN[signature.name]
    over = " OVER (ORDER BY 1)" if signature.kind == "window" else ""
    arguments = [sample(kind) for kind in signature.parameters]
    return f"{signature.name}({', '.join(arguments)}){over}"


ALL = [each for forms in signatures().values() for each in forms]


@pytest.mark.parametrize("signature", ALL, ids=written)
def test_every_function_runs(shared_athena, signature):
    done = shared_athena.run(f"SELECT {written(signature)} AS x")
    assert done.state == "SUCCEEDED", done.reason


MATCHES = [
    ("sum", [INTEGER], "bigint"),
    ("sum", [decimal(5, 2)], "decimal(38,2)"),
    ("avg", [INTEGER], "double"),
    ("contains", [array(VARCHAR), varchar(3)], "boolean"),
    ("hour", [TIMESTAMP_TZ], "bigint"),
    ("array_sort", [array(INTEGER)], "array(integer)"),
    ("max", [VARCHAR, INTEGER], "array(varchar)"),
]


@pytest.mark.parametrize(("name", "given", "result"), MATCHES)
def test_the_form_that_a_call_means(name, given, result):
    assert str(best_match(name, given).result) == result


def test_functions_that_are_missing_are_not_there():
    assert not not_here() & signatures().keys()
    assert {"st_distance", "word_stem"} <= not_here()


SYNTAX = {"coalesce", "current_time", "current_timestamp", "grouping", "if", "localtime", "localtimestamp", "nullif",
          "row", "try"}  # fmt: skip


def test_every_function_is_listed(shared_athena):
    listed = {line.split("\t")[0] for line in shared_athena.lines("SHOW FUNCTIONS")}
    assert SPECIAL.keys() - listed == SYNTAX
    assert not SYNTAX & listed


def test_functions_are_listed_with_each_type_that_they_take(shared_athena):
    assert shared_athena.lines("SHOW FUNCTIONS LIKE 'bitwise_left_shift'") == [
        f"bitwise_left_shift\t{kind}\t{kind}, bigint\tscalar" for kind in ("tinyint", "smallint", "integer", "bigint")
    ]
    assert shared_athena.lines("SHOW FUNCTIONS LIKE 'bool_and'") == ["bool_and\tboolean\tboolean\taggregate"]


def test_a_call_that_no_form_fits():
    assert best_match("lower", [INTEGER]) is None
    assert best_match("hour", [VARCHAR]) is None
    assert best_match("sum", [DATE]) is None
