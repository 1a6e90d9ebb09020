"""Deploys and looks up CloudFormation stacks in moto."""

from __future__ import annotations

from labkit.sandbox import moto_state


def stack_exists(account_id: str, region: str, name: str) -> bool:
    """Tell whether the region has a stack with this name."""
    stacks = moto_state.backend("cloudformation", account_id, region).stacks.values()
    return any(stack.name == name for stack in stacks)


def create_stack(
    account_id: str, region: str, name: str, template: str, parameters: dict[str, str] | None = None
) -> None:
    """Deploy a template; raise RuntimeError if its stack can't be made."""
    stack = moto_state.backend("cloudformation", account_id, region).create_stack(name, template, parameters or {})
    if stack.status != "CREATE_COMPLETE":
        reasons = [each.resource_status_reason for each in stack.events if each.resource_status.endswith("FAILED")]
        raise RuntimeError(f"The stack {name} is {stack.status}: {'; '.join(filter(None, reasons))}")


def physical_id(account_id: str, region: str, name: str, logical_id: str) -> str:
    """Return the physical id of a resource in a stack, by its logical id in the template."""
    stacks = moto_state.backend("cloudformation", account_id, region).stacks.values()
    stack = next(stack for stack in stacks if stack.name == name)
    return str(stack.resource_map[logical_id].physical_resource_id)
