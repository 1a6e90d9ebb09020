"""Parses a filter pattern into its tree; raises PatternError with what is wrong and where."""

from __future__ import annotations

import re
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from labkit.sandbox.logs.filter_patterns import tree
from labkit.sandbox.logs.filter_patterns.regex import parse_regex
from labkit.sandbox.logs.filter_patterns.tree import PatternError

MAX_LENGTH = 1024
MAX_REGEXES = 2
MAX_WILDCARDS = 3
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_OFFENDING = {
    "terms": re.compile(r'[^\w\s"%]', re.ASCII),
    "json": re.compile(r"\$[^\w\s]+|[^\w\s\"%=<>|&(){}\[\]$][^\w\s\"%$]*", re.ASCII),
    "space": re.compile(r"\$[^\w\s]*|[^\w\s\"%=<>|&(){}\[\],$][^\w\s\"%$]*", re.ASCII),
}
"""By kind of pattern: the characters that AWS's error quotes if they aren't allowed where they stand."""
_STEP = re.compile(r"\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]|(\[?\*\]?)|\.?([\w-]+)", re.ASCII)


def parse(text: str) -> tree.Pattern:
    """Parse a pattern; raise PatternError with the place of what is wrong.

    >>> parse('[..., status = 4*]').after[0].condition
    Comparison(subject='status', operator='=', value=Text(text='4*', quoted=False, offset=15))
    """
    if len(text) > MAX_LENGTH:
        raise PatternError("", f"no more than {MAX_LENGTH} characters", MAX_LENGTH)
    # DuckDB's string literals can't hold it.
    if "\0" in text:
        raise PatternError("Invalid character(s) in term '\0'", "text", text.index("\0"))
    start = {"{": "json", "[": "space"}.get(text.lstrip()[:1], "terms")
    try:
        pattern = _TreeBuilder().transform(_parser(start).parse(text))
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _syntax_error(error, text, start) from None
    # After the syntax: AWS reports a syntax error first.
    _check_quotas(pattern, text)
    return pattern  # type: ignore[no-any-return]


def is_number(text: str) -> bool:
    """Tell whether a text is a number within the range of a double."""
    return NUMBER.fullmatch(text) is not None and isfinite(float(text))


def is_selector(text: str) -> bool:
    """Tell whether a text is a JSON selector without a wildcard, so that it has one value."""
    try:
        # The grammar knows selectors only inside a pattern: NOT EXISTS is the shortest condition on one.
        pattern = _TreeBuilder().transform(_parser("json").parse(f"{{{text} NOT EXISTS}}"))
    except (UnexpectedInput, VisitError):
        return False
    return pattern == tree.Json(tree.NotExists(text)) and None not in selector_steps(text)


def selector_steps(selector: str) -> tuple[tree.Step, ...]:
    """Return the steps of a JSON selector; None stands for a wildcard.

    >>> selector_steps("$.users[0].['full.name'].*")
    ('users', 0, 'full.name', None)
    """
    return tuple(_step(match) for match in _STEP.finditer(selector.removeprefix("$.")))


def _step(match: re.Match[str]) -> tree.Step:
    index, single, double, wildcard, name = match.groups()
    if wildcard:
        return None
    return int(index) if index else next(part for part in (single, double, name) if part is not None)


@cache
def _parser(start: str) -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text()
    # Blanks separate terms, so only the other two kinds may ignore them.
    if start != "terms":
        grammar += "\n%ignore _WS\n"
    return Lark(grammar, start=start, parser="lalr", maybe_placeholders=False)


def _syntax_error(error: UnexpectedInput, text: str, kind: str) -> PatternError:
    """Return AWS's error: it quotes characters it can't read, and calls a misplaced known token an invalid pattern."""
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END" and kind != "terms"
    offset = len(text) if at_end or error.pos_in_stream in (None, -1) else int(error.pos_in_stream)
    offending = _OFFENDING[kind].match(text, offset)
    message = f"Invalid character(s) in term '{offending.group()}'" if offending else ""
    return PatternError(message, _expected(error), offset)


_DESCRIPTIONS = {
    "WORD": "a word of letters, digits and _",
    "QUOTED": '"quoted text"',
    "REGEX": "a %regular expression%",
    "MARK": "? or - before a term",
    "OPERATOR": "one of = != < <= > >=",
    "CONSTANT": "NULL, TRUE or FALSE",
    "SELECTOR": "a selector such as $.name",
    "ELLIPSIS": "...",
    "NAME": "a field's name",
    "JSON_TEXT": "a value",
    "SPACE_TEXT": "a value",
    "_WS": "a space",
    "LBRACE": "{",
    "RBRACE": "}",
    "LSQB": "[",
    "RSQB": "]",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "IS": "IS",
    "NOT": "NOT EXISTS",
    "EXISTS": "EXISTS",
    "$END": "the pattern's end",
    "<END-OF-FILE>": "the pattern's end",
}


def _expected(error: UnexpectedInput) -> str:
    names = getattr(error, "allowed", None) or getattr(error, "expected", None) or ()
    described = sorted({_DESCRIPTIONS.get(name, "&& or ||") for name in names})
    return " or ".join(described)


