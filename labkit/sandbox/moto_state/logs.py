"""Log groups made by CloudFormation: moto would keep them to itself, where no log event ever arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from moto.logs.models import LogGroup

CreateGroup = Callable[[str, str, int | None, dict[str, str]], None]
"""region, name, retention in days, tags"""
DeleteGroup = Callable[[str, str], None]


class OwnLogGroup(LogGroup):
    """AWS::Logs::LogGroup, made and deleted by the sandbox's own CloudWatch Logs."""

    create_group: ClassVar[CreateGroup]
    delete_group: ClassVar[DeleteGroup]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> OwnLogGroup:
        """Make the log group; return the object that stands for it in the stack."""
        properties = cloudformation_json["Properties"]
        retention = properties.get("RetentionInDays")
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        cls.create_group(region_name, resource_name, None if retention is None else int(retention), tags)
        return cls(account_id, region_name, resource_name)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the log group with its stack."""
        type(self).delete_group(region_name, self.name)


def own_log_groups(create: CreateGroup, delete: DeleteGroup) -> None:
    """Let CloudFormation make and delete log groups with these functions, from now on and in every stack."""
    OwnLogGroup.create_group = staticmethod(create)
    OwnLogGroup.delete_group = staticmethod(delete)


create_from_template = OwnLogGroup.create_from_cloudformation_json
