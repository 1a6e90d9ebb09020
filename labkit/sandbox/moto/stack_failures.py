"""What becomes of a stack that can't be made, changed or deleted as asked: it says so, and nothing stays half-made.

moto lets the failure of a resource end the request, with the resources before it made and the stack `IN_PROGRESS` for
ever. AWS answers with the stack's id, rolls back, and tells why in the stack's events.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from moto.cloudformation.exceptions import MissingParameterError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import OutputMap, ResourceMap, parse_and_update_resource
from moto.core.exceptions import ServiceException
from moto.s3.models import FakeBucket, s3_backends
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from labkit.sandbox.kernel.errors import ServiceError

LOG = logging.getLogger(__name__)

Original = Callable[..., Any]
_ROLLED_BACK = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_CULPRIT = "logical_id_of_the_resource"


class NotMadeError(Exception):
    """A resource that could not be made, or not changed, as its message says."""


def naming_the_culprit(original: Original) -> Original:
    """Have the failure of a resource carry its name."""

    def parse_and_create_resource(logical_id: str, resource_json: Any, *args: Any, **options: Any) -> Any:
        try:
            return original(logical_id, resource_json, *args, **options)
        except Exception as error:
            if not hasattr(error, _CULPRIT):  # another that this one needs, perhaps
                setattr(error, _CULPRIT, (logical_id, resource_json["Type"]))
            raise

    return parse_and_create_resource


def rolling_back(original: Original) -> Original:
    """Have CreateStack roll back what can't be completed."""

    def create_stack(self: CloudFormationBackend, *args: Any, **options: Any) -> Stack:
        known = set(self.stacks)
        try:
            return original(self, *args, **options)  # type: ignore[no-any-return]
        except Exception as error:
            stack = next((each for id_, each in self.stacks.items() if id_ not in known), None)
            if stack is None:  # what is wrong with the request is said at once
                raise
            _roll_back_creation(self, stack, error)
            return stack

    return create_stack


def with_outputs(original: Original) -> Original:
    """Read a stack's outputs before it is complete: what is wrong with them would fail every DescribeStacks."""

    def mark_creation_complete(self: Stack) -> None:
        _ = self.outputs
        original(self)

    return mark_creation_complete


def embedded(original: Original) -> Original:
    """Have a stack fail with one that is embedded in it."""

    def create_from_cloudformation_json(*args: Any, **options: Any) -> Stack:
        stack: Stack = original.__func__(Stack, *args, **options)  # type: ignore[attr-defined]
        if stack.status in _ROLLED_BACK:
            cloudformation_backends[stack.account_id][stack.region_name].delete_stack(stack.stack_id)
            reason = _reason_of_failure(stack)
            raise NotMadeError(f"Embedded stack {stack.stack_id} was not successfully created: {reason}")
        return stack

    return create_from_cloudformation_json


def updating_or_rolling_back(original: Original) -> Original:
    """Have UpdateStack go back to the template before if it can't follow the new one."""

    def update(self: Stack, template: str, role_arn: Any = None, parameters: Any = None, tags: Any = None) -> None:
        _check_parameters(self.parse_template(template), parameters or self.parameters)
        before = self.template, self.template_dict, self.resource_map.input_parameters
        try:
            original(self, template, role_arn, parameters, tags)
            _ = self.outputs
        except Exception as error:
            _roll_back_update(self, before, error)

    return update


def executing_or_rolling_back(original: Original) -> Original:
    """Have ExecuteChangeSet do what CreateStack and UpdateStack do, with failures and outputs."""

    def execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        found = [each for each in self.change_sets.values() if change_set_name in _names(each)]
        stack = self.stacks.get(found[-1].stack_id) if found else None
        if stack is None:
            original(self, change_set_name, stack_name)  # which says what is wrong
            return
        change_set = found[-1]
        before = stack.template, stack.template_dict, stack.resource_map.input_parameters
        try:
            original(self, change_set_name, stack_name)
            stack.parameters = change_set.parameters or stack.parameters
            _follow_template(self, stack, change_set)
        except Exception as error:
            change_set.execution_status = "EXECUTE_FAILED"
            if change_set.change_set_type == "CREATE":
                _roll_back_creation(self, stack, error)
            else:
                _roll_back_update(stack, before, error)

    return execute_change_set


def deleting_or_keeping(original: Original) -> Original:
    """Have DeleteStack keep a stack with what could not be deleted."""

    def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
        before = dict(self.stacks)
        try:
            original(self, name_or_stack_id)
        except Exception as error:
            for id_, stack in before.items():
                if id_ not in self.stacks and id_ not in self.deleted_stacks:
                    self.stacks[id_] = stack
                    stack.status = "DELETE_FAILED"
                    _note(stack, "DELETE_FAILED", _reason(error))
        for id_ in before.keys() - self.stacks.keys():
            _forget_template(before[id_])

    return delete_stack


def keeping_what_is_full(original: Original) -> Original:
    """Have a stack fail to delete a bucket that has objects, where moto leaves the bucket and says nothing."""

    def delete_from_cloudformation_json(name: str, definition: Any, account_id: str, region: str) -> None:
        original.__func__(FakeBucket, name, definition, account_id, region)  # type: ignore[attr-defined]
        if name in s3_backends[account_id][get_partition(region)].buckets:
            raise NotMadeError(f"The bucket {name} is not empty. You must delete all versions in the bucket.")

    return delete_from_cloudformation_json


