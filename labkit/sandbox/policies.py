"""Policy documents: whether one lets somebody do something.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Request:
    """Who wants to do what to which resource. `principal` is a service (`delivery.logs.amazonaws.com`) or None."""

    action: str
    resource: str
    principal: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    """The condition keys of the request, in lower case."""


def allows(documents: Iterable[str], request: Request) -> bool:
    """Whether some statement allows the request and none denies it.

    A document that is no JSON, or a condition operator that is not known here, allows nothing and denies nothing.
    """
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in _statements(document)
        if _applies(statement, request)
    }
    return "Allow" in effects and "Deny" not in effects


def _statements(document: str) -> list[dict[str, Any]]:
    try:
        statements = json.loads(document).get("Statement", [])
    except (ValueError, AttributeError):
        return []
    several = statements if isinstance(statements, list) else [statements]
    return [statement for statement in several if isinstance(statement, dict)]


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _names(statement, "Action", request.action.lower(), str.lower)
        and _names(statement, "Resource", request.resource, str)
        and _is_principal(statement, request)
        and all(
            _condition_holds(operator, conditions, request.context)
            for operator, conditions in statement.get("Condition", {}).items()
        )
    )


def _names(statement: Mapping[str, Any], element: str, value: str, fold: Callable[[str], str]) -> bool:
    """Whether an element, or its opposite (NotAction), covers a value; a trust policy has no Resource."""
    if f"Not{element}" in statement:
        return not any(_like(fold(pattern), value) for pattern in _list(statement[f"Not{element}"]))
    if element not in statement:
        return element == "Resource"
    return any(_like(fold(pattern), value) for pattern in _list(statement[element]))


def _is_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if request.principal is None:
        return True
    principal = statement.get("Principal")
    if principal == "*":
        return True
    services = _list(principal.get("Service", [])) if isinstance(principal, dict) else []
    everybody = isinstance(principal, dict) and "*" in _list(principal.get("AWS", []))
    return everybody or request.principal in services


def _condition_holds(operator: str, conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Every key of a condition must hold, and one of a key's values is enough (all must differ for a negated one)."""
    if_exists = operator.endswith("IfExists")
    test = _OPERATORS.get(operator.removesuffix("IfExists"))
    if test is None:
        return False
    for key, values in conditions.items():
        actual = context.get(key.lower())
        if actual is None:
            if not if_exists and not test.negated:
                return False
        elif any(test.holds(str(value), actual) for value in _list(values)) == test.negated:
            return False
    return True


@dataclass(frozen=True)
class _Operator:
    holds: Callable[[str, str], bool]
    negated: bool = False


def _like(pattern: str, value: str) -> bool:
    return _wildcards(pattern).fullmatch(value) is not None


@lru_cache(maxsize=256)
def _wildcards(pattern: str) -> re.Pattern[str]:
    """`*` is any text and `?` any character."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_OPERATORS = {
    "StringEquals": _Operator(_equal),
    "StringNotEquals": _Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": _Operator(_equal_ignoring_case),
    "StringLike": _Operator(_like),
    "StringNotLike": _Operator(_like, negated=True),
    "ArnEquals": _Operator(_like),
    "ArnNotEquals": _Operator(_like, negated=True),
    "ArnLike": _Operator(_like),
    "ArnNotLike": _Operator(_like, negated=True),
    "Bool": _Operator(_equal_ignoring_case),
}


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
