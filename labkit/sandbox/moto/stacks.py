"""Reads CloudFormation templates safely, before moto sees a request and wherever moto would read one itself.

moto loads templates with YAML's unsafe loader, so a template could run any code.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (sizes) and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html (addresses of objects).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from moto.cloudformation import custom_model, parsing, responses
from moto.cloudformation.exceptions import ValidationError
from moto.core.responses import ActionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeDeleteMarker, s3_backends

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto import json_text, services, templates

MAX_STACK_POLICY_BYTES = 16_384
_POLICIES = ("StackPolicyBody", "StackPolicyDuringUpdateBody")
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com")
_PATH_HOST = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|localhost|127\.0\.0\.1|\[?::1\]?")


def check_request(parameters: Mapping[str, str]) -> None:
    """Raise ValidationError for a request to CloudFormation with a template or stack policy that AWS rejects."""
    if "TemplateBody" in parameters:
        body = parameters["TemplateBody"]
        _check_length("templateBody", body, templates.MAX_BODY_BYTES)
        try:
            templates.read(body)
        except templates.TemplateError as error:
            raise ServiceError("ValidationError", str(error), detail=error.detail) from error
    for name in _POLICIES:
        if name in parameters:
            _check_length(name[0].lower() + name[1:], parameters[name], MAX_STACK_POLICY_BYTES)
            _check_policy(parameters[name])


def _check_length(name: str, value: str, most: int) -> None:
    low, size = 1, len(value.encode(errors="replace"))
    if not low <= size <= most:
        rule = f"greater than or equal to {low}" if size < low else f"less than or equal to {most}"
        raise ServiceError(
            "ValidationError",
            f"1 validation error detected: Value '{value[:100]}' at '{name}' failed to satisfy constraint: "
            f"Member must have length {rule}",
        )


def _check_policy(text: str) -> None:
    try:
        policy = json_text.loads(text)
    except json_text.JsonError as error:
        raise ServiceError(
            "ValidationError", "Error validating stack policy: Invalid policy", detail=str(error)
        ) from error
    if not isinstance(policy, dict):
        raise ServiceError("ValidationError", "Error validating stack policy: Invalid policy")


def load(text: str, Loader: Any = None) -> dict[str, Any]:
    """Replace `yaml.load` in moto's CloudFormation; raise moto's ValidationError for a template that AWS rejects."""
    try:
        return templates.read(text)
    except templates.TemplateError as error:
        raise ValidationError(message=str(error)) from error


def load_stack(text: str, Loader: Any = None) -> dict[str, Any]:
    """Replace `yaml.load` where moto makes a stack: raise ValidationError for a resource type that it can't make.

    moto would only warn, and make the stack without the resource.
    """
    template = load(text)
    if unknown := sorted({each["Type"] for each in template["Resources"].values()} - set(_types())):
        raise ValidationError(
            message=f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. "
            "The sandbox does not make these; docs/sandbox.md says which services it has."
        )
    if "Transform" in template:
        raise ValidationError(message=f"The sandbox runs no macros and transforms, such as {template['Transform']}.")
    return template


@cache
def _types() -> frozenset[str]:
    """Return the resource types that a stack may have: those of supported services, and those that make nothing."""
    packages = {f"moto.{name.replace('-', '')}." for name in services.ANSWERED.values()}
    made = {
        name
        for name, model in parsing.get_model_map().items()
        if model.__module__.startswith(("labkit.", *packages)) and model is not custom_model.CustomModel
    }
    return frozenset(made | {*parsing.NULL_MODELS, "AWS::CDK::Metadata"})


def _stand_in(load: Callable[..., dict[str, Any]]) -> SimpleNamespace:
    """Return a replacement for the module `yaml` in moto's CloudFormation, with only what moto uses of it."""
    return SimpleNamespace(load=load, Loader=None, add_multi_constructor=lambda prefix, constructor: None)


YAML = _stand_in(load)
STACK_YAML = _stand_in(load_stack)


