"""What the sandbox answers over HTTP, whoever asks."""

import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.process import SandboxError

UNSIGNED = [
    ("/_sandbox/clock", {}, 401, "Authorization: Bearer"),
    ("/_sandbox/clock", {"Authorization": "Bearer wrong"}, 401, "Authorization: Bearer"),
    ("/_sandbox/inbox", {"Accept": "text/html"}, 401, "Authorization: Bearer"),
    ("/", {"Host": "sandbox.example.com"}, 403, "does not answer for the host"),
    ("/_sandbox/health", {"Host": "192.0.2.1:80"}, 403, "does not answer for the host"),
    ("/", {}, 403, "MissingAuthenticationToken"),
]


def status_and_body(url: str, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize(("path", "headers", "status", "text"), UNSIGNED)
def test_nobody_gets_in_without_credentials(running_server, path, headers, status, text):
    answered, body = status_and_body(running_server.endpoint + path, headers)
    assert answered == status
    assert text in body


@pytest.mark.parametrize("service", ["sts", "ec2", "logs", "cloudwatch", "athena"])
def test_another_access_key_is_refused_in_every_protocol(client, service):
    stranger = client(service, access_key_id="AKIAIOSFODNN7EXAMPLE")
    call = {
        "sts": lambda: stranger.get_caller_identity(),
        "ec2": lambda: stranger.describe_vpcs(),
        "logs": lambda: stranger.describe_log_groups(),
        "cloudwatch": lambda: stranger.list_metrics(),
        "athena": lambda: stranger.list_work_groups(),
    }[service]
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_a_wrong_secret_key_is_told_from_a_wrong_access_key(client):
    with pytest.raises(ClientError) as raised:
        client("ec2", secret_access_key="x" * 40).describe_vpcs()
    assert raised.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("key", ["plain.txt", "with space/ä&+=?.txt", "dt=2026-11-02/x~y(1).log"])
def test_signatures_hold_for_any_object_key(client, key):
    s3 = client("s3")
    s3.create_bucket(Bucket="keys", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="keys", Key=key, Body=b"here")
    assert s3.get_object(Bucket="keys", Key=key)["Body"].read() == b"here"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "keys", "Key": key})
    assert status_and_body(url, {}) == (200, "here")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="keys", Prefix=key[:4])["Contents"]] == [key]


def test_what_nobody_implements_is_an_error_that_names_the_page(client):
    with pytest.raises(ClientError, match=r"does not implement sts:DecodeAuthorizationMessage.*docs/sandbox\.md"):
        client("sts").decode_authorization_message(EncodedMessage="x")


def test_the_provided_environment_is_there(client):
    ec2 = client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["Lab VPC"]}])["Vpcs"]
    filters = [{"Name": "tag:Name", "Values": ["Web Server"]}]
    (reservation,) = ec2.describe_instances(Filters=filters)["Reservations"]
    (instance,) = reservation["Instances"]
    assert not vpc["IsDefault"]
    assert instance["VpcId"] == vpc["VpcId"]
    assert instance["PublicIpAddress"].startswith("198.19.")
    assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["HTTPAndSSH"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"]
    assert {"HTTPOnly", "HTTPAndSSH"} <= {group["GroupName"] for group in groups}
    (bucket,) = [each["Name"] for each in client("s3").list_buckets()["Buckets"]]
    assert "vpcflowlogsbucket" in bucket
    assert "/AWSLogs/123456789012/*" in client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    (role,) = [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
    assert "DeliverVPCFlowLogsRole" in role


def test_another_region_gets_its_own_environment_with_the_first_look(client):
    (vpc,) = client("ec2", "us-west-2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["Lab VPC"]}])["Vpcs"]
    (bucket,) = [each["Name"] for each in client("s3").list_buckets(BucketRegion="us-west-2")["Buckets"]]
    keys = client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"]
    assert vpc["CidrBlock"] == "10.0.0.0/16"
    assert keys[0]["Key"].startswith("AWSLogs/123456789012/vpcflowlogs/us-west-2/")


def test_advancing_moves_every_services_time(server, client):
    client("s3").create_bucket(Bucket="early", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert server.control("POST", "/clock/advance", {"seconds": 3600})["now"] == "2026-11-02T10:00:00Z"
    client("s3").create_bucket(Bucket="late", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    made = {each["Name"]: each["CreationDate"] for each in client("s3").list_buckets()["Buckets"]}
    assert (made["late"] - made["early"]).total_seconds() == 3600


WRONG_CONTROL = [
    ("/clock/advance", {"seconds": 1e12}, "a year"),
    ("/connect", {"destination": "192.0.2.1", "port": 22, "protocol": "sctp"}, "protocol is tcp"),
    ("/connect", {"destination": "192.0.2.1", "port": 22, "source": "::1"}, "are addresses of different IP versions"),
    ("/connect", {"destination": 3221225985, "port": 22}, "destination is an IP address"),
    ("/connect", {"destination": "192.0.2.1", "port": 22, "src": "192.0.2.7"}, "it has no 'src'"),
    ("/reset", {"seed": 7}, "the body of /_sandbox/reset is empty; it has no 'seed'"),
    ("/faults", {"faults": [{"kind": "flood"}]}, "kind is one of"),
    ("/faults", {"faults": "throttling"}, "faults is a list of rules"),
    ("/faults", {"faults": [{"kind": "delayed delivery", "seconds": -1}]}, "seconds is from 0 to 86400"),
    ("/faults", {"faults": [{"kind": "lost delivery", "rate": 2}]}, "rate is a share"),
    ("/rewind", {}, "is not part of the control API"),
]


@pytest.mark.parametrize(("path", "body", "message"), WRONG_CONTROL)
def test_a_wrong_control_request_is_refused_in_words(running_server, path, body, message):
    with pytest.raises(SandboxError, match=message):
        running_server.control("POST", path, body)


def test_a_staged_fault_strikes_until_it_is_lifted(server, client):
    server.control("POST", "/faults", {"faults": [{"kind": "throttling", "service": "ec2"}]})
    with pytest.raises(ClientError) as raised:
        client("ec2").describe_vpcs()
    assert raised.value.response["Error"]["Code"] == "RequestLimitExceeded"
    server.control("POST", "/faults", {"faults": []})
    assert client("ec2").describe_vpcs()["Vpcs"]


def test_a_fault_of_one_s3_operation_leaves_the_others_alone(server, client):
    s3 = client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    told = server.control(
        "POST", "/faults", {"faults": [{"kind": "access denied", "service": "s3", "operation": "PutObject"}]}
    )
    assert told["faults"] == [
        {"kind": "access denied", "service": "s3", "operation": "PutObject", "rate": 1.0, "seconds": 0.0}
    ]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="notes.txt", Body=b"")
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] == 1
    server.control("POST", "/faults", {"faults": []})
    s3.put_object(Bucket=bucket, Key="notes.txt", Body=b"")


def test_the_caller_is_a_user_of_the_account(client):
    identity = client("sts").get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/learner"
    assert identity["UserId"].startswith("AIDA")


def test_a_reset_sandbox_is_the_one_that_was_started(server, client):
    def look():
        return [vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"]]

    before = look()
    client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    server.control("POST", "/clock/advance", {"seconds": 60})
    server.control("POST", "/reset", {})
    assert look() == before
    assert server.control("GET", "/clock")["now"] == "2026-11-02T09:00:00Z"
