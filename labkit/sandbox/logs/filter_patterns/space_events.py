r"""Patterns for space-delimited events as SQL.

A message is cut into fields at white space; "quoted text" and [bracketed text] is one field, without its quotes or
brackets. Where a message has more fields than a pattern without an ellipsis, the pattern's last field takes all that is
left: AWS was seen to do so, its documents don't tell.

Cutting a message costs ten times what one regular expression does, and flow log records have no quotes. So there are
two ways to the same answer. A message without quotes and brackets is held against `^\S+\s+\S+\s+22\s+...`, with the
pattern's equalities in it; any other is cut. Before either, the message is searched for texts that it must contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.sandbox.logs.filter_patterns.sql import COMPARISONS, decimal, number_of, quoted, text_matches
from labkit.sandbox.logs.filter_patterns.texts import field_regex, number_regex, required_text
from labkit.sandbox.logs.filter_patterns.tree import AllOf, AnyOf, Comparison, Condition, Field, Space

_ENCLOSED = r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]'
_TOKEN = rf"(?s:(?:{_ENCLOSED})(?:\s|$)|\S+)"
"""RE2 takes the first alternative that fits, so a quote that is never closed is part of an ordinary field."""
_TOKENS = f"regexp_extract_all(message, {quoted(_TOKEN)})"
_IS_PLAIN = "NOT (contains(message, '\"') OR contains(message, '['))"
_ENCLOSED_TOKEN = rf"(?s)^(?:{_ENCLOSED})\s?$"
_OPENED = (
    f"CASE WHEN regexp_matches(token, {quoted(_ENCLOSED_TOKEN)})"
    r" THEN regexp_replace(token, '(?s)^.(.*)[\x22\]]\s?$', '\1') ELSE token END"
)
"""SQL: a `token` without the quotes or brackets around it."""


def condition(pattern: Space) -> str:
    """SQL: whether `message` has the pattern's fields and meets their conditions."""
    if not pattern.fields:
        return r"regexp_matches(message, '\S')"
    found = [f"contains(message, {quoted(text)})" for text in _required_texts(pattern)]
    return " AND ".join([*found, f"CASE WHEN {_IS_PLAIN} THEN {_plain(pattern)} ELSE {_cut(pattern)} END"])


def fields(pattern: Space) -> str:
    """SQL: the list of the fields of a matching `message`, each a text."""
    opened = f"list_transform({_TOKENS}, lambda token: {_OPENED})"
    count = len(pattern.fields)
    if pattern.ellipsis:
        return opened
    before_last = quoted(rf"^\s*(?:{_TOKEN}\s*){{{count - 1}}}")
    rest = rf"regexp_replace(regexp_replace(message, {before_last}, ''), '\s+$', '')"
    first = f"list_slice({opened}, 1, {count - 1})"
    return f"CASE WHEN len({_TOKENS}) > {count} THEN list_append({first}, {rest}) ELSE {opened} END"


def extraction(pattern: Space, reference: str) -> str | None:
    """SQL: the text of the field that `$name` or `$3` stands for; None where the pattern has no such field."""
    name = reference.removeprefix("$")
    for position, field in _positions(pattern):
        if field.name == name:
            return f"list_extract({fields(pattern)}, {position})"
    numbered = re.fullmatch("[1-9][0-9]{0,3}", name)
    return f"list_extract({fields(pattern)}, {name})" if numbered else None


def names(pattern: Space, count: int) -> list[str]:
    """What the fields of a message that has so many are called: `$name`, or `$` and their number.

    >>> names(Space((Field("ip", None),), True, (Field("", None), Field("bytes", None))), 5)
    ['$ip', '$2', '$3', '$4', '$bytes']
    """
    called = [f"${number}" for number in range(1, count + 1)]
    for position, field in _positions(pattern):
        if field.name:
            called[position - 1 if position > 0 else position] = f"${field.name}"
    return called


def _positions(pattern: Space) -> Iterator[tuple[int, Field]]:
    """The pattern's fields and their places in a list of a message's fields: 1 is the first, -1 the last."""
    yield from enumerate(pattern.before, start=1)
    yield from enumerate(pattern.after, start=-len(pattern.after))


def _required_texts(pattern: Space) -> list[str]:
    """Texts that a matching message has, the longest and so the rarest first; one character is in nearly all."""
    texts = {required_text(field.condition) for field in pattern.fields if field.condition}
    return sorted((text for text in texts if len(text) > 1), key=lambda text: (-len(text), text))


def _cut(pattern: Space) -> str:
    """The conditions over the list of fields, which a list of one holds so that it is made once."""
    count = len(pattern.fields)
    tests = [f"len(fields) {'>=' if pattern.ellipsis else '='} {count}"]
    for position, field in _positions(pattern):
        if field.condition:
            tests.append(_condition(field.condition, f"fields[{position}]"))
    return f"list_extract(list_transform([{fields(pattern)}], lambda fields: {' AND '.join(tests)}), 1)"


def _plain(pattern: Space) -> str:
    """One regular expression, and what can't be said in it: the conditions over single fields."""
    tests = [f"regexp_matches(message, {quoted(_line_regex(pattern))})"]
    for position, field in _positions(pattern):
        last = position == len(pattern.before) and not pattern.ellipsis
        if field.condition and field_regex(field.condition, last=last) is None:
            tests.append(_condition(field.condition, _plain_field(pattern, position, last=last)))
    return " AND ".join(tests)


def _line_regex(pattern: Space) -> str:
    before = [_one_field(field, last=False) for field in pattern.before]
    if not pattern.ellipsis:
        before[-1] = _one_field(pattern.before[-1], last=True)
        return r"^\s*" + r"\s+".join(before)
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
    """A field's text against a value: as numbers where the value is one, written without quotes."""
    number = number_of(test.value)
    if test.operator not in ("=", "!="):
        return f"coalesce({decimal(subject)} {COMPARISONS[test.operator]} {number!r}::DOUBLE, FALSE)"
    if number is None:
        equal = text_matches(subject, test.value)
    else:
        equal = f"regexp_matches({subject}, {quoted(f'^{number_regex(number)}$')})"
    return f"NOT {equal}" if test.operator == "!=" else equal
