"""Whatever is written as a pattern or a message: only documented errors, and both ways to cut a message agree."""

import re
import string

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.filter_patterns import compile_pattern, parser, space_events
from labkit.sandbox.logs.filter_patterns.tree import Space
from labkit.sandbox.logs.store import EventStore

STORE = EventStore()
SETTINGS = settings(max_examples=50, suppress_health_check=list(HealthCheck))

PIECES = st.sampled_from(
    [
        '"',
        "'",
        "%",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "$.a",
        "$.a[*]",
        "$.*",
        "...",
        "=",
        "!=",
        ">=",
        "<",
        "&&",
        "||",
        "IS NULL",
        "NOT EXISTS",
        "?",
        "-",
        " ",
        "\\",
        ",",
        "*",
        "1e3",
        "-5",
        "ERROR",
        "name",
        ";--",
        "\n",
        "é",
        "\x00",
        "'); DROP",
    ]
)
PATTERNS = (
    st.lists(PIECES, max_size=12).map(" ".join) | st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)
)
MESSAGES = st.lists(
    st.text(max_size=30) | st.sampled_from(['{"a": 1}', '{"a": [1, null]}', "a b c", 'a "b c" [d]', "{", "[1]", ""]),
    max_size=5,
)


def run(sql: str, messages: list[str]) -> list[object]:
    rows = STORE.cursor().execute(
        f"SELECT {sql} FROM (SELECT unnest($1::VARCHAR[]) AS message, generate_subscripts($1::VARCHAR[], 1) AS number)"
        " ORDER BY number",
        [messages],
    )
    return [value for (value,) in rows.fetchall()]


@SETTINGS
@given(pattern=PATTERNS, messages=MESSAGES)
@example(pattern='[a, b="\'"]', messages=["x '"])
@example(pattern="{ $.['\\'] = 1 }", messages=["{}"])
@example(pattern='{ $.["a\\b"] = 1 }', messages=["{}"])
@example(pattern="%[[:alpha:]]%", messages=["a"])
def test_any_pattern_matches_or_is_refused(pattern: str, messages: list[str]) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ServiceError as error:
        assert error.code == "InvalidParameterException"  # noqa: PT017
        assert "at character " in error.detail  # noqa: PT017
        return
    matched = run(compiled.condition, messages)
    assert all(value in (True, False) for value in matched)
    chosen = [message for message, match in zip(messages, matched, strict=True) if match]
    for fields in run(compiled.fields, chosen):
        names = compiled.named(fields)  # type: ignore[arg-type]
        assert all(name.startswith("$") for name in names)


WORDS = st.text(alphabet="ab19.-*", min_size=1, max_size=3)
TESTS = st.one_of(
    st.just(""),
    st.builds("{}{}".format, st.sampled_from(["=", "!="]), WORDS),
    st.builds('{}"{}"'.format, st.sampled_from(["=", "!="]), WORDS),
    st.builds("{}{}".format, st.sampled_from([">", "<=", "=", "!="]), st.sampled_from(["1", "-1.5", "9e0", "01"])),
    st.builds("=%{}%".format, st.sampled_from(["^a", "b$", "1|9", "a.b"])),
)
FIELDS = st.lists(TESTS, min_size=1, max_size=4).flatmap(
    lambda tests: st.integers(-1, len(tests)).map(
        lambda place: [
            *[f"f{number}{test}" for number, test in enumerate(tests)][: max(place, 0)],
            *(["..."] if place >= 0 else []),
            *[f"f{number}{test}" for number, test in enumerate(tests)][max(place, 0) :],
        ]
    )
)
PLAIN = st.lists(
    st.sampled_from(["a", "b", "1", "9", "1.0", "01", "-1.5", "ab", "a.b", "-", " ", "\t"]), max_size=7
).map(" ".join)


@SETTINGS
@given(fields=FIELDS, messages=st.lists(PLAIN, min_size=1, max_size=6))
def test_the_fast_way_for_plain_messages_agrees_with_cutting_them(fields: list[str], messages: list[str]) -> None:
    assume(sum("%" in field for field in fields) <= parser.MAX_REGEXES)
    tree = parser.parse(f"[{', '.join(fields)}]")
    assert isinstance(tree, Space)
    if tree.fields:
        assert run(space_events._plain(tree), messages) == run(space_events._cut(tree), messages)
        matched = run(space_events.condition(tree), messages)
        assert matched == run(space_events._cut(tree), messages)


@SETTINGS
@given(message=st.text(alphabet=string.ascii_letters + ' "[]\\\t', max_size=25))
def test_a_message_is_cut_as_a_reader_would(message: str) -> None:
    """The same rule written down once more, as a loop."""
    (fields,) = run(compile_pattern("[...]").fields, [message])
    assert fields == list(cut_by_hand(message))


def cut_by_hand(message: str) -> list[str]:
    fields, rest = [], message.lstrip(" \t")
    while rest:
        enclosed = re.match(r'"((?:[^"\\]|\\.)*)"(?:\s|$)|\[((?:[^\]\\]|\\.)*)\](?:\s|$)', rest, re.DOTALL)
        if enclosed:
            fields.append(enclosed[1] if enclosed[1] is not None else enclosed[2])
            rest = rest[enclosed.end() :].lstrip(" \t")
        else:
            word, _, rest = re.split(r"[ \t]", rest, maxsplit=1)[0], None, rest
            fields.append(word)
            rest = rest[len(word) :].lstrip(" \t")
    return fields


@pytest.mark.parametrize(
    "pattern",
    [
        "%" + "a{1000}" * 100 + "%",
        "%(a+)+$%",
        "%" + "a?" * 400 + "a" * 200 + "%",
        "%" + "[a-z]*" * 160 + "x%",
        "x" * 1_000_000,
        "[" + "," * 500 + "]",
        "{ " + "(" * 300 + "$.a = 1" + ")" * 300 + " }",
        "{ " + " || ".join(["$.a = 1"] * 90) + " }",
    ],
    ids=["counts", "groups", "optionals", "stars", "megabyte", "fields", "parentheses", "conditions"],
)
def test_a_pathological_pattern_is_refused_or_bounded(pattern: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ServiceError as error:
        assert error.code == "InvalidParameterException"  # noqa: PT017
    else:
        assert run(compiled.condition, ["a" * 5_000 + "b", "a b"]) != []
