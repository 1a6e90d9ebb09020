"""Search expressions: find the metrics of SEARCH() by their names, dimensions and namespaces.

Source: CloudWatch User Guide, "CloudWatch search expression syntax" (search-expression-syntax.html).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from labkit.sandbox.alarms.functions import ExpressionError
from labkit.sandbox.alarms.samples import Metric

MAX_LENGTH = 1024
"""The maximum length of a search query in characters."""

_TOKEN = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_SEPARATORS = re.compile(r"[\W_]+")


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("search.lark").read_text()
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


@cache
def _parse(query: str) -> Tree[Token]:
    if len(query) > MAX_LENGTH:
        raise ExpressionError(f"The query of SEARCH has {len(query)} characters, more than {MAX_LENGTH}")
    try:
        parsed = _parser().parse(query)
    except UnexpectedInput as error:
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            raise ExpressionError("Syntax error in the query of SEARCH: it ends too early") from None
        raise ExpressionError(
            f"Syntax error in the query of SEARCH at column {error.column}: {error.get_context(query).strip()}"
        ) from None
    if not parsed.children:
        raise ExpressionError("SEARCH needs a metric schema, a search term, or both")
    return parsed


def found(query: str, metrics: Iterable[Metric]) -> list[Metric]:
    """Return the metrics that a query finds, sorted; raise ExpressionError for a query that can't be parsed.

    >>> metrics = [Metric.of("Lab", "CustomCount1"), Metric.of("Lab", "Bytes", {"Eni": "eni-0a1"})]
    >>> [metric.name for metric in found("{Lab} Count", metrics)]
    ['CustomCount1']
    """
    conditions: list[Any] = _parse(query).children
    return sorted(metric for metric in metrics if all(_holds(condition, metric) for condition in conditions))


def tokens(text: str) -> list[str]:
    """Split a name into tokens: at capitals, at numbers, and at anything that is neither letter nor digit.

    >>> tokens("Project2-trial333"), tokens("SDBFailure")
    (['Project', '2', 'trial', '333'], ['SDB', 'Failure'])
    """
    return _TOKEN.findall(text)


def matches(term: str, text: str) -> bool:
    """Tell whether a name contains the tokens of a term, one after the other.

    A word of one token matches in any case, and so does the whole name. In a word of several tokens the capitals
    separate the tokens, so their case has to match.

    >>> matches("COUNT", "CustomCount1"), matches("Count1", "CustomCount1"), matches("count1", "CustomCount1")
    (True, True, False)
    """
    words = [tokens(word) for word in _SEPARATORS.split(term) if word]
    wanted = [(token, len(word) > 1) for word in words for token in word]
    held = tokens(text)
    starts = range(len(held) - len(wanted) + 1)
    return bool(wanted) and (_whole(term) == _whole(text) or any(_consecutive(wanted, held[at:]) for at in starts))


def _whole(text: str) -> str:
    return _SEPARATORS.sub("", text).lower()


def _consecutive(wanted: list[tuple[str, bool]], held: list[str]) -> bool:
    pairs = zip(wanted, held, strict=False)
    return all(token == other if exactly else token.lower() == other.lower() for (token, exactly), other in pairs)


def _holds(node: Any, metric: Metric) -> bool:
    return _NODES[node.data](node, metric)


def _text(node: Any) -> str:
    token = str(node.children[0])
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _of_schema(node: Any, metric: Metric) -> bool:
    """Tell whether a metric has the schema's namespace and exactly its dimensions."""
    namespace, *dimensions = (_text(name) for name in node.children)
    return metric.namespace == namespace and {name for name, _ in metric.dimensions} == set(dimensions)


def _value_matches(node: Any, texts: Iterable[str]) -> bool:
    wanted = _text(node)
    if node.children[0].type == "EXACT":
        return wanted in texts
    return any(matches(wanted, text) for text in texts)


def _anywhere(node: Any, metric: Metric) -> bool:
    texts = [metric.namespace, metric.name, *(text for dimension in metric.dimensions for text in dimension)]
    return _value_matches(node.children[0], texts)


def _property(node: Any, metric: Metric) -> bool:
    name, *values = node.children
    known = dict(metric.dimensions) | {"MetricName": metric.name, "Namespace": metric.namespace}
    if _text(name) == ":aws.AccountId":
        raise ExpressionError("SEARCH by account is not available in the sandbox, which has one account")
    texts = [known[_text(name)]] if _text(name) in known else []
    return any(_value_matches(value, texts) for value in values)


_NODES: dict[str, Callable[[Any, Metric], bool]] = {
    "schema": _of_schema,
    "anywhere": _anywhere,
    "property": _property,
    "either": lambda node, metric: any(_holds(child, metric) for child in node.children),
    "both": lambda node, metric: all(_holds(child, metric) for child in node.children),
    "negative": lambda node, metric: not _holds(node.children[0], metric),
}