def template_of_url(template_url: str, account_id: str, partition: str) -> str:
    """Return the template at a URL, from the sandbox's own S3 only; raise ValidationError if it can't be read."""
    bucket, key, version = _place(template_url)
    try:
        found = s3_backends[account_id][partition].get_object(bucket, key, version)
    except S3ClientError as error:
        raise ValidationError(message=_S3_ERROR.format(error.message)) from error
    if found is None or isinstance(found, FakeDeleteMarker):
        raise ValidationError(message=_S3_ERROR.format("The specified key does not exist."))
    # By the stored size, before the bytes are read: the object may be gigabytes.
    if found.contentsize > templates.MAX_BYTES:
        raise ValidationError(message=f"Template may not exceed {templates.MAX_BYTES} bytes in size.")
    try:
        text = bytes(found.value).decode()
    except UnicodeDecodeError as error:
        raise ValidationError(message="Template format error: unsupported structure.") from error
    load(text)
    return text


_S3_ERROR = (
    "S3 error: {}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
)


def _place(template_url: str) -> tuple[str, str, str | None]:
    """Return bucket, key and version (None if not given) in the URL of an object."""
    try:
        url = urlsplit(template_url)
        host = url.hostname or ""
    except ValueError:
        host = ""
    if virtual := _VIRTUAL_HOST.fullmatch(host):
        bucket, key = virtual["bucket"], url.path[1:]
    elif _PATH_HOST.fullmatch(host):
        bucket, _, key = url.path[1:].partition("/")
    else:
        raise ValidationError(message="TemplateURL must be a supported URL.")
    if url.scheme not in ("http", "https") or not (bucket and key):
        raise ValidationError(message="TemplateURL must reference a valid S3 object to which you have access.")
    version = parse_qs(url.query).get("versionId", [None])[0]
    return unquote(bucket), unquote(key), version


def validate_template(self: responses.CloudFormationResponse) -> ActionResult:
    """Answer ValidateTemplate from the template itself; moto would apply cfn-lint, whose rules aren't AWS's."""
    body = self._get_param("TemplateBody")
    if url := self._get_param("TemplateURL"):
        body = self._get_stack_from_s3_url(url)
    if not body:
        raise ValidationError(message="Either Template URL or Template Body must be specified.")
    template = load(body)
    parameters = [
        {
            "ParameterKey": name,
            "NoEcho": str(parameter.get("NoEcho", False)).lower() == "true",
            **({"DefaultValue": str(parameter["Default"])} if "Default" in parameter else {}),
            **({"Description": parameter["Description"]} if "Description" in parameter else {}),
        }
        for name, parameter in template.get("Parameters", {}).items()
    ]
    answer = {"Parameters": parameters, "Capabilities": _capabilities(template), "DeclaredTransforms": []}
    if "Description" in template:
        answer["Description"] = template["Description"]
    return ActionResult(answer)


_NAMES_IN_IAM = ("GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName")


def needing_capabilities(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    """Refuse a template that makes permissions unless the caller says that it may."""

    def operation(self: responses.CloudFormationResponse) -> ActionResult:
        body = self._get_param("TemplateBody")
        if url := self._get_param("TemplateURL"):
            body = self._get_stack_from_s3_url(url)
        needed = _capabilities(load(body)) if body else []
        given = set(self._get_param("Capabilities", []))
        if needed and not given & {*needed, "CAPABILITY_NAMED_IAM"}:
            raise ServiceError(
                "InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(needed)}]", status=400
            )
        return original(self)

    return operation


def _capabilities(template: dict[str, Any]) -> list[str]:
    """Return the capabilities that a stack needs: for IAM resources at all, or for IAM resources with given names.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
    """
    made = [each for each in template["Resources"].values() if each["Type"].startswith("AWS::IAM::")]
    if any(name in each.get("Properties", {}) for each in made for name in _NAMES_IN_IAM):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if made else []
