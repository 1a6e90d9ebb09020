"""Policy documents: whether one lets somebody do something.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
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

    A document that is no JSON, a statement that is not made as one should be, and a condition operator that is not
    known here allow nothing and deny nothing.
    """
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in _statements(document)
        if _applies(statement, request)
    }
    return "Allow" in effects and "Deny" not in effects


def several(element: Any) -> list[Any]:
    """What an element of a policy lists; one thing may stand there without a list around it."""
    return element if isinstance(element, list) else [element]


@lru_cache(maxsize=256)
def _statements(document: str) -> list[dict[str, Any]]:
    try:
        statements = json.loads(document).get("Statement", [])
    except (ValueError, AttributeError):
        return []
    return [statement for statement in several(statements) if isinstance(statement, dict)]


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict) or not all(isinstance(each, dict) for each in conditions.values()):
        return False
    return (
        _names(statement, "Action", request.action.lower(), str.lower)
        and _names(statement, "Resource", request.resource, str)
        and _is_principal(statement, request)
        and all(_condition_holds(name, keys, request.context) for name, keys in conditions.items())
    )


def _names(statement: Mapping[str, Any], element: str, value: str, fold: Callable[[str], str]) -> bool:
    """Whether an element, or its opposite (NotAction), covers a value; a trust policy has no Resource."""
    if f"Not{element}" in statement:
        return not any(_like(fold(str(pattern)), value) for pattern in several(statement[f"Not{element}"]))
    if element not in statement:
        return element == "Resource"
    return any(_like(fold(str(pattern)), value) for pattern in several(statement[element]))


def _is_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if request.principal is None:
        return True
    if "NotPrincipal" in statement:
        return not _includes(statement["NotPrincipal"], request.principal)
    return _includes(statement.get("Principal"), request.principal)


def _includes(principal: Any, service: str) -> bool:
    """Whether a Principal element covers a service."""
    if principal == "*":
        return True
    services = several(principal.get("Service", [])) if isinstance(principal, dict) else []
    everybody = isinstance(principal, dict) and "*" in several(principal.get("AWS", []))
    return everybody or service in services


def _condition_holds(name: str, conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Every key of a condition must hold, and one of a key's values is enough (all must differ for a negated one)."""
    if_exists = name.endswith("IfExists") or name.startswith("ForAllValues:")  # of no value at all, all are
    name = name.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")  # a key has one value here
    if name == "Null":
        return all(_is_null(context.get(key.lower()), value) for key, value in conditions.items())
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    holds = _OPERATORS.get(_NEGATED.get(name, name))
    if holds is None:
        return False
    for key, values in conditions.items():
        actual = context.get(key.lower())
        if actual is None:
            if not if_exists and not negated:
                return False
        elif any(holds(str(value), actual) for value in several(values)) == negated:
            return False
    return True


def _is_null(actual: str | None, wanted: Any) -> bool:
    """Whether a key that is to be absent ("true") or present ("false") is."""
    return any(str(value).lower() == ("true" if actual is None else "false") for value in several(wanted))


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


def _moment(text: str) -> float:
    """A date as IAM has it, ISO 8601 or seconds since the epoch, as seconds since the epoch."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _compared(read: Callable[[str], float], compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    """Compares the request's value with the policy's, by what they stand for; what can't be read is not alike."""

    def holds(pattern: str, value: str) -> bool:
        try:
            return compare(read(value), read(pattern))
        except ValueError:
            return False

    return holds


def _in_network(pattern: str, value: str) -> bool:
    try:
        return ip_address(value) in ip_network(pattern, strict=False)
    except ValueError:
        return False


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    **{f"Numeric{name}": _compared(float, compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _compared(_moment, compare) for name, compare in _COMPARISONS.items()},
    "Bool": _equal_ignoring_case,
    "IpAddress": _in_network,
    "ArnEquals": _like,
    "ArnLike": _like,
}
"""Whether a value of the policy and the request's value go together."""
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
"""The operators that hold where another does not."""
