r"""Compiles patterns for space-delimited events to SQL.

A message is split into fields at white space; "quoted text" and [bracketed text] are one field each, without their
quotes or brackets. If a message has more fields than a pattern without an ellipsis, the pattern's last field takes the
rest: observed on AWS, not documented.

Splitting a message costs ten times as much as one regular expression, and flow log records have no quotes. So there
are two ways to the same answer. A message without quotes and brackets is matched with `^\S+\s+\S+\s+22\s+...`, which
contains the pattern's equalities; any other message is split. Before either, the message is searched for texts that it
must contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.sandbox.logs.filter_patterns.sql import COMPARISONS, decimal, number_of, quoted, text_matches
from labkit.sandbox.logs.filter_patterns.texts import field_regex, number_regex, required_text
from labkit.sandbox.logs.filter_patterns.tree import AllOf, AnyOf, Comparison, Condition, Field, Space

_ENCLOSED = r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]'
_TOKEN = rf"(?s:(?:{_ENCLOSED})(?:\s|$)|\S+)"
"""RE2 takes the first alternative that fits, so an unclosed quote is part of an ordinary field."""
_TOKENS = f"regexp_extract_all(message, {quoted(_TOKEN)})"
_IS_PLAIN = "NOT (contains(message, '\"') OR contains(message, '['))"
_ENCLOSED_TOKEN = rf"(?s)^(?:{_ENCLOSED})\s?$"
_OPENED = (
    f"CASE WHEN regexp_matches(token, {quoted(_ENCLOSED_TOKEN)})"
    r" THEN regexp_replace(token, '(?s)^.(.*)[\x22\]]\s?$', '\1') ELSE token END"
)
"""The SQL of a `token` without the quotes or brackets around it."""


def condition(pattern: Space) -> str:
    """Return the SQL condition that `message` has the pattern's fields and meets their conditions."""
    if not pattern.fields:
        return r"regexp_matches(message, '\S')"
    # The cheapest test first: a substring search decides most messages of a selective pattern.
    found = [f"contains(message, {quoted(text)})" for text in _required_texts(pattern)]
    return " AND ".join([*found, f"CASE WHEN {_IS_PLAIN} THEN {_plain(pattern)} ELSE {_cut(pattern)} END"])


def fields(pattern: Space) -> str:
    """Return the SQL of the list of a matching `message`'s fields, each a text."""
    opened = f"list_transform({_TOKENS}, lambda token: {_OPENED})"
    count = len(pattern.fields)
    if pattern.ellipsis:
        return opened
    before_last = quoted(rf"^\s*(?:{_TOKEN}\s*){{{count - 1}}}")
    rest = rf"regexp_replace(regexp_replace(message, {before_last}, ''), '\s+$', '')"
    first = f"list_slice({opened}, 1, {count - 1})"
    return f"CASE WHEN len({_TOKENS}) > {count} THEN list_append({first}, {rest}) ELSE {opened} END"


def extraction(pattern: Space, reference: str) -> str | None:
    """Return the SQL of the field that `$name` or `$3` refers to; None if the pattern has no such field."""
    name = reference.removeprefix("$")
    for position, field in _positions(pattern):
        if field.name == name:
            return f"list_extract({fields(pattern)}, {position})"
    numbered = re.fullmatch("[1-9][0-9]{0,3}", name)
    return f"list_extract({fields(pattern)}, {name})" if numbered else None


def names(pattern: Space, count: int) -> list[str]:
    """Return the names of a message's `count` fields: `$name`, or `$` and their number.

    >>> names(Space((Field("ip", None),), True, (Field("", None), Field("bytes", None))), 5)
    ['$ip', '$2', '$3', '$4', '$bytes']
    """
    called = [f"${number}" for number in range(1, count + 1)]
    for position, field in _positions(pattern):
        if field.name:
            called[position - 1 if position > 0 else position] = f"${field.name}"
    return called


