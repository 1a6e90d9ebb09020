"""Check what a template's parts say of one another: references, conditions, functions, and circles among them.

CloudFormation refuses such a template at once. moto looks a name up when it makes the resource that uses it, with half
of the stack made, and follows a circle until the interpreter stops it.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
_VARIABLE = re.compile(r"\$\{(?!!)([^{}]*)\}")
_INDEX = re.compile(r"[0-9]{1,6}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.:]+")


class TemplateReferenceError(ValueError):
    """What is wrong with a template, in CloudFormation's words."""


def check(template: Mapping[str, Any]) -> None:
    """Raise TemplateReferenceError for a name of nothing, a function without its arguments, or a circle."""
    resources = template.get("Resources", {})
    names = {*resources, *template.get("Parameters", {}), *PSEUDO_PARAMETERS}
    for section in ("Conditions", "Resources", "Outputs"):
        _check_functions(template.get(section, {}), template.get("Mappings", {}))
    _check_conditions(template)
    for section in ("Resources", "Outputs"):
        members = template.get(section, {})
        unknown = sorted({name for name in _referred(members) if name not in names} | _unknown_waits(members, names))
        if unknown:
            listed = ", ".join(unknown)
            message = f"Template format error: Unresolved resource dependencies [{listed}] in the {section} block"
            raise TemplateReferenceError(f"{message} of the template")
        for name in _attributed(members):
            if name not in resources:
                message = f"Template error: instance of Fn::GetAtt references undefined resource {name}"
                raise TemplateReferenceError(message)
    needs = {name: {*_waits(each), *_needed(each)} & set(resources) for name, each in resources.items()}
    if circle := _circle(needs):
        raise TemplateReferenceError(f"Circular dependency between resources: [{', '.join(circle)}]")


def _unknown_waits(members: Mapping[str, Any], names: set[str]) -> set[str]:
    return {name for each in members.values() for name in _waits(each) if name not in names}


def _waits(member: Mapping[str, Any]) -> list[str]:
    """Return what a resource's DependsOn names."""
    waits = member.get("DependsOn", [])
    return [name for name in (waits if isinstance(waits, list) else [waits]) if isinstance(name, str)]


def _functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each function in a value, with its argument."""
    if isinstance(value, dict):
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                yield name, argument
        for item in value.values():
            yield from _functions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _functions(item)


def _variables(argument: Any) -> list[str]:
    """Return the names in the text of an Fn::Sub that it gives no value of its own for."""
    text, own = argument if isinstance(argument, list) else (argument, {})
    return [name for name in _VARIABLE.findall(text) if name not in own]


def _referred(value: Any) -> Iterator[str]:
    for name, argument in _functions(value):
        if name == "Ref" and isinstance(argument, str):
            yield argument
        elif name == "Fn::Sub":
            yield from (each for each in _variables(argument) if "." not in each)


def _attributed(value: Any) -> Iterator[str]:
    for name, argument in _functions(value):
        if name == "Fn::GetAtt" and isinstance(argument[0], str):
            yield argument[0]
        elif name == "Fn::Sub":
            yield from (each.partition(".")[0] for each in _variables(argument) if "." in each)


def _needed(member: Mapping[str, Any]) -> set[str]:
    """Return the resources that one is made of for certain: not those in a branch of an Fn::If."""
    properties = _without_branches(member.get("Properties", {}))
    return {*_referred(properties), *_attributed(properties)}


def _without_branches(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_branches(item) for name, item in value.items() if name != "Fn::If"}
    if isinstance(value, list):
        return [_without_branches(item) for item in value]
    return value


def _circle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return what can't be made because it needs itself, by way of others or not, or needs one of those."""
    left = {name: set(needed) for name, needed in needs.items()}
    while ready := {name for name, needed in left.items() if not needed}:
        left = {name: needed - ready for name, needed in left.items() if name not in ready}
    return list(left)


def _check_conditions(template: Mapping[str, Any]) -> None:
    conditions = template.get("Conditions", {})
    parameters = {*template.get("Parameters", {}), *PSEUDO_PARAMETERS}
    for condition in conditions.values():
        if not isinstance(condition, dict) or len(condition) != 1 or next(iter(condition)) not in _DECIDING:
            raise TemplateReferenceError(
                "Template format error: Conditions can only be boolean operations on parameters"
            )
    if unknown := sorted({name for name in _referred(conditions) if name not in parameters}):
        message = f"Template format error: Unresolved dependencies [{', '.join(unknown)}]. "
        raise TemplateReferenceError(f"{message}Cannot reference resources in the Conditions block of the template")
    used = {name: set(_conditions_in(condition)) for name, condition in conditions.items()}
    _check_known({name for names in used.values() for name in names}, conditions, "Conditions")
    for section in ("Resources", "Outputs"):
        members = template.get(section, {})
        names = {each["Condition"] for each in members.values() if isinstance(each.get("Condition"), str)}
        names |= {argument[0] for name, argument in _functions(members) if name == "Fn::If"}
        _check_known(names, conditions, section)
    if circle := _circle(used):
        message = f"Template error: Found circular condition dependency between {' and '.join(circle[:2])}"
        raise TemplateReferenceError(message)


