"""AWS::EC2::FlowLog in a CloudFormation template, made and deleted by the sandbox instead of by moto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from moto.cloudformation.exceptions import ValidationError
from moto.ec2.models.flow_logs import FlowLogs

from labkit.sandbox.kernel.errors import ServiceError

Create = Callable[[str, dict[str, Any]], str]
"""Make a flow log in a region from the parameters of CreateFlowLogs; return its id or raise ServiceError."""
Delete = Callable[[str, str], None]
"""Delete a region's flow log, if it still exists."""


class FlowLog(FlowLogs):
    """What a stack remembers of a flow log: its id."""

    def __init__(self, flow_log_id: str) -> None:
        self.id = flow_log_id


class _Stacks:
    """Holds the functions that make and delete the flow logs of stacks; moto has one state for each process."""

    create: ClassVar[Create]
    delete: ClassVar[Delete]


def take_over(create: Create, delete: Delete) -> None:
    """Let stacks make and delete flow logs with these functions from now on."""
    _Stacks.create, _Stacks.delete = staticmethod(create), staticmethod(delete)


def create_from_template(name: str, template: Any, account_id: str, region: str, **kwargs: Any) -> FlowLog:
    """Make the flow log of a stack; raise moto's ValidationError, with our message, if it is rejected."""
    try:
        return FlowLog(_Stacks.create(region, parameters(template["Properties"])))  # type: ignore[abstract]
    except ServiceError as error:
        raise ValidationError(name_or_id=name, message=f"{name}: {error.message} ({error.code})") from error


def delete_from_template(name: str, template: Any, account_id: str, region: str) -> None:
    """Delete the flow log of a stack."""
    _Stacks.delete(region, name)


def parameters(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a template's properties as the parameters of CreateFlowLogs, with numbers and booleans for their texts.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-flowlog.html
    """
    params = dict(properties)
    params["ResourceIds"] = [params.pop("ResourceId")]
    if "MaxAggregationInterval" in params:
        params["MaxAggregationInterval"] = int(params["MaxAggregationInterval"])
    if "Tags" in params:
        params["TagSpecifications"] = [{"ResourceType": "vpc-flow-log", "Tags": params.pop("Tags")}]
    options = params.get("DestinationOptions", {})
    # Parameters of a stack are texts, and the text "false" would count as true.
    for member in ("HiveCompatiblePartitions", "PerHourPartition"):
        if member in options:
            options = options | {member: str(options[member]).lower() == "true"}
    return params | ({"DestinationOptions": options} if options else {})
