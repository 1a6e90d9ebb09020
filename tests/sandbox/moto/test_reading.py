import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.in_process import client_maker

DEEP = '{"Statement": ' + "[" * 3000 + "]" * 3000 + "}"
PATTERN = '{"a": ' * 400 + '["b"]' + "}" * 400


@pytest.fixture
def client(host):
    return client_maker(host)


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": DEEP}, "MalformedPolicyDocument"),
        ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": DEEP}, "MalformedPolicyDocument"),
        ("s3", "put_bucket_policy", {"Bucket": "b1b", "Policy": DEEP}, "MalformedPolicy"),
        ("sqs", "create_queue", {"QueueName": "q", "Attributes": {"Policy": DEEP}}, "InvalidAttributeValue"),
        ("kms", "create_key", {"Policy": DEEP}, "MalformedPolicyDocumentException"),
        ("events", "put_rule", {"Name": "r", "EventPattern": PATTERN}, "InvalidEventPatternException"),
    ],
)
def test_a_document_nested_without_end_is_malformed(client, service, call, parameters, code):
    client("s3").create_bucket(Bucket="b1b", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(ClientError) as caught:
        getattr(client(service), call)(**parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] == code


def test_a_clients_own_data_may_be_nested_as_it_likes(client):
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=DEEP)
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == DEEP
    client("secretsmanager").create_secret(Name="s", SecretString=DEEP)
    assert client("secretsmanager").get_secret_value(SecretId="s")["SecretString"] == DEEP


def test_an_alias_bomb_is_no_document_of_systems_manager(client):
    document = "a: &a [x, x]\nb: &b [*a, *a]\nschemaVersion: '2.2'"
    with pytest.raises(ClientError) as caught:
        client("ssm").create_document(Name="doc", DocumentType="Command", DocumentFormat="YAML", Content=document)
    assert caught.value.response["Error"]["Code"] == "InvalidDocumentContent"


@pytest.mark.parametrize("format_", ["YAML", "JSON"])
def test_a_document_of_systems_manager_is_read(client, format_):
    document = json.dumps({"schemaVersion": "2.2", "description": "d", "mainSteps": []})
    made = client("ssm").create_document(Name="doc", DocumentType="Command", DocumentFormat=format_, Content=document)[
        "DocumentDescription"
    ]
    assert made["Description"] == "d"
