"""AWS STS in moto: the identity of the caller."""

from __future__ import annotations

from moto.sts.models import STSBackend

LEARNER_ID, LEARNER = "AIDAEXAMPLELEARNER000", "learner"
_get_caller_identity = STSBackend.get_caller_identity


def identity(backend: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
    """Return user id, ARN and account of the caller; for the sandbox's own key, an IAM user, as most learners are."""
    user_id, arn, account_id = _get_caller_identity(backend, access_key_id, region)
    # moto's name for a caller it doesn't know; users and roles that the learner has made keep their own.
    if not arn.endswith(":user/moto"):
        return user_id, arn, account_id
    return LEARNER_ID, f"arn:{arn.split(':')[1]}:iam::{account_id}:user/{LEARNER}", account_id
