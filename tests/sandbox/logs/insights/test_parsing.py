"""The modes of `parse`, and `json field=`, at their edges; `tests/conformance` has what AWS documents."""

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import rows

LOGFMT = [
    ('a=1 b="x y" c=', {"a": "1", "b": "x y", "c": ""}),
    ("a=1 a=2", {"a": "1"}),
    ('a="unclosed b=2', {"a": '"unclosed', "b": "2"}),
    ('a="say \\"hi\\" \\\\" b=2', {"a": 'say "hi" \\', "b": "2"}),
    ("word =3 a==1", {"a": "=1"}),
    ('a="" b=""', {"a": "", "b": ""}),
    ("", {}),
]


@pytest.mark.parametrize(("message", "found"), LOGFMT)
def test_logfmt_makes_a_map_of_pairs(message, found):
    assert rows("parse logfmt as lf | display lf.a, lf.b, lf.c", [message or " "]) == [
        {f"lf.{name}": value for name, value in found.items()}
    ]


CSV = [
    ("1,2,3", ["1", "2", "3"]),
    ("1", ["1"]),
    (",2", ["", "2"]),
    ("1,,3,4", ["1", "", "3"]),
    ('"a,b","c ""d""",', ["a,b", 'c "d"', ""]),
    ('"unclosed,2', ['"unclosed', "2"]),
    ('"a"tail,2', ["a", "2"]),
    ("1, 2 ,3", ["1", " 2 ", "3"]),
]


@pytest.mark.parametrize(("message", "values"), CSV)
def test_csv_gives_its_values_in_turn(message, values):
    assert rows("parse @message csv as a, b, c | display a, b, c", [message]) == [
        dict(zip("abc", values, strict=False))
    ]


PATHS = [
    ("a.b", "1"),
    ("a.list[1]", "3"),
    ("a.list.0", "2"),
    ("`x.y`.z", "4"),
    ("a.list", "[2,3]"),
    ("nowhere", None),
    ("a.b.c", None),
]
DOCUMENT = {"a": {"b": 1, "list": [2, 3]}, "x.y": {"z": 4}}


@pytest.mark.parametrize(("path", "value"), PATHS)
def test_a_path_leads_into_json(path, value):
    query = f'json field=doc "{path}" as found | display found'
    assert rows(query, [{"doc": DOCUMENT}]) == [{"found": value} if value else {}]


@pytest.mark.parametrize("document", ["{broken", 5, None, [1], "[1, 2"])
def test_there_is_nothing_in_what_is_no_map(document):
    assert rows('json field=doc "a.b" as found | display found', [{"doc": document}]) == [{}]


@pytest.mark.parametrize("command", ["parse logfmt as a", "parse csv as b, a", 'json field=x "y" as a'])
def test_a_name_that_is_taken_is_refused(command):
    with pytest.raises(QueryError, match="Ephemeral field is already defined: a"):
        check(f"fields 1 as a | {command}")


def test_fields_may_be_called_as_the_modes_are():
    query = 'parse csv "a*" as one | parse logfmt /(?<two>.)/ | parse json csv as three | display one, two, three'
    event = {"csv": "ab", "logfmt": "z", "json": "1,2"}
    assert rows(query, [event]) == [{"one": "b", "two": "z", "three": "1"}]
