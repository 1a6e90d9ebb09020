"""Log formats: which fields a record has, and in which order.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-custom
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from labkit.flowlog.fields import BY_NAME, Field

_FORMAT = re.compile(r"\$\{[^${}\s]+\}( \$\{[^${}\s]+\})*")


class LogFormatError(ValueError):
    """A text isn't a log format; the message has Amazon EC2's words."""


@dataclass(frozen=True)
class LogFormat:
    """The fields of a record in their order.

    >>> LogFormat.parse("${srcaddr} ${dstport} ${flow-direction}").version
    5
    """

    fields: tuple[Field, ...]
    tag_keys: tuple[tuple[str, str], ...] = ()
    """The key of the tag that a tag field shows, by the field's name: `("instance-tag", "Name")`."""

    @classmethod
    def parse(cls, text: str) -> LogFormat:
        """Read `${srcaddr} ${dstport} ...`; AWS wants exactly one space between fields and none around them."""
        if not _FORMAT.fullmatch(text):
            raise LogFormatError(f"1 validation error detected: Value '{text}' at 'logFormat' has an invalid format")
        return cls.of(name[2:-1] for name in text.split(" "))

    @classmethod
    def of(cls, names: Iterable[str]) -> LogFormat:
        """Return the format of these fields, by name; raise for a name that AWS does not document."""
        names = list(names)
        unknown = [name for name in names if name not in BY_NAME]
        if unknown:
            raise LogFormatError(f"Unknown fields provided in LogFormat: {', '.join(unknown)}")
        return cls(tuple(BY_NAME[name] for name in names))

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, as in the header line of a file."""
        return tuple(field.name for field in self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields' columns in a table of records, in the order of the text."""
        return tuple(field.column for field in self.fields)

    @property
    def version(self) -> int:
        """What the version field says: 2 for the default format, else the highest version among the fields."""
        return max(field.version for field in self.fields)

    @property
    def header(self) -> str:
        """The first line of a text file in Amazon S3."""
        return " ".join(self.names)

    @property
    def schema(self) -> pa.Schema:
        """The schema of a table of records; a field that the format repeats is one column."""
        return pa.schema([(field.column, field.arrow_type) for field in dict.fromkeys(self.fields)])

    def __str__(self) -> str:
        return " ".join(f"${{{name}}}" for name in self.names)


DEFAULT_FORMAT = LogFormat(tuple(field for field in BY_NAME.values() if field.version == 2))
