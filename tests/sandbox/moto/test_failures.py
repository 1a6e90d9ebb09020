"""Requests on which moto fails although their service's model allows them: AWS's errors, as a client sees them."""

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.in_process import client_maker, send_signed

ZIP = {"Content-Type": "application/x-www-form-urlencoded"}


def refused(call, **params):
    """Code and HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def make(host):
    """What makes clients of a sandbox with a bucket."""
    made = client_maker(host)
    made("s3").create_bucket(Bucket="lab-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return made


@pytest.mark.parametrize(
    ("service", "operation", "params", "wanted"),
    [
        ("ec2", "describe_image_attribute", {"ImageId": "ami-0", "Attribute": "description"}, "InvalidAMIID.NotFound"),
        ("ec2", "create_subnet", {"VpcId": "vpc-0"}, "MissingParameter"),
        ("ec2", "copy_image", {"Name": "name", "SourceImageId": "ami-0", "SourceRegion": "x"}, "InvalidParameterValue"),
        ("ec2", "allocate_hosts", {"AvailabilityZone": "eu-west-1a", "InstanceType": "m5.large", "Quantity": 2**31 - 1},
         "HostLimitExceeded"),
        ("ec2", "run_instances", {"ImageId": "ami-0", "MinCount": 1, "MaxCount": 10**9}, "InstanceLimitExceeded"),
        ("kinesis", "create_stream", {"StreamName": "s", "ShardCount": 10**9}, "LimitExceededException"),
        ("iam", "list_roles", {"Marker": "x"}, "ValidationError"),
        ("kms", "list_grants", {"KeyId": "nobody"}, "NotFoundException"),
        ("ssm", "list_documents", {"NextToken": "x"}, "InvalidNextToken"),
        ("secretsmanager", "list_secrets", {"NextToken": "x"}, "InvalidNextTokenException"),
        ("cloudformation", "create_stack", {"StackName": "s"}, "ValidationError"),
        ("sns", "add_permission", {"TopicArn": "x", "Label": "l", "AWSAccountId": ["1"], "ActionName": ["Publish"]},
         "InvalidParameter"),
    ],
)  # fmt: skip
def test_a_request_that_moto_fails_on_is_the_clients_fault(make, service, operation, params, wanted):
    assert refused(getattr(make(service), operation), **params) == (wanted, 400)


@pytest.mark.parametrize("text", ["{", "[]", "null", "1e999"])
def test_a_document_that_is_no_object_is_refused(make, text):
    sqs, events = make("sqs"), make("events")
    for name in ("Policy", "RedrivePolicy", "RedriveAllowPolicy"):
        assert refused(sqs.create_queue, QueueName="q", Attributes={name: text}) == ("InvalidAttributeValue", 400)
    assert refused(events.put_rule, Name="r", EventPattern=text) == ("InvalidEventPatternException", 400)
    assert "QueueUrls" not in sqs.list_queues()


def test_an_object_has_no_more_parts_than_it_was_put_together_from(make):
    s3, at = make("s3"), {"Bucket": "lab-bucket", "Key": "k"}
    upload = {**at, "UploadId": s3.create_multipart_upload(**at)["UploadId"]}
    parts = [{"ETag": s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"], "PartNumber": 1}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(**at, PartNumber=1)["ContentLength"] == 1
    with pytest.raises(ClientError) as caught:
        s3.head_object(**at, PartNumber=2)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416


def test_an_upload_that_is_not_there_is_told(make):
    s3, parts = make("s3"), {"Parts": [{"ETag": "e", "PartNumber": 1}]}
    upload = {"Bucket": "lab-bucket", "Key": "k", "UploadId": "none"}
    assert refused(s3.list_parts, **upload) == ("NoSuchUpload", 404)
    assert refused(s3.abort_multipart_upload, **upload) == ("NoSuchUpload", 404)
    assert refused(s3.upload_part, **upload, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)
    assert refused(s3.complete_multipart_upload, **upload, MultipartUpload=parts) == ("NoSuchUpload", 404)


def test_what_moto_would_take_for_something_else_is_not_implemented(make):
    s3 = make("s3")
    s3.put_object(Bucket="lab-bucket", Key="k", Body=b"x")
    assert refused(s3.get_bucket_analytics_configuration, Bucket="lab-bucket", Id="i") == ("NotImplemented", 501)
    assert refused(s3.get_object_torrent, Bucket="lab-bucket", Key="k") == ("NotImplemented", 501)
    assert refused(s3.create_session, Bucket="lab-bucket") == ("NotImplemented", 501)


@pytest.mark.parametrize("action", ["NoSuchAction", "setup_class", "_dispatch", "Dispatch"])
def test_an_action_that_a_service_lacks_is_no_method_of_motos(host, action):
    answer = send_signed(host, "iam", f"Action={action}&Version=2010-05-08".encode(), ZIP)
    assert (answer.status_code, b"<Code>InvalidAction</Code>" in answer.content) == (400, True)


def test_an_empty_notification_configuration_asks_for_none(make, host):
    body = b"<NotificationConfiguration/>"
    assert send_signed(host, "s3", body, {}, path="/lab-bucket?notification", method="PUT").status_code == 200
    assert "QueueConfigurations" not in make("s3").get_bucket_notification_configuration(Bucket="lab-bucket")


def test_a_bucket_called_like_a_page_of_motos_is_one(make):
    s3 = make("s3")
    for name in ("moto-api", "latest"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=name, Key="meta-data/x", Body=b"x")
        assert s3.get_object(Bucket=name, Key="meta-data/x")["Body"].read() == b"x"


def test_a_stack_names_no_bucket_against_the_rules(make):
    template = "Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: a_b.c}}}"
    make("cloudformation").create_stack(StackName="s", TemplateBody=template)
    (stack,) = make("cloudformation").describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [each["Name"] for each in make("s3").list_buckets()["Buckets"]] == ["lab-bucket"]
