"""Reads CloudFormation templates, in YAML or JSON, as CloudFormation does: as data that can't run anything.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html (YAML 1.1 without aliases,
hash merges and the tags binary, omap, pairs, set and timestamp),
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html. Of a key that occurs twice,
CloudFormation takes the last value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

from labkit.sandbox.moto import json_text, template_references

MAX_BYTES = 1_000_000
"""The largest template that CloudFormation reads from S3."""
MAX_BODY_BYTES = 51_200
"""The largest template that it accepts in a request."""
MAX_RESOURCES = 500
MAX_DESCRIPTION_BYTES = 1024

_FUNCTIONS = (
    "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "GetStackOutput", "If", "ImportValue", "Join",
    "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform",
)  # fmt: skip
_SHORT_TAGS = {f"!{name}": f"Fn::{name}" for name in _FUNCTIONS} | {"!Ref": "Ref", "!Condition": "Condition"}
# Every other tag is an error: even a safe one (binary, set, timestamp) has no counterpart in JSON.
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str"))
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class TemplateError(ValueError):
    """CloudFormation's error for a template that it rejects; `detail` says more than CloudFormation does."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


def read(text: str) -> dict[str, Any]:
    """Return a template in the form that moto expects, with short tags (`!Ref`) in their long form.

    Raise TemplateError, in CloudFormation's words, for a template that it rejects.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise TemplateError(f"Template may not exceed {MAX_BYTES} bytes in size.")
    template = _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)
    if not isinstance(template, dict):
        raise TemplateError("Template format error: unsupported structure.")
    _check_values(template, "")
    _check_sections(template)
    try:
        template_references.check(template)
    except template_references.TemplateReferenceError as error:
        raise TemplateError(str(error)) from error
    return template


def _read_json(text: str) -> Any:
    try:
        return json_text.loads(text)
    except json_text.JsonError as error:
        raise _malformed("JSON", error.line, error.column, str(error)) from error


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's safe loader, with CloudFormation's short tags, and with dates left as text."""


def _read_yaml(text: str) -> Any:
    try:
        _check_events(text)  # before the load, which recurses as deep as the text is nested
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _malformed("YAML", line, column, error.problem or error.context or "") from error
    except TemplateError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # a character that YAML forbids, or a number that can't be one
        raise _malformed("YAML", 1, 1, str(error)) from error


def _check_events(text: str) -> None:
    """Raise TemplateError for what must not be composed: aliases, which can multiply, deep nesting, unknown tags."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.AliasEvent):
            raise TemplateError("Template error: YAML aliases are not allowed in CloudFormation templates")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!") and tag not in _SHORT_TAGS and tag not in _PLAIN_TAGS:
            raise _malformed("YAML", line, column, f"{tag} is not a tag of CloudFormation's")
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > json_text.MAX_DEPTH:
            raise _malformed("YAML", line, column, f"nested more than {json_text.MAX_DEPTH} levels deep")


def _malformed(language: str, line: int, column: int, detail: str) -> TemplateError:
    message = f"Template format error: {language} not well-formed. (line {line}, column {column})"
    return TemplateError(message, detail)


def _construct_function(loader: Any, node: yaml.Node) -> dict[str, Any]:
    """Return `!Sub x` as `{"Fn::Sub": x}`."""
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = _construct_mapping(loader, node)
    return _function(_SHORT_TAGS[node.tag], argument)


def _construct_mapping(loader: Any, node: yaml.Node) -> dict[str, Any]:
    """Return a mapping with text keys; mark one with other keys, for which `_check_values` raises the error."""
    assert isinstance(node, yaml.MappingNode)
    made = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            # The error names the path, which isn't known yet: _check_values finds the mark and raises it.
            return {_ODD_KEY: _received(key)}
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_ODD_KEY = "\0odd key"


def _received(key: Any) -> str:
    if isinstance(key, dict):
        return "a map"
    if isinstance(key, list):
        return "a list"
    if isinstance(key, bool):
        return f"boolean [{str(key).lower()}]"
    return "'null'" if key is None else f"numeric [{key}]"


def _construct_float(loader: Any, node: Any) -> float | str:
    """Return a number; infinity and NaN, which JSON lacks, stay texts."""
    number: float = loader.construct_yaml_float(node)
    return number if math.isfinite(number) else str(node.value)


def _function(name: str, argument: Any) -> dict[str, Any]:
    if name == "Fn::GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {name: argument}


for _tag in _SHORT_TAGS:
    _Loader.add_constructor(_tag, _construct_function)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
# Without these resolvers a date such as AWSTemplateFormatVersion stays the text that it is in CloudFormation, and `<<`
# stays a key, for which CloudFormation has an error.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge", ":value"))]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _check_values(value: Any, path: str) -> None:
    """Raise TemplateError for nulls, hash merges and keys that aren't text; turn Fn::GetAtt into moto's list form."""
    if isinstance(value, dict):
        if _ODD_KEY in value:
            where = f"[{path}] " if path else ""
            message = f"Template format error: {where}map keys must be strings; received {value[_ODD_KEY]} instead"
            raise TemplateError(message)
        if "<<" in value:
            raise TemplateError(f"Template format error: [{path}] hash merges are not supported")
        if isinstance(value.get("Fn::GetAtt"), str):
            value.update(_function("Fn::GetAtt", value["Fn::GetAtt"]))
    for name, item in _items(value):
        if item is None:
            raise TemplateError(f"[{path}/{name}] 'null' values are not allowed in templates")
        _check_values(item, f"{path}/{name}")


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _check_sections(template: dict[str, Any]) -> None:
    for section in ("Conditions", "Mappings", "Metadata", "Outputs", "Parameters", "Resources"):
        members = template.get(section, {})
        if not isinstance(members, dict):
            raise TemplateError(f"Template format error: {section} must be an object.")
        if section in ("Outputs", "Parameters", "Resources"):
            for member in members.values():
                if not isinstance(member, dict):
                    raise TemplateError(f"Template format error: Any {section} member must be an object.")
    _check_description(template.get("Description", ""))
    _check_parameters(template.get("Parameters", {}))
    _check_resources(template.get("Resources", {}))
    for output in template.get("Outputs", {}).values():
        if "Value" not in output:
            raise TemplateError("Template format error: Every Outputs member must contain a Value object")


def _check_description(description: Any) -> None:
    if not isinstance(description, str):
        raise TemplateError("Template format error: Description must be a string.")
    if len(description.encode()) > MAX_DESCRIPTION_BYTES:
        message = f"Template format error: 'Description' length is greater than {MAX_DESCRIPTION_BYTES}."
        raise TemplateError(message)


def _check_parameters(parameters: dict[str, Any]) -> None:
    for parameter in parameters.values():
        if not isinstance(parameter.get("Type"), str):
            raise TemplateError("Template format error: Every Parameters object must contain a Type member.")


def _check_resources(resources: dict[str, Any]) -> None:
    if not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    if len(resources) > MAX_RESOURCES:
        raise TemplateError(
            f"Template format error: Number of resources, {len(resources)}, is greater than maximum allowed, "
            f"{MAX_RESOURCES}"
        )
    for name, resource in resources.items():
        if not (name.isascii() and name.isalnum()):
            raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
        if not isinstance(resource.get("Type"), str):
            raise TemplateError(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            )
        if not isinstance(resource.get("Properties", {}), dict):
            raise TemplateError(f"Template format error: [/Resources/{name}/Properties] must be an object.")
