import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.moto import services
from tests.sandbox.in_process import client_maker, send_signed


@pytest.fixture
def client(host):
    return client_maker(host)


@pytest.mark.parametrize(
    "bucket", ["moto-api", "moto-api.data", "latest", "favicon.ico", "v20180820", "cloudformation"]
)
def test_a_bucket_may_be_called_as_moto_calls_its_own_paths(client, bucket):
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("data.json", "reset", "seed", "meta-data/iam/security-credentials/", "api/token"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == [bucket]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 5


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/moto-api/reset"),
        ("POST", "/moto-api/reset-auth"),
        ("POST", "/moto-api/seed?a=42"),
        ("GET", "/moto-api/data.json"),
        ("GET", "/moto-api/"),
        ("POST", "/moto-api/state-manager/set-transition"),
        ("POST", "/moto-api/static/athena/query-results"),
        ("POST", "/moto-api/proxy/passthrough"),
        ("POST", "/moto-api/recorder/start-recording"),
        ("POST", "/moto-api/config"),
    ],
)
@pytest.mark.parametrize("service", ["s3", "sqs", "ec2", "iam"])
def test_no_client_reaches_the_control_api_of_moto(client, host, service, method, path):
    sqs = client("sqs")
    sqs.create_queue(QueueName="kept")
    answer = send_signed(host, service, b"{}", {"Content-Type": "application/json"}, method=method, path=path)
    assert answer.status_code >= 400
    assert "kept" in sqs.list_queues()["QueueUrls"][0]


@pytest.mark.parametrize("target", ["DynamoDB_20120810.ListTables", "AWSLambda.ListFunctions", "AmazonSQS.ListQueues"])
def test_a_header_does_not_choose_the_service(client, host, target):
    client("s3").create_bucket(Bucket="b1b", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    answer = send_signed(host, "s3", b"", {"X-Amz-Target": target}, method="GET")
    assert b"<Name>b1b</Name>" in answer.content


@pytest.mark.parametrize(
    ("service", "call", "parameters"),
    [
        ("lambda", "list_functions", {}),
        ("batch", "describe_job_queues", {}),
        ("codebuild", "list_projects", {}),
        ("dynamodb", "list_tables", {}),
        ("ecs", "list_clusters", {}),
        ("rds", "describe_db_instances", {}),
        ("route53", "list_hosted_zones", {}),
    ],
)
def test_a_service_that_is_not_on_the_list_is_refused_by_name(client, service, call, parameters):
    with pytest.raises(ClientError) as caught:
        getattr(client(service), call)(**parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert f"the service '{service}'" in caught.value.response["Error"]["Message"]
    assert "docs/sandbox.md" in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "call", "member"),
    [
        ("cloudtrail", "describe_trails", "trailList"),
        ("config", "describe_configuration_recorders", "ConfigurationRecorders"),
        ("events", "list_rules", "Rules"),
        ("firehose", "list_delivery_streams", "DeliveryStreamNames"),
        ("kinesis", "list_streams", "StreamNames"),
        ("kms", "list_keys", "Keys"),
        ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList"),
        ("secretsmanager", "list_secrets", "SecretList"),
        ("service-quotas", "list_aws_default_service_quotas", "Quotas"),
        ("ssm", "describe_parameters", "Parameters"),
    ],
)
def test_a_service_on_the_list_answers(client, service, call, member):
    parameters = {"ServiceCode": "vpc"} if service == "service-quotas" else {}
    assert member in getattr(client(service), call)(**parameters)


def test_every_service_on_the_list_is_botocores(client):
    for service in services.ANSWERED:
        assert client(service).meta.service_model.service_name == service


@pytest.mark.parametrize("action", ["ProcessCfnResponse", "Dispatch", "GetStackFromS3Url", ""])
def test_an_action_that_aws_does_not_have_reaches_nothing_of_moto(host, action):
    body = f"Action={action}&Version=2010-05-15&Status=SUCCESS&StackId=a".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = send_signed(host, "cloudformation", body, headers)
    assert answer.status_code == 400
    assert b"InvalidAction" in answer.content or b"MissingAction" in answer.content


def test_no_header_chooses_another_account(host):
    body = b"Action=CreateQueue&QueueName=q&Version=2012-11-05"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "x-moto-account-id": "999999999999"}
    assert b"/123456789012/q" in send_signed(host, "sqs", body, headers).content
