"""moto's state, whole: nothing that a request changes is left out of it."""

import json
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import pytest
from moto.backends import get_backend

from labkit.sandbox.host import Host
from labkit.sandbox.kernel import pickling
from labkit.sandbox.moto import state
from labkit.sandbox.moto.services import ANSWERED
from labkit.sandbox.moto_state import reset
from tests.sandbox.in_process import client_maker

ROLE = "arn:aws:iam::123456789012:role/any"
NOT_KEPT = {"moto.core.authorization.ActionAuthenticatorMixin.request_count"}
"""Module-level values of moto's that requests change: this one counts all of them, for tests of policies."""


def changes(make: Callable[[str], Any], tag: str) -> None:
    """One change of each service that the lab and its neighbours use."""
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    make("s3").create_bucket(Bucket=f"bucket-{tag}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    make("s3").put_object(Bucket=f"bucket-{tag}", Key="key", Body=b"x", Tagging="a=b")
    make("s3").create_multipart_upload(Bucket=f"bucket-{tag}", Key="large")
    queue = make("sqs").create_queue(QueueName=tag)["QueueUrl"]
    make("sqs").send_message(QueueUrl=queue, MessageBody="x")
    make("sns").create_topic(Name=tag)
    make("iam").create_role(RoleName=tag, AssumeRolePolicyDocument=trust)
    make("iam").create_user(UserName=tag)
    make("iam").create_access_key(UserName=tag)
    make("ssm").put_parameter(Name=tag, Value="x", Type="String")
    make("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    make("kms").create_key()
    make("secretsmanager").create_secret(Name=tag, SecretString="x")
    make("events").put_rule(Name=tag, ScheduleExpression="rate(1 minute)")
    make("cloudtrail").create_trail(Name=f"trail-{tag}", S3BucketName=f"bucket-{tag}")
    make("firehose").create_delivery_stream(
        DeliveryStreamName=tag,
        S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::bucket-{tag}"},
    )
    make("ec2").create_key_pair(KeyName=tag)
    make("sts").assume_role(RoleArn=ROLE, RoleSessionName=tag)
    make("kinesis").create_stream(StreamName=tag, ShardCount=1)
    make("glue").create_database(DatabaseInput={"Name": tag})
    vpc = make("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    make("ec2").create_security_group(GroupName=tag, Description=tag, VpcId=vpc)
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    make("cloudformation").create_stack(StackName=tag, TemplateBody=json.dumps(topic))


def held() -> dict[str, str]:
    """What moto's modules, their classes and the objects in them hold, other than backends."""
    found = {}
    for name, module in list(sys.modules.items()):
        for key, value in list(vars(module).items()) if name.startswith("moto") else ():
            inside = {} if isinstance(value, FunctionType | ModuleType) else getattr(value, "__dict__", {})
            if isinstance(value, type) and value.__module__ != name:
                continue
            for place, each in [(f"{name}.{key}", value), *((f"{name}.{key}.{k}", v) for k, v in inside.items())]:
                is_plain = type(each) in (dict, list, set, int, str) or type(each).__name__ == "defaultdict"
                if is_plain and not place.endswith(("instances_tracked", "_instances")) and "__" not in place:
                    found[place] = f"{len(each)} {str(each)[:2000]}" if hasattr(each, "__len__") else str(each)
    return found


def test_requests_change_nothing_of_motos_but_what_is_kept(host: Host):
    make = client_maker(host)
    changes(make, "first")  # it brings with it what is made once
    before = held()
    changes(make, "second")
    after = held()
    changed = {name for name, value in after.items() if before.get(name) != value} - NOT_KEPT
    kept = {key for attributes in state.keep()["tables"].values() for key in attributes}
    assert {name for name in changed if name.rpartition(".")[2] not in kept} == set()
    assert "moto.s3.models.s3_backends.bucket_accounts" in changed


def test_what_is_kept_comes_back(host: Host):
    changes(client_maker(host), "first")
    before = state.keep()
    parts = {"sandbox": host.sandbox, **state.parts()}
    data = pickling.dumped(before, parts)
    host.sandbox.files.mark()
    reset()
    state.take_back(pickling.loaded(data, parts))
    after = state.keep()
    assert [backend[:4] for backend in after["backends"]] == [backend[:4] for backend in before["backends"]]
    assert after["tables"]["moto.s3.models", "s3_backends"]["bucket_accounts"].keys() == {"bucket-first"}
    client_maker(host)("s3").get_object(Bucket="bucket-first", Key="key")


@pytest.mark.parametrize("service", sorted(ANSWERED.values()))
def test_the_backend_of_any_service_can_be_kept(host: Host, service: str):
    """One that can't be kept would leave the sandbox without checkpoints."""
    tables = get_backend(service)["123456789012"]
    backend = tables["eu-west-1" if "eu-west-1" in tables else "aws"]
    parts = {"sandbox": host.sandbox, **state.parts()}
    assert type(pickling.loaded(pickling.dumped(backend, parts), parts)) is type(backend)
