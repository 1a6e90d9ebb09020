"""Translates the date formats of parseDate() and formatDate() to DuckDB's, by tables of their letters.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from __future__ import annotations

import re

from labkit.sandbox.logs.insights.tree import QueryError, Span

ZONE = "%z"
"""An offset from UTC, in a format of DuckDB's."""
_LETTERS = {
    **dict.fromkeys(("yyyy", "y", "uuuu", "u"), "%Y"),
    **dict.fromkeys(("yy", "uu"), "%y"),
    **dict.fromkeys(("MM", "LL"), "%m"),
    **dict.fromkeys(("M", "L"), "%-m"),
    **dict.fromkeys(("MMM", "LLL"), "%b"),
    **dict.fromkeys(("MMMM", "LLLL"), "%B"),
    **{"dd": "%d", "d": "%-d", "DDD": "%j", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "a": "%p"},
    **{"mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "SSSSSS": "%f", "SSSSSSSSS": "%n"},
    **dict.fromkeys(("E", "EE", "EEE"), "%a"),
    **{"EEEE": "%A"},
    **dict.fromkeys(("Z", "X", "XX", "XXX", "x", "xx", "xxx"), ZONE),
}
"""Letters of Java's DateTimeFormatter.

https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html
"""
_PART = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'\[\]{}#]+)")
_DIRECTIVES = {
    **{letter: f"%{letter}" for letter in "aAbBcdfGhHIjmMpSTuUVwWxXyY%"},
    **{f"-{letter}": f"%-{letter}" for letter in "dHIjmMSy"},
    **{"D": "%m/%d/%y", "e": "%-d", "F": "%Y-%m-%d", "R": "%H:%M"},
}
"""Directives of strftime, by what follows the percent sign."""
_DIRECTIVE = re.compile(r"%(-?.?)", re.S)


def of_java(pattern: str, span: Span) -> str:
    """Translate a pattern of Java's DateTimeFormatter to a format of strptime.

    >>> of_java("dd/MMM/yyyy:HH:mm:ss 'at' Z", Span(0, 0))
    '%d/%b/%Y:%H:%M:%S at %z'
    """
    place, parts = 0, []
    while place < len(pattern):
        match = _PART.match(pattern, place)
        if match is None or (match[2] and match[2] not in _LETTERS):
            found = match[2] if match else pattern[place]
            known = ", ".join(dict.fromkeys(letters[0] for letters in _LETTERS))
            message = f"parseDate: {found} in {pattern} is no pattern letter, there are {known} and 'quoted text'"
            raise QueryError(message, span)
        literal = "'" if match[1] == "" else (match[1] or match[4] or "").replace("''", "'")
        parts.append(_LETTERS[match[2]] if match[2] else literal.replace("%", "%%"))
        place = match.end()
    return "".join(parts)


def of_strftime(pattern: str, span: Span) -> str:
    """Translate a format of C's strftime to DuckDB's.

    >>> of_strftime("%F %H h", Span(0, 0))
    '%Y-%m-%d %H h'
    """

    def directive(match: re.Match[str]) -> str:
        if match[1] not in _DIRECTIVES:
            known = " ".join(f"%{name}" for name in _DIRECTIVES)
            raise QueryError(f"formatDate: {match[0]} in {pattern} is no directive, there are {known}", span)
        return _DIRECTIVES[match[1]]

    return _DIRECTIVE.sub(directive, pattern)
