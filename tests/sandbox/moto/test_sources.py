"""What is drawn once is drawn again: after a restart, ids and secrets that clients were given are still theirs."""

from contextlib import closing
from random import Random

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from labkit.sandbox import moto_state
from labkit.sandbox.moto import keys
from tests import conftest
from tests.sandbox.in_process import BARE, SERVER, open_host, sender

MIB = 2**20


class Restarting:
    """A host that can be closed and opened again, and boto3 clients of the one that is open."""

    def __init__(self, journal):
        self._journal = journal
        self.host = open_host(journal, BARE)

    def __call__(self, service: str, region: str = "eu-west-1"):
        client = conftest.client_maker(SERVER)(service, region)
        client.meta.events.register("before-send", sender(self.host))
        return client

    def restart(self):
        self.host.close()
        self.host = open_host(self._journal, BARE)

    def close(self):
        self.host.close()


@pytest.fixture
def client(tmp_path):
    with closing(Restarting(tmp_path / "journal.sqlite")) as restarting:
        yield restarting


@pytest.fixture
def bucket(client):
    client("s3").create_bucket(Bucket="b1b", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return "b1b"


def test_a_file_uploaded_in_parts_is_there_after_a_restart(client, bucket, tmp_path):
    body = Random(1).randbytes(9 * MIB)
    (tmp_path / "file").write_bytes(body)
    client("s3").upload_file(str(tmp_path / "file"), bucket, "k", Config=TransferConfig(use_threads=False))
    client.restart()
    assert client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_an_upload_goes_on_after_a_restart(client, bucket):
    upload = {"Bucket": bucket, "Key": "k", "UploadId": ""}
    upload["UploadId"] = client("s3").create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    parts = [{"PartNumber": 1, "ETag": client("s3").upload_part(**upload, PartNumber=1, Body=b"a" * 5 * MIB)["ETag"]}]
    client.restart()
    s3 = client("s3")
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload["UploadId"]]
    parts.append({"PartNumber": 2, "ETag": s3.upload_part(**upload, PartNumber=2, Body=b"b")["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    client.restart()
    assert client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"a" * 5 * MIB + b"b"


def test_an_upload_can_be_given_up_after_a_restart(client, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = client("s3").create_multipart_upload(**upload)["UploadId"]
    client("s3").upload_part(**upload, PartNumber=1, Body=b"a")
    client.restart()
    client("s3").abort_multipart_upload(**upload)
    client.restart()
    assert "Uploads" not in client("s3").list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("upload_part", {"PartNumber": 1, "Body": b"a"}),
        ("complete_multipart_upload", {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "a"}]}}),
        ("abort_multipart_upload", {}),
        ("list_parts", {}),
    ],
)
def test_an_upload_that_does_not_exist_is_told_as_s3_tells_it(client, bucket, call, more):
    with pytest.raises(ClientError) as caught:
        getattr(client("s3"), call)(Bucket=bucket, Key="k", UploadId="none", **more)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert caught.value.response["Error"]["Code"] == "NoSuchUpload"
    client.restart()


def test_a_data_key_is_the_same_after_a_restart(client):
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    data_key = client("kms").generate_data_key(KeyId=key, KeySpec="AES_256")
    sealed = client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    client.restart()
    assert client("kms").decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    assert client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


@pytest.mark.parametrize(
    ("spec", "algorithm"), [("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256")]
)
def test_a_signature_holds_after_a_restart(client, spec, algorithm):
    key = client("kms").create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signed = {"KeyId": key, "Message": b"m", "SigningAlgorithm": algorithm}
    signature = client("kms").sign(**signed)["Signature"]
    client.restart()
    assert client("kms").verify(**signed, Signature=signature)["SignatureValid"]


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_pair_has_its_fingerprint_after_a_restart(client, kind):
    made = client("ec2").create_key_pair(KeyName="k", KeyType=kind)
    client.restart()
    (found,) = client("ec2").describe_key_pairs(KeyNames=["k"], IncludePublicKey=True)["KeyPairs"]
    assert (found["KeyPairId"], found["KeyFingerprint"]) == (made["KeyPairId"], made["KeyFingerprint"])


def seen(client) -> dict:
    """What was made at random, and reads tell of."""
    own = [{"Key": "Owner", "Values": ["Self"]}]
    return {
        "devices": client("iam").list_virtual_mfa_devices()["VirtualMFADevices"],
        "documents": client("ssm").list_documents(Filters=own)["DocumentIdentifiers"],
        "secrets": client("secretsmanager").list_secrets()["SecretList"],
        "offerings": client("ec2").describe_reserved_instances_offerings()["ReservedInstancesOfferings"],
    }


def test_what_is_made_at_random_is_the_same_after_a_restart(client):
    client("iam").create_virtual_mfa_device(VirtualMFADeviceName="m")
    client("secretsmanager").create_secret(Name="s", SecretString="a")
    client("cloudformation").create_stack(
        StackName="s",
        TemplateBody="Resources: {D: {Type: 'AWS::SSM::Document', Properties: {DocumentType: Command, "
        "DocumentFormat: JSON, Content: {schemaVersion: '2.2', description: d, mainSteps: []}}}}",
    )
    before = seen(client)
    assert before["documents"]
    client.restart()
    assert seen(client) == before


def test_a_read_that_is_the_first_to_look_at_a_region_changes_nothing_of_what_comes(client):
    ec2 = client("ec2", "ap-south-1")
    default = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client.restart()
    ids = [vpc["VpcId"] for vpc in client("ec2", "ap-south-1").describe_vpcs()["Vpcs"]]
    assert ids == [default, made]


def test_session_credentials_are_the_same_after_a_restart(client):
    given = client("sts").get_session_token()["Credentials"]
    assert given["SessionToken"]

    def known() -> list[str]:
        return [each.session_token for each in moto_state.backend("sts", "123456789012", "aws").assumed_roles]

    arn = client("iam").create_role(
        RoleName="r",
        AssumeRolePolicyDocument='{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}',
    )["Role"]["Arn"]
    token = client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]["SessionToken"]
    assert known() == [token]
    client.restart()
    assert known() == [token]


@pytest.mark.parametrize("bits", [512, 1024, 2048])
def test_an_rsa_key_is_drawn_from_its_source(bits):
    first, again, other = (keys.rsa_key(Random(seed), bits) for seed in (1, 1, 2))
    assert first.key_size == bits
    assert first.private_numbers() == again.private_numbers() != other.private_numbers()


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP256K1, ec.SECP384R1, ec.SECP521R1])
def test_a_key_on_a_curve_is_drawn_from_its_source(curve):
    first, again, other = (keys.ec_key(Random(seed), curve()) for seed in (1, 1, 2))
    assert first.private_numbers() == again.private_numbers() != other.private_numbers()
