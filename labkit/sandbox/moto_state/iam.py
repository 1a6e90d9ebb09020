"""AWS IAM as moto holds it: the roles that services assume, and their policies."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from moto.iam import models

from labkit.sandbox import moto_state


class Role(NamedTuple):
    """A role: who may assume it, and what it may then do, as policy documents (JSON texts)."""

    trust_policy: str
    policies: tuple[str, ...]


def role(account_id: str, arn: str) -> Role | None:
    """The role of an ARN; None where the account has none of it."""
    for each in moto_state.backend("iam", account_id, "aws").roles.values():
        if each.arn == arn:
            attached = [_in_force(policy) for policy in each.managed_policies.values()]
            documents = (*each.policies.values(), *attached)
            return Role(_text(each.assume_role_policy_document), tuple(map(_text, documents)))
    return None


def _in_force(policy: models.ManagedPolicy) -> str:
    """The document of a managed policy's default version, which is the one that counts."""
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    """A policy document as text; one from a template is kept as the object that it was written as."""
    return document if isinstance(document, str) else json.dumps(document)


def put_policy(self: models.Role, policy_name: str, policy: Any) -> None:
    """Keeps an inline policy as IAM has it: a text, also one that a template wrote as an object.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
    """
    self.policies[policy_name] = _text(policy)
