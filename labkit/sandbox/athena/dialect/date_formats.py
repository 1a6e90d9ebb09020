"""Translates the two languages of date formats, MySQL's and Joda's, to strftime's."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.sandbox.athena import zones
from labkit.sandbox.athena.dialect import calls
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.scope import Value
from labkit.sandbox.athena.errors import QueryError, not_supported

_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%g000", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
_JODA = {
    "y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"}, "Y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"}, "x": {4: "%G"},
    "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"},
    "d": {1: "%-d", 2: "%d"}, "D": {1: "%-j", 3: "%j"}, "H": {1: "%-H", 2: "%H"}, "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"}, "s": {1: "%-S", 2: "%S"}, "S": {3: "%g", 6: "%f"},
    "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"},
    "e": {1: "%u"}, "a": {1: "%p"}, "w": {2: "%V"},
}  # fmt: skip
_JODA_PART = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])")
_ONLY_FORMATTED = {
    "w": {1: "week({clock})"},
    "K": {1: "hour({clock}) % 12", 2: "lpad(CAST(hour({clock}) % 12 AS VARCHAR), 2, '0')"},
    "k": {1: "trino_hour_24({clock})", 2: "lpad(CAST(trino_hour_24({clock}) AS VARCHAR), 2, '0')"},
    "S": {1: "left(strftime({clock}, '%g'), 1)", 2: "left(strftime({clock}, '%g'), 2)"},
    "C": {1: "year({clock}) // 100", 2: "year({clock}) // 100"},
    "G": {1: "'AD'", 2: "'AD'"},
    "Z": {1: "replace({offset}, ':', '')", 2: "{offset}", 3: "{zone}"},
}
"""Joda letters that strftime has no counterpart for: the SQL of each, from the local time and its zone."""


def mysql_format(text: str, where: str) -> str:
    """Translate a format of `date_format` and `date_parse` to strftime's.

    >>> mysql_format("%Y-%m-%d %H:%i", "")
    '%Y-%m-%d %H:%M'
    """

    def translated(found: re.Match[str]) -> str:
        # Trino rejects these MySQL letters at run time; every other unknown letter stands for itself.
        if found[1] in "DUuVwX":
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"%{found[1]} not supported in date format string")
        return _MYSQL.get(found[1], found[1])

    return re.sub(r"%(.)", translated, text)


def joda_format(text: str, where: str) -> str:
    """Translate a format of `format_datetime` and `parse_datetime` to strftime's.

    >>> joda_format("yyyy-MM-dd'T'HH:mm:ss.SSS", "")
    '%Y-%m-%dT%H:%M:%S.%g'
    """

    return _JODA_PART.sub(_joda(where), text)


def _joda(where: str) -> Callable[[re.Match[str]], str]:
    def translated(found: re.Match[str]) -> str:
        quoted_text, letters, _, other = found.groups()
        if quoted_text is not None:
            # '' outside of quotes is an apostrophe: the pattern matches it as an empty quoted text.
            return quoted_text.replace("''", "'").replace("%", "%%") or "'"
        if other is not None:
            return other.replace("%", "%%")
        if letters[0] == "Z":
            return "%z"
        if len(letters) not in _JODA.get(letters[0], {}):
            raise not_supported(f"{where}: {letters} in a date format")
        return _JODA[letters[0]][len(letters)]

    return translated


def joda_formatted(value: Value, text: str, where: str) -> str:
    """Write `format_datetime` as SQL, piece by piece: strftime for most letters, own expressions for the others."""
    clock = calls.on_the_clock(value)
    has_zone = value.type.name == "timestamp with time zone"
    offset = f"trino_offset_text({zones.offset_minutes(value.sql, value.type.zone)})" if has_zone else "'+00:00'"
    zone = string(value.type.zone)
    pieces: list[str] = []
    plain = ""
    for found in _JODA_PART.finditer(text):
        letters = found[2] or ""
        own = _ONLY_FORMATTED.get(letters[:1], {}).get(len(letters))
        if own is None:
            plain += _joda(where)(found)
            continue
        pieces += [_strftime(clock, plain), own.format(clock=clock, offset=offset, zone=zone)]
        plain = ""
    return " || ".join([*pieces, _strftime(clock, plain)])


def _strftime(clock: str, pattern: str) -> str:
    # An empty piece still has to be NULL for a NULL time.
    return f"strftime({clock}, {string(pattern)})" if pattern else f"CASE WHEN {clock} IS NOT NULL THEN '' END"