_DECIDING = frozenset({"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Condition"})


def _conditions_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Condition"), str):
            yield value["Condition"]
        for item in value.values():
            yield from _conditions_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _conditions_in(item)


def _check_known(names: Iterable[str], conditions: Mapping[str, Any], section: str) -> None:
    for name in sorted(names):
        if name not in conditions:
            message = f"Template format error: Unresolved condition dependency {name} in the {section} block"
            raise TemplateReferenceError(f"{message} of the template")


def _has(number: int, *kinds: type) -> Callable[[Any], bool]:
    """Return whether an argument is a list of so many, of which the first are of these kinds, or functions."""

    def fits(argument: Any) -> bool:
        return (
            isinstance(argument, list)
            and len(argument) == number
            and all(isinstance(each, (kind, dict)) for each, kind in zip(argument, kinds, strict=False))
        )

    return fits


def _is_sub(argument: Any) -> bool:
    if isinstance(argument, str):
        return True
    return isinstance(argument, list) and [type(each) for each in argument] == [str, dict]


def _is_select(argument: Any) -> bool:
    if not (isinstance(argument, list) and len(argument) == 2):
        return False
    index, choices = argument
    return (isinstance(index, dict) or _INDEX.fullmatch(str(index)) is not None) and isinstance(choices, (list, dict))


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Ref": (
        lambda argument: isinstance(argument, str) and argument != "",
        "Template format error: every Ref object must have a single String value.",
    ),
    "Fn::Equals": (_has(2), "Template error: every Fn::Equals object requires a list of 2 string parameters."),
    "Fn::FindInMap": (
        _has(3, str, str, str),
        "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
        "attribute for return value",
    ),
    "Fn::GetAtt": (
        lambda argument: _has(2, str, str)(argument) and all(argument),
        "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
        "resource attribute",
    ),
    "Fn::If": (
        lambda argument: _has(3)(argument) and isinstance(argument[0], str),
        "Template error: Fn::If requires a list argument with three elements",
    ),
    "Fn::Join": (
        lambda argument: _has(2)(argument) and isinstance(argument[0], str) and isinstance(argument[1], (list, dict)),
        "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
    ),
    "Fn::Not": (_has(1, dict), "Template error: every Fn::Not object requires one boolean parameter."),
    "Fn::Select": (
        _is_select,
        "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    "Fn::Split": (
        lambda argument: _has(2, str, str)(argument) and isinstance(argument[0], str),
        "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to "
        "be split or a function that returns a string to be split.",
    ),
    "Fn::Sub": (
        _is_sub,
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string "
        "as first argument, and an optional second argument to specify a mapping of values to replace in the string",
    ),
} | {
    name: (
        lambda argument: isinstance(argument, list) and 2 <= len(argument) <= 10,
        f"Template error: every {name} object requires a list of at least 2 and at most 10 boolean parameters.",
    )
    for name in ("Fn::And", "Fn::Or")
}


def _check_functions(value: Any, mappings: Mapping[str, Any]) -> None:
    for name, argument in _functions(value):
        fits, message = _RULES.get(name, (lambda _: True, ""))
        if not fits(argument):
            raise TemplateReferenceError(message)
        if name == "Fn::Sub" and not all(_VARIABLE_NAME.fullmatch(each) for each in _variables(argument)):
            message = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters"
            raise TemplateReferenceError(f"{message}, underscores, periods, and colons")
        if name == "Fn::Select" and isinstance(argument[1], list) and not isinstance(argument[0], dict):
            if int(argument[0]) < len(argument[1]):
                continue
            message = f"Template error: Fn::Select cannot select nonexistent value at index {argument[0]}"
            raise TemplateReferenceError(message)
        if name == "Fn::FindInMap" and isinstance(argument[0], str) and argument[0] not in mappings:
            message = f"Template error: Mapping named '{argument[0]}' is not present in the 'Mappings' section of"
            raise TemplateReferenceError(f"{message} template.")
