"""The regular expressions of filter patterns: a small dialect, checked character by character.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html lists what it has; whatever is not in
these tables is refused. What passes is RE2 syntax but for `{,n}`, which RE2 takes for text.
"""

from __future__ import annotations

import re

from labkit.sandbox.logs.filter_patterns.tree import PatternError, Regex

SYMBOLS = frozenset(":_#=@/;,- ")
OPERATORS = frozenset("^$?[]{}|\\*+.")
ESCAPES = frozenset("dDsSwW") | frozenset("tnrfv") | OPERATORS | SYMBOLS
"""What may follow a backslash, besides two hexadecimal digits after x."""
MAX_REPETITIONS = 1000
"""What the counts of all {m,n} may add up to, so that no expression needs more than a few megabytes."""

_TOKEN = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|.", re.DOTALL)
_COUNT = re.compile(r"(?<!\\)\{(\d*)(?:(,)(\d*))?\}")


def parse_regex(text: str, offset: int) -> Regex:
    """Checks what stands between the percent signs of a pattern; `offset` is the place of the first of them."""
    if not text:
        raise PatternError("", "an expression between the percent signs", offset)
    for token in _TOKEN.finditer(text):
        if not _is_allowed(token.group()):
            shown = "%" + token.group() if token.start() == 0 else token.group()
            message = f"Invalid character(s) in term '{shown}'"
            raise PatternError(message, _ALLOWED, offset + 1 + token.start())
    _check_counts(text, offset)
    return Regex(_COUNT.sub(_with_lower_bound, text), offset)


_ALLOWED = "letters, digits, spaces, : _ # = @ / ; , - and the operators ^ $ ? [ ] { } | \\ * + ."


def _is_allowed(token: str) -> bool:
    if len(token) == 4:
        return True
    if len(token) == 2:
        return token[1] in ESCAPES
    return (token.isascii() and token.isalnum()) or token in SYMBOLS or (token in OPERATORS and token != "\\")


def _check_counts(text: str, offset: int) -> None:
    repetitions = sum(int(match[3] or match[1] or 0) for match in _COUNT.finditer(text))
    if repetitions > MAX_REPETITIONS:
        raise PatternError("", f"repetitions that add up to {MAX_REPETITIONS} at most", offset)


def _with_lower_bound(count: re.Match[str]) -> str:
    return "{0," + count[3] + "}" if not count[1] and count[3] else count[0]