def _positions(pattern: Space) -> Iterator[tuple[int, Field]]:
    """Yield the pattern's fields with their positions in a message's list of fields: 1 is the first, -1 the last."""
    yield from enumerate(pattern.before, start=1)
    yield from enumerate(pattern.after, start=-len(pattern.after))


def _required_texts(pattern: Space) -> list[str]:
    """Return texts that every matching message contains, longest (and so rarest) first, single characters left out."""
    texts = {required_text(field.condition) for field in pattern.fields if field.condition}
    return sorted((text for text in texts if len(text) > 1), key=lambda text: (-len(text), text))


def _cut(pattern: Space) -> str:
    """Return the conditions on the list of fields; a list of one element around it makes DuckDB compute it once."""
    count = len(pattern.fields)
    tests = [f"len(fields) {'>=' if pattern.ellipsis else '='} {count}"]
    for position, field in _positions(pattern):
        if field.condition:
            tests.append(_condition(field.condition, f"fields[{position}]"))
    return f"list_extract(list_transform([{fields(pattern)}], lambda fields: {' AND '.join(tests)}), 1)"


def _plain(pattern: Space) -> str:
    """Return one regular expression, and conditions on single fields for what it can't express."""
    tests = [f"regexp_matches(message, {quoted(_line_regex(pattern))})"]
    for position, field in _positions(pattern):
        last = position == len(pattern.before) and not pattern.ellipsis
        if field.condition and field_regex(field.condition, last=last) is None:
            tests.append(_condition(field.condition, _plain_field(pattern, position, last=last)))
    return " AND ".join(tests)


def _line_regex(pattern: Space) -> str:
    before = [_one_field(field, last=False) for field in pattern.before]
    if not pattern.ellipsis:
        # Without an ellipsis the last field takes the rest of the line, white space included.
        before[-1] = _one_field(pattern.before[-1], last=True)
        return r"^\s*" + r"\s+".join(before)
    # `|$`: an ellipsis may stand for no field at all, so the line may end after the fields before it.
    start = r"^\s*" + "".join(rf"{field}(?:\s+|$)" for field in before)
    if not pattern.after:
        return start
    after = r"\s+".join(_one_field(field, last=False) for field in pattern.after)
    return rf"{start}(?:\S+\s+)*{after}\s*$"


def _one_field(field: Field, *, last: bool) -> str:
    known = field_regex(field.condition, last=last) if field.condition else None
    if last:
        return rf"{known}\s*$" if known else r"\S"
    return known or r"\S+"


def _plain_field(pattern: Space, position: int, *, last: bool) -> str:
    if last:
        regex = rf"^\s*(?:\S+\s+){{{position - 1}}}(\S(?s:.*?))\s*$"
    elif position > 0:
        regex = rf"^\s*(?:\S+\s+){{{position - 1}}}(\S+)"
    else:
        regex = rf"(\S+)(?:\s+\S+){{{-position - 1}}}\s*$"
    return f"regexp_extract(message, {quoted(regex)}, 1)"


def _condition(part: Condition, subject: str) -> str:
    match part:
        case AllOf(parts):
            return f"({' AND '.join(_condition(test, subject) for test in parts)})"
        case AnyOf(parts):
            return f"({' OR '.join(_condition(test, subject) for test in parts)})"
        case Comparison():
            return _compare(part, subject)
    raise AssertionError(f"the grammar lets no {part} into a space-delimited pattern")


def _compare(test: Comparison, subject: str) -> str:
    """Return the SQL comparison of a field's text with a value: as numbers if the value is an unquoted number."""
    number = number_of(test.value)
    if test.operator not in ("=", "!="):
        return f"coalesce({decimal(subject)} {COMPARISONS[test.operator]} {number!r}::DOUBLE, FALSE)"
    if number is None:
        equal = text_matches(subject, test.value)
    else:
        # 22, 22.0 and +22 are one number: a regular expression tests it without a cast, as in the plain way.
        equal = f"regexp_matches({subject}, {quoted(f'^{number_regex(number)}$')})"
    return f"NOT {equal}" if test.operator == "!=" else equal
