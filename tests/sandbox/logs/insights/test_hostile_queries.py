"""Queries that mean harm, or nothing at all: each gives an answer or a QueryError, and soon."""

import json
import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.parser import parse
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

INJECTIONS = [
    "'; DROP TABLE events.group_1; --",
    '"; DROP TABLE events.group_1; --',
    "' OR '1'='1",
    "\\'; SELECT 1; --",
    "') UNION SELECT 1, 2, 3 --",
    "'' || (SELECT current_setting('memory_limit')) || ''",
    "$$ SELECT 1 $$",
    "/* */ ; COPY events.group_1 TO 'stolen.csv'",
    "{0} {all} %s ? $1",
    "c1) FROM (SELECT 1",
    "read_csv('secrets.csv')",
    "é\u202e\U0001f600'",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_string_is_nothing_but_a_value(text):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert rows(f"fields {quoted} as a, strlen({quoted}) as n | filter a = {quoted}") == [
        {"a": text, "n": str(len(text))}
    ]
    assert rows(f"fields concat({quoted}, '') as a | filter a in [{quoted}] and a like {quoted}") == [{"a": text}]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_name_is_nothing_but_a_name(text):
    name = "`" + text.replace("`", "") + "`"
    plain = text.replace("`", "")
    assert rows(f"fields x as {name} | sort {name} | display {name}", [{"x": 1}]) == [{plain: "1"}]
    assert rows(f"stats count(*) as {name} by x | sort {name}", [{"x": 1}]) == [{"x": "1", plain: "1"}]
    assert rows(f"fields {name}", [{plain: "found"}]) == [{plain: "found"}]
    assert rows(f'parse @message "*" as {name} | display {name}', ["all"]) == [{plain: "all"}]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_message_and_a_pattern_are_nothing_but_text(text):
    assert rows("fields @message", [text]) == [{"@message": text}]
    literal = "".join(f"\\x{{{ord(character):x}}}" for character in text)
    assert rows(f"filter @message like /{literal}/ | display @message", [text, "x"]) == [{"@message": text}]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_format_a_time_zone_and_a_path_are_nothing_but_text(text):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for expression in (
        f"parseDate(x, {quoted})",
        f"parseDate(x, 'yyyy', {quoted})",
        f"formatDate(@timestamp, {quoted})",
        f"formatDate(@timestamp, '%Y', {quoted})",
    ):
        query = f"fields {expression} as a, 1 as n"
        with suppress(QueryError):
            assert rows(query)[0]["n"] == "1"
    assert rows(f"json field=m {quoted} as a | fields m.x", [{"m": {"x": 1}}]) == [{"m.x": "1"}]


@pytest.mark.parametrize("text", INJECTIONS)
def test_what_is_parsed_is_nothing_but_text(text):
    assert rows("parse csv as a, b | fields 1 as n", [text])[0]["n"] == "1"
    line = "k=" + json.dumps(text, ensure_ascii=False)
    assert rows("parse logfmt as a | display a.k", [line]) == [{"a.k": text}]


HUGE = [
    "fields " + "a+" * 4000 + "a",
    "fields " + ", ".join(f"a + {n}" for n in range(300)),
    "filter " + "a = 1 or " * 300 + "a = 1",
    "filter a in [" + ", ".join(map(str, range(1500))) + "]",
    "filter a in [" + ", ".join(f"'{n}'" for n in range(1000)) + "]",
    "fields " + "log(" * 90 + "a" + ")" * 90,
    "fields " + "isPublicIP(" * 80 + "a" + ")" * 80,
    "fields " + "not " * 2000 + "a",
    "fields " + "-" * 4000 + "a",
    *(f"fields {begin * 12}a{end * 12}" for begin, end in (("concat(1 + ", ")"), ("(1 / toupper(", "))"))),
    *(f"fields {begin * 12}a{end * 12}" for begin, end in (("dateceil(1 + ", ", 1mo)"), ("isValidIp(concat(", "))"))),
    *(
        f"fields {begin * depth}a{end * depth}"
        for depth in (8, 40)
        for begin, end in (
            ("jsonArraySize(", ")"),
            ("jsonArrayContains(split(", ", ','), 'b')"),
            ("formatDate(toMillis(", "), '%Y')"),
            ("parseDate(", ", 'yyyy')"),
            ("hexToDec(", ")"),
            ("decToHex(", ")"),
            ("toLong(jsonParse(", ").b)"),
        )
    ),
    "filter " + "a in (" * 90 + "a" + ")" * 90,
    "filter " + "'x' < (" * 40 + "a" + ")" * 40,
    "fields a" + " | limit 1" * 900,
    "fields a" + " | fields a + 1" * 90,
    "fields " + "if(a, " * 95 + "a" + ", a)" * 95,
    "fields " + "2^" * 3000 + "2",
    "stats " + ", ".join("max(a)" for _ in range(300)),
    "filter @message like /" + "(a*)*" * 200 + "b/",
    "filter @message like /((a{100}){100}){100}/",
    "filter @message like /" + "(" * 2000 + "a" + ")" * 2000 + "/",
    "x" * 10_000,
    "`" * 10_000,
    "(" * 10_000,
    "|" * 10_000,
    "'" + "\\'" * 4_999,
]


@pytest.mark.parametrize("query", HUGE, ids=lambda query: query[:40])
def test_a_huge_query_is_answered_or_refused(query):
    try:
        check(query)
    except QueryError:
        return
    assert len(answer(query, [{"a": 1}, "a" * 10_000]).rows) <= 2


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?!a)", r"(a)\\1", "(?<=a)b", "a{100000}", "[a", "(a", "a)", "*", r"\\p{Nope}"]
)
def test_a_regex_that_is_not_of_re2_is_refused_with_its_place(pattern):
    query = f"filter @message like /{pattern.replace(chr(92) * 2, chr(92))}/"
    with pytest.raises(QueryError) as caught:
        check(query)
    assert caught.value.span.start >= len("filter @message like ") or "unexpected symbol" in caught.value.message


