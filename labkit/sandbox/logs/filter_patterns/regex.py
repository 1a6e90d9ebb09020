"""Checks the regular expressions of filter patterns: a small dialect, character by character.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html lists the dialect; anything that isn't
in these tables is an error. What passes is RE2 syntax, except for `{,n}`, which RE2 takes as text.
"""

from __future__ import annotations

import re

from labkit.sandbox.logs.filter_patterns.tree import PatternError, Regex

SYMBOLS = frozenset(":_#=@/;,- ")
OPERATORS = frozenset("^$?[]{}|\\*+.")
ESCAPES = frozenset("dDsSwW") | frozenset("tnrfv") | OPERATORS | SYMBOLS
"""The characters that may follow a backslash, besides \\xHH."""
MAX_REPETITIONS = 1000
"""The maximum sum of all {m,n} counts, which keeps an expression's automaton below a few megabytes."""

_TOKEN = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|.", re.DOTALL)
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,(?P<most>\d+)\}|\{(?P<least>\d+),?\}|.", re.DOTALL)
"""An escape, a character class, a count, or any other character."""


def parse_regex(text: str, offset: int) -> Regex:
    """Check the text between the percent signs of a pattern; `offset` is the position of the first one."""
    if not text:
        raise PatternError("", "an expression between the percent signs", offset)
    for token in _TOKEN.finditer(text):
        if not _is_allowed(token.group()):
            shown = "%" + token.group() if token.start() == 0 else token.group()
            message = f"Invalid character(s) in term '{shown}'"
            raise PatternError(message, _ALLOWED, offset + 1 + token.start())
    return Regex(_with_checked_counts(text, offset), offset)


_ALLOWED = "letters, digits, spaces, : _ # = @ / ; , - and the operators ^ $ ? [ ] { } | \\ * + ."


def _is_allowed(token: str) -> bool:
    if len(token) == 4:
        return True
    if len(token) == 2:
        return token[1] in ESCAPES
    return (token.isascii() and token.isalnum()) or token in SYMBOLS or (token in OPERATORS and token != "\\")


def _with_checked_counts(text: str, offset: int) -> str:
    """Return the expression in RE2's syntax; raise PatternError for a `{` that begins no count.

    RE2 would silently take such a brace as text.
    """
    repetitions = 0
    for piece in _PIECE.finditer(text):
        if piece.group() == "{":
            wanted = "a count such as {3} or {3,5}, or \\{ for a brace,"
            raise PatternError("", wanted, offset + 1 + piece.start())
        repetitions += int(piece["most"] or piece["least"] or 0)
    if repetitions > MAX_REPETITIONS:
        raise PatternError("", f"repetitions that add up to {MAX_REPETITIONS} at most", offset)
    return _PIECE.sub(lambda piece: "{0," + piece["most"] + "}" if piece.group()[:2] == "{," else piece.group(), text)
