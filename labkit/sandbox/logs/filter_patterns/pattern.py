"""Compiled filter patterns: SQL that tells whether a message matches, and SQL of the values in it."""

from __future__ import annotations

from functools import cache, cached_property, lru_cache

import duckdb

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.filter_patterns import json_events, parser, space_events, terms
from labkit.sandbox.logs.filter_patterns.tree import Json, Pattern, PatternError, Space

INVALID_METRIC_FILTER_PATTERN = "Invalid metric filter pattern"


class FilterPattern:
    """A pattern, compiled to SQL over a relation that has a column `message`.

    >>> pattern = compile_pattern("ERROR -WARN")
    >>> print(pattern.condition)
    contains(message, 'ERROR') AND NOT contains(message, 'WARN')
    """

    def __init__(self, text: str, tree: Pattern) -> None:
        self.text = text
        self.tree = tree
        self.regexes = len(parser.regexes(tree))

    @cached_property
    def condition(self) -> str:
        """The SQL condition that a message matches; TRUE or FALSE, never NULL."""
        match self.tree:
            case Json():
                return json_events.condition(self.tree)
            case Space():
                return space_events.condition(self.tree)
        return terms.condition(self.tree)

    @property
    def has_fields(self) -> bool:
        """Whether matching messages have values to extract: by selector from JSON, by name or number from fields."""
        return isinstance(self.tree, Json | Space)

    @cached_property
    def fields(self) -> str:
        """The SQL of a matching message's fields as a list of texts; empty unless the pattern is space-delimited."""
        return space_events.fields(self.tree) if isinstance(self.tree, Space) else "[]::VARCHAR[]"

    def named(self, fields: list[str]) -> dict[str, str]:
        """Return a message's `fields` by the names that the pattern gives them."""
        if not isinstance(self.tree, Space):
            return {}
        return dict(zip(space_events.names(self.tree, len(fields)), fields, strict=True))

    def extraction(self, reference: str) -> str | None:
        """Return the SQL of the text that `$.selector`, `$name` or `$1` refers to; None if it refers to nothing."""
        match self.tree:
            case Json() if parser.is_selector(reference):
                return json_events.extraction(reference)
            case Space():
                return space_events.extraction(self.tree, reference)
        return None


def compile_pattern(text: str, invalid: str = INVALID_METRIC_FILTER_PATTERN) -> FilterPattern:
    """Compile a pattern; raise InvalidParameterException in AWS's words, with the place of the error as detail.

    `invalid` is AWS's message for a pattern that can't be parsed; it differs between operations.
    """
    try:
        return _compiled(text)
    except PatternError as error:
        expected = f", where {error.detail} is expected" if error.detail else ""
        place = f"The fault is at character {error.offset + 1}{expected}."
        raise ServiceError("InvalidParameterException", error.message or invalid, detail=place) from None


# The same few patterns are compiled for every batch of events that arrives.
@lru_cache(maxsize=256)
def _compiled(text: str) -> FilterPattern:
    tree = parser.parse(text)
    for regex in parser.regexes(tree):
        _check_regex(regex.pattern, regex.offset)
    return FilterPattern(text, tree)


@cache
def _regex_engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def _check_regex(pattern: str, offset: int) -> None:
    """Let RE2 compile a regular expression: only it finds an unclosed bracket or a range that runs backwards."""
    try:
        _regex_engine().execute("SELECT regexp_matches('', $1)", [pattern])
    except duckdb.Error as error:
        reason = str(error).removeprefix("Invalid Input Error: ")
        raise PatternError("", f"a regular expression (of this one is said: {reason})", offset) from None
