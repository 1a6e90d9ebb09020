"""AWS IAM in moto: the roles that services assume, and their policies."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from moto.iam import models

from labkit.sandbox import moto_state


class Role(NamedTuple):
    """A role: who may assume it, and what it may do then, as policy documents (JSON texts)."""

    trust_policy: str
    policies: tuple[str, ...]


def role(account_id: str, arn: str) -> Role | None:
    """Return the role with an ARN; None if the account has no such role."""
    # By the whole ARN: the name at its end doesn't tell the account or the path, which must be right as well.
    for each in moto_state.backend("iam", account_id, "aws").roles.values():
        if each.arn == arn:
            attached = [_in_force(policy) for policy in each.managed_policies.values()]
            documents = (*each.policies.values(), *attached)
            return Role(_text(each.assume_role_policy_document), tuple(map(_text, documents)))
    return None


def _in_force(policy: models.ManagedPolicy) -> str:
    """Return the document of a managed policy's default version, which is the one in force."""
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    """Return a policy document as text; moto keeps one from a template as the object that was written there."""
    return document if isinstance(document, str) else json.dumps(document)


def put_policy(self: models.Role, policy_name: str, policy: Any) -> None:
    """Keep an inline policy as text, as IAM does, even if a template wrote it as an object.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
    """
    self.policies[policy_name] = _text(policy)