def _check_quotas(pattern: tree.Pattern, text: str) -> None:
    """Raise PatternError for too many regular expressions or wildcards.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
    """
    if not isinstance(pattern, tree.Terms) and len(regexes(pattern)) > MAX_REGEXES:
        raise PatternError("", f"at most {MAX_REGEXES} regular expressions", regexes(pattern)[MAX_REGEXES].offset)
    selectors = [selector for selector in _selectors(pattern) if None in selector_steps(selector)]
    crowded = next((selector for selector in selectors if selector_steps(selector).count(None) > 1), None)
    if crowded is not None:
        message = (
            "Your filter pattern has a JSON path selector that exceeds the maximum of 1 wildcard allowed per json"
            " selector."
        )
        raise PatternError(message, "", text.index(crowded))
    if len(selectors) > MAX_WILDCARDS:
        raise PatternError("", f"at most {MAX_WILDCARDS} selectors with a wildcard", text.index(selectors[-1]))


def conditions(pattern: tree.Pattern | tree.Condition) -> list[tree.Condition]:
    """Return the elementary conditions of a pattern, in the order in which they are written."""
    match pattern:
        case tree.Json(condition):
            return conditions(condition)
        case tree.Space():
            return [test for field in pattern.fields if field.condition for test in conditions(field.condition)]
        case tree.AllOf(parts) | tree.AnyOf(parts):
            return [test for part in parts for test in conditions(part)]
        case tree.Terms():
            return []
    return [pattern]


def regexes(pattern: tree.Pattern) -> list[tree.Regex]:
    """Return the regular expressions in a pattern."""
    values: list[Any] = [test.value for test in conditions(pattern) if isinstance(test, tree.Comparison)]
    if isinstance(pattern, tree.Terms):
        values = [term.value for term in pattern.terms]
    return [value for value in values if isinstance(value, tree.Regex)]


def _selectors(pattern: tree.Pattern) -> list[str]:
    return [test.subject for test in conditions(pattern)] if isinstance(pattern, tree.Json) else []  # type: ignore[union-attr]


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    """Turns lark's tree into ours."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[str, int] = {}
        """The offset of each field name's last mention, for errors."""

    def NAME(self, token: Token) -> str:
        self._places[str(token)] = _offset(token)
        return str(token)

    def QUOTED(self, token: Token) -> tree.Text:
        return tree.Text(re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL), True, _offset(token))

    def REGEX(self, token: Token) -> tree.Regex:
        return parse_regex(token[1:-1], _offset(token))

    def WORD(self, token: Token) -> tree.Text:
        return tree.Text(str(token), False, _offset(token))

    JSON_TEXT = SPACE_TEXT = WORD

    def term(self, mark: Token, value: tree.Value) -> tree.Term:
        return tree.Term(str(mark), value)

    def terms(self, *terms: tree.Term | tree.Value) -> tree.Terms:
        return tree.Terms(tuple(term if isinstance(term, tree.Term) else tree.Term("", term) for term in terms))

    def comparison(self, subject: Token, operator: Token, value: tree.Value) -> tree.Comparison:
        number = isinstance(value, tree.Text) and not value.quoted and is_number(value.text)
        if operator not in ("=", "!=") and not number:
            shown = f'"{value.text}"' if isinstance(value, tree.Text) else "%"
            raise PatternError(f"Invalid character(s) in term '{shown}'", "a number", value.offset)
        if isinstance(value, tree.Text) and not value.quoted and value.text == "null" and subject.startswith("$"):
            raise PatternError("", "IS NULL", value.offset)
        return tree.Comparison(str(subject), str(operator), value)

    def is_constant(self, subject: Token, constant: Token) -> tree.IsConstant:
        return tree.IsConstant(str(subject), str(constant))  # type: ignore[arg-type]

    def not_exists(self, subject: Token) -> tree.NotExists:
        return tree.NotExists(str(subject))

    def all_of(self, *parts: tree.Condition) -> tree.Condition:
        return tree.AllOf(parts)

    def any_of(self, *parts: tree.Condition) -> tree.Condition:
        return tree.AnyOf(parts)

    def json(self, condition: tree.Condition) -> tree.Json:
        return tree.Json(condition)

    def ellipsis(self, dots: Token) -> Token:
        return dots

    def named(self, name: str) -> tree.Field:
        return tree.Field(name, None)

    def unnamed(self) -> tree.Field:
        return tree.Field("", None)

    def tested(self, condition: tree.Condition) -> tree.Field:
        names = [test.subject for test in conditions(condition)]  # type: ignore[union-attr]
        other = next((name for name in names if name.lower() != names[0].lower()), None)
        if other is not None:
            raise PatternError("", f"a condition of the field {names[0]} and of no other", self._places[other])
        return tree.Field(names[0], condition)

    def space(self, *fields: tree.Field | Token) -> tree.Space:
        places = [place for place, field in enumerate(fields) if isinstance(field, Token)]
        if len(places) > 1:
            raise PatternError("", "one ellipsis at most", _offset(fields[places[1]]))
        names = [field.name for field in fields if isinstance(field, tree.Field) and field.name]
        for name in names:
            if names.count(name) > 1:
                raise PatternError("", "a name that no other field has", self._places[name])
        place = places[0] if places else len(fields)
        kept = [field for field in fields if isinstance(field, tree.Field)]
        # `[]` is one unnamed field in the grammar, and matches every event that isn't blank.
        if kept == [tree.Field("", None)] and not places:
            return tree.Space((), True, ())
        return tree.Space(tuple(kept[:place]), bool(places), tuple(kept[place:]))


def _offset(token: Any) -> int:
    return int(token.start_pos)
