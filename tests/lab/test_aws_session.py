import hashlib
import json
import logging
from io import BytesIO
from urllib.parse import urlsplit

import boto3
import botocore.credentials
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError
from botocore.stub import Stubber
from urllib3 import HTTPResponse

from labkit.lab import aws_session
from labkit.lab.aws_session import GuardedSession, SandboxSession
from labkit.lab.calls import Recorder
from labkit.lab.cloud import AwsCloud
from labkit.lab.errors import LabError
from labkit.show import explain

ENDPOINT = "http://127.0.0.1:4566"
SERVICES = ["ec2", "s3", "athena", "glue", "logs", "sns", "sts", "iam", "cloudwatch"]
FOREIGN = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_PROFILE": "no-such-profile",
    "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
    "AWS_SECRET_ACCESS_KEY": "foreign",
    "AWS_SESSION_TOKEN": "foreign",
    "AWS_REGION": "ap-south-1",
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
}


@pytest.fixture
def no_aws(monkeypatch, tmp_path):
    """No credentials and no configuration of anybody's."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def sandbox_session():
    session = SandboxSession(ENDPOINT, "LKIASANDBOX0", "secret", region="eu-west-1")
    return boto3.Session(botocore_session=session, region_name="eu-west-1")


def facts(client):
    credentials = client._request_signer._credentials
    return client.meta.endpoint_url, client.meta.region_name, credentials.access_key, credentials.token


@pytest.mark.parametrize("service", SERVICES)
def test_every_client_of_a_sandbox_session_reaches_the_sandbox(service, monkeypatch, no_aws):
    (no_aws / "config").write_text("[default]\nregion = us-west-2\nendpoint_url = http://192.0.2.9\n")
    (no_aws / "credentials").write_text("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = file\n")
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    client = sandbox_session().client(service)
    assert facts(client) == (ENDPOINT, "eu-west-1", "LKIASANDBOX0", None)
    assert client._endpoint.http_session._proxy_config._proxies == {}


def test_a_sandbox_session_goes_nowhere_else_even_if_told_to():
    session = sandbox_session()
    assert session.client("s3", endpoint_url="http://192.0.2.9").meta.endpoint_url == ENDPOINT
    assert session.resource("s3").meta.client.meta.endpoint_url == ENDPOINT
    assert session.client("ec2", region_name="us-east-1").meta.region_name == "us-east-1"


def test_pyathena_reaches_the_sandbox_with_its_own_clients(monkeypatch, no_aws):
    import pyathena

    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    connection = pyathena.connect(session=sandbox_session(), region_name="eu-west-1", s3_staging_dir="s3://bucket/x/")
    assert connection.client.meta.endpoint_url == ENDPOINT
    assert connection.session.client("s3").meta.endpoint_url == ENDPOINT


def test_without_credentials_aws_says_how_to_get_them(no_aws):
    with pytest.raises(LabError, match="`aws configure`"):
        GuardedSession("").create_client("ec2", region_name="eu-west-1")


@pytest.mark.parametrize("where", ["environment", "credentials file"])
def test_the_sandboxs_key_is_not_used_for_aws(where, monkeypatch, no_aws):
    if where == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LKIASANDBOX1234567890")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    else:
        text = "[default]\naws_access_key_id = LKIASANDBOX1234567890\naws_secret_access_key = secret\n"
        (no_aws / "credentials").write_text(text)
    with pytest.raises(LabError, match="the AWS credentials are the sandbox's"):
        GuardedSession("").create_client("ec2", region_name="eu-west-1")


@pytest.mark.parametrize("key", ["", "LKIASANDBOX1234567890"])
def test_clients_that_boto3_makes_are_guarded_as_well(key, monkeypatch, no_aws):
    """boto3 hands a key on to botocore in every case, and None where there is none."""
    if key:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    session = AwsCloud().session("eu-west-1", Recorder())
    with pytest.raises(
        LabError, match="the AWS credentials are the sandbox's" if key else "No AWS credentials were found"
    ):
        session.client("ec2")


def aws_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_an_endpoint_on_this_machine_is_not_used_for_aws(variable, host, monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    monkeypatch.setenv(variable, f"http://{host}:4566")
    with pytest.raises(LabError, match="which is not AWS's"):
        GuardedSession("").create_client("ec2", region_name="eu-west-1")


def test_an_endpoint_on_this_machine_in_the_configuration_is_refused_as_well(monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    (no_aws / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:4566\n")
    with pytest.raises(LabError, match="which is not AWS's"):
        GuardedSession("").create_client("ec2", region_name="eu-west-1")


def guarded_client(monkeypatch, *, confirmed: str, actual: str):
    """A guarded client of EC2 whose account is `actual`, without a network."""
    aws_credentials(monkeypatch)
    session = GuardedSession(confirmed)
    monkeypatch.setattr(session, "account", lambda: actual)
    client = session.create_client("ec2", region_name="eu-west-1")
    stubber = Stubber(client)
    stubber.add_response("describe_vpcs", {"Vpcs": []})
    stubber.add_response("create_vpc", {"Vpc": {"VpcId": "vpc-1"}})
    stubber.activate()
    return client


def test_ordinary_credentials_make_ordinary_clients(monkeypatch, no_aws):
    client = guarded_client(monkeypatch, confirmed="123456789012", actual="123456789012")
    assert client.meta.endpoint_url == "https://ec2.eu-west-1.amazonaws.com"
    assert client.describe_vpcs()["Vpcs"] == []
    assert client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] == "vpc-1"


@pytest.mark.parametrize(
    ("confirmed", "said"),
    [
        ("", "Nothing is changed before you confirm the account: it is 123456789012"),
        ("210987654321", "you confirmed 210987654321"),
    ],
)
def test_an_account_that_was_not_confirmed_is_read_and_never_changed(confirmed, said, monkeypatch, no_aws):
    client = guarded_client(monkeypatch, confirmed=confirmed, actual="123456789012")
    assert client.describe_vpcs()["Vpcs"] == []
    with pytest.raises(LabError, match=said):
        client.create_vpc(CidrBlock="10.0.0.0/16")


def test_the_account_is_asked_for_once(monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    session = GuardedSession("")
    asked = []

    class Sts:
        def get_caller_identity(self):
            asked.append(1)
            return {"Account": "123456789012"}

    monkeypatch.setattr(session, "create_client", lambda *_, **__: Sts())
    assert (session.account(), session.account(), len(asked)) == ("123456789012", "123456789012", 1)


def test_the_sandboxs_keys_are_told_by_their_beginning():
    from labkit.sandbox.credentials import Credentials

    assert Credentials.create().access_key_id.startswith(aws_session.SANDBOX_KEY_PREFIX)


@pytest.mark.parametrize(
    ("endpoint", "is_aws"),
    [
        ("https://ec2.eu-west-1.amazonaws.com", True),
        ("https://s3.eu-west-1.api.aws", True),
        ("https://vpce-1-x.athena.eu-west-1.vpce.amazonaws.com", True),
        ("https://portal.sso.eu-west-1.amazonaws.com", True),
        ("http://127.0.0.1:4566", False),
        ("http://[::1]:4566", False),
        ("http://localhost.localstack.cloud:4566", False),
        ("http://amazonaws.com.example.net", False),
        ("http://notamazonaws.com", False),
    ],
)
def test_awss_endpoints_are_told_by_their_domain(endpoint, is_aws):
    assert aws_session.is_of_aws(endpoint) is is_aws


def test_an_endpoint_of_one_service_in_the_configuration_is_refused_for_that_service(monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    (no_aws / "config").write_text(
        "[default]\nservices = mine\n[services mine]\nathena =\n  endpoint_url = http://127.0.0.1:4566\n"
    )
    with pytest.raises(LabError, match="take `endpoint_url` out of the AWS configuration file"):
        GuardedSession("").create_client("athena", region_name="eu-west-1")
    assert GuardedSession("").create_client("ec2", region_name="eu-west-1").meta.endpoint_url.endswith("amazonaws.com")


def test_configured_endpoints_can_be_left_aside_as_aws_lets_one(monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert GuardedSession("").create_client("ec2", region_name="eu-west-1").meta.endpoint_url.endswith("amazonaws.com")


def answering(session, body_for, status=200):
    """Has the session's requests answered by a function of them; writes down what was asked."""
    asked = []

    def answer(request, **_):
        asked.append(request)
        body = body_for(request).encode()
        return AWSResponse(request.url, status, {}, type("Raw", (), {"stream": lambda self, **_: iter([body])})())

    session.register("before-send", answer)
    return asked


IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/Learner/me</Arn><UserId>X:me</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_credentials_of_single_sign_on_work_as_boto3_finds_them(monkeypatch, no_aws):
    """Getting them takes a client of the same session: the look at the credentials must not wait for itself."""
    cache = no_aws / "cache"
    cache.mkdir()
    monkeypatch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(cache))
    start = "https://portal.example.com/start"
    (no_aws / "config").write_text(
        f"[default]\nsso_start_url = {start}\nsso_region = eu-west-1\nsso_account_id = 123456789012\n"
        "sso_role_name = Learner\n"
    )
    token = {"startUrl": start, "region": "eu-west-1", "accessToken": "x", "expiresAt": "2099-01-01T00:00:00Z"}
    (cache / f"{hashlib.sha1(start.encode()).hexdigest()}.json").write_text(json.dumps(token))
    session = GuardedSession("123456789012")
    role = {"accessKeyId": "ASIAEXAMPLE", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4070908800000}
    bodies = {"portal.sso": json.dumps({"roleCredentials": role}), "sts": IDENTITY}
    asked = answering(session, lambda request: next(body for part, body in bodies.items() if part in request.url))
    assert session.account() == "123456789012"
    assert [urlsplit(request.url).hostname.split(".")[0] for request in asked] == ["portal", "sts"]