WORDS = st.sampled_from(
    [
        *("fields", "filter", "stats", "sort", "limit", "parse", "display", "dedup", "unnest", "pattern", "diff"),
        *(
            "expand",
            "accum",
            "autoregress",
            "filldown",
            "fillmissing",
            "with",
            "for",
            "sessionize",
            "maxspan",
            "addtotals",
        ),
        *("countFrequent", "p=1-3", "col=true", "row=false", "SOURCE", "logGroups()", "any", "previousDay"),
        *("by", "as", "into", "and", "or", "not", "like", "in", "desc", "asc", "|", "|", "|", "|", ",", ",", "\n#"),
        *("(", ")", "[", "]", "=", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "^", "=~"),
        *("count(*)", "sum(", "avg(", "pct(", "earliest(", "bin(5m)", "datefloor(", "now(", "ispresent(", "jsonParse("),
        *("logfmt as", "csv as", "multi", "json field=", "parseDate(", "formatDate(", "jsonArraySize(", "hexToDec("),
        *("if(", "case(", "concat(", "strlen(", "isIpInSubnet(", '"10.0.0.0/8"', "@timestamp", "@message", "action"),
        *("srcAddr", "bytes", "a", "b", "a.b.0", "`x-y`", '"text"', "'it'", '"[*] *"', "/re(g)?ex/", "/(?<n>.)/"),
        *("1", "0", "2.5", "5m", "1mo"),
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join))
@settings(max_examples=150)
def test_words_of_the_language_in_any_order_compile_or_are_refused(query):
    _compile(query)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=150)
def test_any_text_compiles_or_is_refused(query):
    _compile(query)


def _compile(query):
    try:
        check(query)
    except QueryError as error:
        refused = error
    else:
        return
    assert refused.message
    assert 0 <= refused.span.start <= refused.span.end <= len(query)