def update_resources(self: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Stand in for ResourceMap.update, in AWS's order: make, change, and at last delete what is no more needed.

    moto deletes first, and takes what it has deleted for made when a later template names it again.
    """
    changes = self.build_resource_diff(template, parameters)
    old = self._resource_json_map
    self._template = template
    if parameters:
        self.input_parameters = parameters
    self.load_mapping()
    self.load_parameters()
    self.load_conditions()
    self._resource_json_map = template["Resources"]
    for name in changes["Add"]:
        _ = self[name]
    for name in changes["Modify"]:
        _change_resource(self, name)
    _remove(self, {name: old[name] for name in changes["Remove"]})


def _change_resource(resources: ResourceMap, name: str) -> None:
    definition = resources._resource_json_map[name]
    try:
        changed = parse_and_update_resource(
            name, definition, resources, account_id=resources._account_id, region_name=resources._region_name
        )
        if changed is None:
            raise NotMadeError(f"The sandbox can't change a resource of the type {definition['Type']} in a stack.")
    except Exception as error:
        setattr(error, _CULPRIT, (name, definition["Type"]))
        raise
    resources._parsed_resources[name] = changed


def _remove(resources: ResourceMap, definitions: dict[str, Any]) -> Exception | None:
    """Delete resources, the last first, again and again while that gets on; return why the rest can't be deleted."""
    made = [name for name in resources._parsed_resources if name in definitions]
    left = [name for name in made if definitions[name].get("DeletionPolicy") != "Retain"]
    for name in set(made) - set(left):
        resources._parsed_resources.pop(name)
    failure: Exception | None = None
    while left:
        kept: list[str] = []
        for name in reversed(left):
            try:
                resources._delete_resource(resources._parsed_resources[name], definitions[name])
            except Exception as error:  # others may have to go before
                failure = error
                kept.insert(0, name)
            else:
                resources._parsed_resources.pop(name)
        if kept == left:
            LOG.info("what a stack made can't be deleted: %s: %s", ", ".join(left), failure)
            return failure
        left = kept
    return None


def _roll_back_creation(backend: CloudFormationBackend, stack: Stack, error: Exception) -> None:
    reason = _note_failure(stack, "CREATE_FAILED", error)
    _note(stack, "ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
    failure = _remove(stack.resource_map, stack.resource_map._resource_json_map)
    stack.status = "ROLLBACK_FAILED" if failure else "ROLLBACK_COMPLETE"
    _note(stack, stack.status, _reason(failure) if failure else None)
    for name in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    _forget_template(stack)


def _roll_back_update(stack: Stack, before: tuple[Any, dict[str, Any], dict[str, Any]], error: Exception) -> None:
    reason = _note_failure(stack, "UPDATE_FAILED", error)
    _note(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
    stack.template, stack.template_dict, parameters = before
    failure = None
    try:
        stack.resource_map.update(stack.template_dict, parameters)
        stack.resource_map.input_parameters = parameters
    except Exception as error:
        failure = error
    stack.output_map = stack._create_output_map()
    stack.status = "UPDATE_ROLLBACK_FAILED" if failure else "UPDATE_ROLLBACK_COMPLETE"
    _note(stack, stack.status, _reason(failure) if failure else None)


def _follow_template(backend: CloudFormationBackend, stack: Stack, change_set: ChangeSet) -> None:
    """Give a stack the outputs, exports and description of the template that it was given by a change set."""
    stack._parse_template()
    stack.description = stack.template_dict.get("Description")
    stack.output_map = stack._create_output_map()
    _ = stack.outputs
    if change_set.change_set_type == "CREATE":
        stack.cross_stack_resources = backend.exports
        backend._validate_export_uniqueness(stack)
        backend.exports.update({export.name: export for export in stack.exports})


def _forget_template(stack: Stack) -> None:
    """Keep of a stack's template what was made of it: moto makes the rest when somebody looks at it."""
    resources = stack.resource_map
    resources._resource_json_map = {
        name: definition
        for name, definition in resources._resource_json_map.items()
        if name in resources._parsed_resources
    }
    stack.output_map = OutputMap(resources, {}, stack.stack_id)


def _check_parameters(template: dict[str, Any], given: Any) -> None:
    for name, parameter in template.get("Parameters", {}).items():
        if "Default" not in parameter and name not in given:
            raise MissingParameterError(name)


def _names(change_set: ChangeSet) -> tuple[str, str]:
    return change_set.change_set_id, change_set.change_set_name


def _note_failure(stack: Stack, status: str, error: Exception) -> str:
    """Write down which resource failed, and why; return what that means for the stack."""
    logical_id, kind = getattr(error, _CULPRIT, (None, None))
    if logical_id is None:
        return _reason(error)
    _note(stack, status, _reason(error), logical_id, kind)
    verb = "create" if status == "CREATE_FAILED" else "update"
    return f"The following resource(s) failed to {verb}: [{logical_id}]."


def _note(
    stack: Stack, status: str, reason: str | None = None, logical_id: str | None = None, kind: str | None = None
) -> None:
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=logical_id or stack.name,
        physical_resource_id="" if logical_id else stack.stack_id,
        resource_type=kind or "AWS::CloudFormation::Stack",
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    stack.events.append(event)


def _reason(error: Exception) -> str:
    """Return why something failed, in AWS's words where it is an error of AWS's."""
    if isinstance(error, RecursionError):
        return "Circular dependency between resources"
    if isinstance(error, (NotMadeError, NotImplementedError)):
        return str(error)
    if isinstance(error, (HTTPException, ServiceException, ServiceError)) and (
        message := getattr(error, "message", "")
    ):
        return str(message)
    LOG.error("a resource of a stack could not be made", exc_info=error)
    return f"The sandbox failed on this resource ({type(error).__name__}: {error!s:.200}); its log has the details."


def _reason_of_failure(stack: Stack) -> str:
    reasons = [each.resource_status_reason for each in stack.events if each.resource_status.endswith("FAILED")]
    return reasons[0] if reasons and reasons[0] else "The stack was rolled back."