def test_a_single_sign_on_that_has_run_out_says_to_log_in_again(monkeypatch, no_aws):
    monkeypatch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(no_aws))
    (no_aws / "config").write_text(
        "[default]\nsso_start_url = https://portal.example.com/start\nsso_region = eu-west-1\n"
        "sso_account_id = 123456789012\nsso_role_name = Learner\n"
    )
    with pytest.raises(BotoCoreError) as failure:
        GuardedSession("").account()
    assert "aws sso login" in explain.explanation(failure.value)[1]
    assert not logging.getLogger("botocore.credentials").isEnabledFor(logging.WARNING), "it would print a traceback"


def test_an_assumed_role_works_and_is_no_change_in_the_account(monkeypatch, no_aws):
    (no_aws / "config").write_text(
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/Learner\nsource_profile = base\nregion = eu-west-1\n"
    )
    (no_aws / "credentials").write_text("[base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = s\n")
    session = GuardedSession("")
    assumed = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
    <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    asked = answering(session, lambda request: assumed if "Action=AssumeRole" in str(request.body) else IDENTITY)
    assert session.account() == "123456789012"
    assert ["AssumeRole" in str(request.body) for request in asked] == [True, False]


def test_a_profile_that_is_not_there_is_explained(monkeypatch, no_aws):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(BotoCoreError) as failure:
        GuardedSession("").account()
    assert "aws configure list-profiles" in explain.explanation(failure.value)[1]


def test_a_dry_run_is_let_through_in_an_unconfirmed_account(monkeypatch, no_aws):
    client = guarded_client(monkeypatch, confirmed="", actual="123456789012")
    client.describe_vpcs()
    assert client.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)["Vpc"]["VpcId"] == "vpc-1"


def test_throttled_calls_are_made_again_with_pauses(monkeypatch, no_aws):
    aws_credentials(monkeypatch)
    pauses = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    session = GuardedSession("")
    throttled = (
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message>"
        "</Error></Errors></Response>"
    )
    answering(session, lambda request: throttled, status=503)
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        session.create_client("ec2", region_name="eu-west-1").describe_vpcs()
    assert len(pauses) == aws_session.ATTEMPTS - 1
    assert max(pauses) <= 20


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between the attempts at a call, none of them slept through."""
    pauses = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    return pauses


def test_a_throttled_sandbox_is_asked_eight_times(pauses):
    logs = boto3.Session(botocore_session=SandboxSession(ENDPOINT, "LKIA", "secret", region="eu-west-1")).client("logs")
    body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
    asked = []

    def throttle(request, **_):
        asked.append(request.url)
        return AWSResponse(request.url, 400, {}, HTTPResponse(BytesIO(body), preload_content=False))

    logs.meta.events.register("before-send", throttle)
    with pytest.raises(ClientError, match="ThrottlingException"):
        logs.describe_log_groups()
    assert len(asked) == aws_session.ATTEMPTS
    assert all(pause < 5 for pause in pauses)


def test_a_sandbox_that_is_gone_is_given_up_soon(pauses):
    session = SandboxSession("http://127.0.0.1:9", "LKIA", "secret", region="eu-west-1")
    with pytest.raises(BotoCoreError):
        boto3.Session(botocore_session=session).client("logs").describe_log_groups()
    assert len(pauses) == 2