FIELDS = st.sampled_from(["a", "b", "@timestamp", "@message", "missing", "5", "'7'", "'x'", "2.5"])
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "^", "=", "!=", "<", ">=", " and ", " or ", " like "])
CALLS = st.sampled_from(
    [
        *("abs", "ceil", "sqrt", "log", "strlen", "toupper", "trim", "isempty", "ispresent", "toMillis", "fromMillis"),
        *(
            "jsonParse",
            "jsonStringify",
            "isValidIp",
            "jsonArraySize",
            "hexToDec",
            "hexToAscii",
            "decToHex",
            "isNumeric",
        ),
    ]
)
AGGREGATES = st.sampled_from(
    ["avg", "count", "count_distinct", "earliest", "latest", "max", "min", "sum", "stddev", "sortsFirst", "values"]
)
EXPRESSIONS = st.recursive(
    FIELDS,
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({''.join(parts)})"),
        st.tuples(CALLS, inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        inner.map(lambda part: f"(not {part})"),
        inner.map(lambda part: f"if({part}, {part}, 'no')"),
        inner.map(lambda part: f"datefloor({part}, 5m)"),
        inner.map(lambda part: f"parseDate({part}, 'yyyy-MM-dd HH:mm:ss.SSS', 'Asia/Tokyo')"),
        inner.map(lambda part: f"formatDate({part}, '%Y-%m-%d %T', 'Asia/Tokyo')"),
        inner.map(lambda part: f"jsonArrayContains({part}, {part})"),
    ),
    max_leaves=6,
)
MESSAGES = [{"a": 3, "b": "x"}, {"a": "-", "b": None}, {"a": {"b": [1]}, "b": True}, "no json", ""]


@given(EXPRESSIONS)
@settings(max_examples=30)
def test_any_expression_has_a_value_for_any_event(expression):
    query = f"fields {expression} as e | filter e or not e | sort e desc | display e"
    assert len(answer(query, MESSAGES).rows) == len(MESSAGES)


@given(
    EXPRESSIONS,
    st.sampled_from(
        ["avg", "count", "count_distinct", "earliest", "latest", "max", "min", "sum", "stddev", "sortsFirst", "values"]
    ),
)
@settings(max_examples=30)
def test_any_expression_can_be_aggregated(expression, aggregate):
    assert len(answer(f"stats {aggregate}({expression}) as e by bin(1h)", MESSAGES).rows) == 1


COMMANDS = st.sampled_from(
    [
        *("fields a, b as c", "filter a = 3", "sort b desc", "limit 3", "dedup a", "display a, b", "accum a as total"),
        *(
            "autoregress a p=1-2",
            "filldown",
            "filldown a b",
            "addtotals",
            "addtotals col=true a",
            "expand a",
            "expand b",
        ),
        *(
            "stats count(*) as n, max(a) as a by b",
            "stats sum(n) as n by b",
            "stats count(*) as n by bin(1h)",
            "stats n",
        ),
        *("fillmissing with 0 for n", "sessionize b maxspan 1m", "countFrequent b", "pattern @message", "diff"),
        *("outlier a", "outlier action=remove uselower=true mark=true a b", "logcompare timeshift 1h"),
        *(
            "filter a in (fields a)",
            "appendcols (stats count(*) as n by b)",
            "stats topk(2, a)",
            "stats rate(a, 1m) as n",
        ),
        *("join left=l right=r where l.a=r.a (fields a, b)", "fields l.a, r.b", "relevantfields where a = 3"),
        *("parse @message /(?<w>[a-z])/ multi", "stats count(*) as n by bin(1h) offset 1d", "relevantfields a where b"),
        *(
            'parse @message "*x*" as y, z',
            "parse @message /(?<w>.)/",
            "unnest a into u",
            "parse logfmt as lf",
            "parse b csv as v, w",
            'json field=a "b.0" as first',
            "sort @sampleCount",
            "fields n",
        ),
    ]
)


@given(st.lists(COMMANDS, min_size=1, max_size=5).map(" | ".join))
@settings(max_examples=30)
def test_commands_in_any_order_run_or_are_refused(query):
    try:
        check(query)
    except QueryError:
        return
    assert answer(query, MESSAGES).records_scanned == len(MESSAGES)


@given(st.text(string.printable, max_size=40))
@settings(max_examples=30)
def test_any_message_can_be_asked_for_fields(message):
    query = "fields a.b.0, action, srcAddr, bytes + 1, jsonParse(@message) as j | display j.x, action"
    assert len(answer(query, [message]).rows) == 1
    assert parse(query)


def test_long_sums_and_deep_calls_run_or_are_refused_at_once():
    sums = "fields " + " + ".join(["@message", "jsonParse(w)"] * 60) + " as n"
    assert len(answer(sums, ["1"]).rows) == 1
    deep = "substr(" * 8 + "@message" + ", 1)" * 8
    assert dict(answer(f"fields {deep} as n", ["0123456789"]).rows[0])["n"] == "89"
    for number in (30, 90):
        deeper = "fields " + "substr(" * number + "@message" + ", a)" * number
        with pytest.raises(QueryError, match="nested too deeply"):
            check(deeper)
