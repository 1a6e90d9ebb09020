"""The tree of a filter pattern. Offsets are positions in the pattern's text, counted from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = str | int | None
"""One step of a JSON selector: a property's name, an element's index, or None for the wildcard."""


class PatternError(Exception):
    """An invalid pattern: what is wrong, and where.

    `message` is in AWS's words, and empty if AWS only calls the pattern invalid; `detail` is what was expected.
    """

    def __init__(self, message: str, detail: str, offset: int) -> None:
        super().__init__(message or detail)
        self.message = message
        self.detail = detail
        self.offset = offset


@dataclass(frozen=True)
class Text:
    """A word, a "quoted phrase", or the value of a comparison; `*` at either end is a wildcard."""

    text: str
    quoted: bool
    offset: int


@dataclass(frozen=True)
class Regex:
    """A regular expression between percent signs, as RE2 takes it."""

    pattern: str
    offset: int


Value = Text | Regex


@dataclass(frozen=True)
class Term:
    """A term of an unstructured pattern; its mark is `?` (optional), `-` (excluded) or empty."""

    mark: str
    value: Value


@dataclass(frozen=True)
class Terms:
    """An unstructured pattern; without terms it matches every event."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Comparison:
    """A property or a field compared with a value."""

    subject: str
    operator: str
    value: Value


@dataclass(frozen=True)
class IsConstant:
    """A property that is null, true or false."""

    subject: str
    constant: Literal["NULL", "TRUE", "FALSE"]


@dataclass(frozen=True)
class NotExists:
    """A property that an event doesn't have."""

    subject: str


@dataclass(frozen=True)
class AllOf:
    """Conditions that must all be met."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions one of which must be met."""

    conditions: tuple[Condition, ...]


Condition = Comparison | IsConstant | NotExists | AllOf | AnyOf


@dataclass(frozen=True)
class Json:
    """A pattern for JSON events."""

    condition: Condition


@dataclass(frozen=True)
class Field:
    """A field of a space-delimited pattern; without a name it is known by its number, a condition may test it."""

    name: str
    condition: Condition | None


@dataclass(frozen=True)
class Space:
    """A pattern for space-delimited events: the fields before and after an ellipsis, if it has one."""

    before: tuple[Field, ...]
    ellipsis: bool
    after: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields without the ellipsis."""
        return self.before + self.after


Pattern = Terms | Json | Space
