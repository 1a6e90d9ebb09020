"""The rules of composite alarms: parsed, and evaluated on the states of their alarms.

Source: PutCompositeAlarm (AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

StateOf = Callable[[str], "str | None"]
"""Returns the state of the alarm with a name or an ARN; None if there is no such alarm."""


class RuleError(ValueError):
    """A rule that can't be parsed."""


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("rule.lark").read_text()
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


@cache
def parse(rule: str) -> Tree[Token]:
    """Return the tree of a rule; raise RuleError with the column of a syntax error."""
    try:
        return _parser().parse(rule)
    except UnexpectedInput as error:
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            raise RuleError(f"column {len(rule) + 1}: the rule ends too early") from None
        raise RuleError(f"column {error.column}: {error.get_context(rule).strip()}") from None


def children(rule: str) -> list[str]:
    """Return the names or ARNs of the alarms in a rule, each once.

    >>> children('ALARM("SSH Rejects") AND NOT OK(other) OR ALARM("SSH Rejects")')
    ['SSH Rejects', 'other']
    """
    names = parse(rule).scan_values(lambda token: isinstance(token, Token) and token.type in ("QUOTED", "PLAIN"))
    return list(dict.fromkeys(_unquoted(str(name)) for name in names))


def elements(rule: str) -> int:
    """Count a rule's elements: mentions of alarms, TRUE, FALSE, and pairs of grouping parentheses.

    >>> elements('(ALARM(a) OR ALARM(b)) AND NOT (ALARM(a) OR FALSE)')
    6
    """
    return sum(node.data in _ELEMENTS for node in parse(rule).iter_subtrees())


_ELEMENTS = frozenset(("name", "true", "false", "group"))


def holds(rule: str, state_of: StateOf) -> bool:
    """Tell whether a rule is true for the current states of its alarms.

    A rule may be nested as deep as it is long, so it is evaluated from the innermost parts outwards, without recursion.
    """
    tree, known = parse(rule), dict[int, bool]()
    for node in tree.iter_subtrees():
        if node.data in _PARTS:
            known[id(node)] = _PARTS[node.data](node, state_of)
        elif node.data in _JOINED:
            # By identity: lark's trees compare and hash by content, which would walk the whole subtree each time.
            known[id(node)] = _JOINED[node.data](known[id(child)] for child in node.children)
    return known[id(tree)]


def _name(node: Tree[Token]) -> str:
    return _unquoted(str(node.children[0]))


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if text[0] in "\"'" else text


def _in_state(node: Any, state_of: StateOf) -> bool:
    state, name = node.children
    return bool(state_of(_name(name)) == state.upper())


def _at_least(node: Any, state_of: StateOf) -> bool:
    """Evaluate AT_LEAST(M, state, (alarms)): M alarms, or M percent of them, are in the state."""
    wanted, condition, *names = node.children
    *negated, state = condition.children
    count = sum((state_of(_name(name)) == state.upper()) != bool(negated) for name in names)
    least = math.ceil(len(names) * int(wanted[:-1]) / 100) if wanted.endswith("%") else int(wanted)
    return bool(count >= least)


_PARTS: dict[str, Callable[[Any, StateOf], bool]] = {
    "in_state": _in_state,
    "at_least": _at_least,
    "true": lambda node, state_of: True,
    "false": lambda node, state_of: False,
}
_JOINED: dict[str, Callable[[Iterable[bool]], bool]] = {
    "either": any,
    "both": all,
    "negative": lambda parts: not any(parts),
    "group": all,
}
