import json

import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.moto_state import cloudformation, iam

TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}})
OLD = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}
NEW = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "logs:*", "Resource": "*"}}


@pytest.fixture
def backend(sandbox):
    return moto_state.backend("iam", sandbox.account_id, "aws")


@pytest.fixture
def role(backend):
    return backend.create_role("Deliver", TRUST, "/service-role/", None, "", [], "3600")


def policies(role):
    found = iam.role("123456789012", role.arn)
    return [json.loads(document) for document in found.policies]


def test_a_role_is_found_by_its_arn_with_its_path(role):
    assert role.arn == "arn:aws:iam::123456789012:role/service-role/Deliver"
    assert iam.role("123456789012", role.arn).trust_policy == TRUST
    assert iam.role("123456789012", "arn:aws:iam::123456789012:role/Deliver") is None


def test_inline_and_attached_policies_come_together(backend, role):
    role.put_policy("inline", json.dumps(OLD))
    managed = backend.create_policy("", "/", json.dumps(NEW), "attached", {})
    backend.attach_role_policy(managed.arn, "Deliver")
    assert policies(role) == [OLD, NEW]
    backend.detach_role_policy(managed.arn, "Deliver")
    role.delete_policy("inline")
    assert policies(role) == []


def test_of_an_attached_policy_the_default_version_counts(backend, role):
    managed = backend.create_policy("", "/", json.dumps(OLD), "attached", {})
    backend.attach_role_policy(managed.arn, "Deliver")
    backend.create_policy_version(managed.arn, json.dumps(NEW), False)
    assert policies(role) == [OLD]
    backend.set_default_policy_version(managed.arn, "v2")
    assert policies(role) == [NEW]


def test_a_template_s_policies_are_kept_as_texts(sandbox):
    properties = {
        "AssumeRolePolicyDocument": json.loads(TRUST),
        "Policies": [{"PolicyName": "logs", "PolicyDocument": OLD}],
    }
    template = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}})
    cloudformation.create_stack(sandbox.account_id, "eu-west-1", "roles", template)
    name = cloudformation.physical_id(sandbox.account_id, "eu-west-1", "roles", "Role")
    found = iam.role(sandbox.account_id, f"arn:aws:iam::{sandbox.account_id}:role/{name}")
    assert json.loads(found.trust_policy) == json.loads(TRUST)
    assert [json.loads(document) for document in found.policies] == [OLD]
