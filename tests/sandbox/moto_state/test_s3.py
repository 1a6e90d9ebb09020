import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from tests.sandbox.in_process import client_maker

BUCKET = "lab-bucket"


@pytest.fixture
def client(host):
    """boto3's client, of the same sandbox whose storage `s3` reads and writes beneath it."""
    client = client_maker(host)("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def code(call, *arguments):
    with pytest.raises(ServiceError) as refusal:
        call(*arguments)
    return refusal.value.code, refusal.value.status


def test_what_one_side_puts_the_other_gets(client):
    s3.put_object(BUCKET, "from/below", b"\x00bytes")
    assert client.get_object(Bucket=BUCKET, Key="from/below")["Body"].read() == b"\x00bytes"
    client.put_object(Bucket=BUCKET, Key="from/above", Body=b"text")
    assert s3.get_object(BUCKET, "from/above") == b"text"
    s3.delete_object(BUCKET, "from/above")
    assert [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["from/below"]


def test_objects_are_listed_in_the_order_of_their_utf_8_bytes_as_s3_does(client):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html"""
    keys = ["a/10", "a/9", "B", "a", "a/ä", "a\U0001f600", "a\uffee"]
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    listed = [stored.key for stored in s3.list_objects(BUCKET)]
    assert listed == sorted(keys, key=str.encode)
    assert listed == [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_a_listing_tells_of_each_object_what_s3_tells(client):
    client.put_object(Bucket=BUCKET, Key="one", Body=b"12345")
    (stored,) = s3.list_objects(BUCKET)
    (told,) = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert (stored.size, f'"{stored.etag}"', stored.last_modified) == (5, told["ETag"], told["LastModified"])


@pytest.mark.parametrize(("prefix", "found"), [("", 4), ("a", 3), ("a/", 2), ("a/b", 1), ("/", 0), ("A", 0)])
def test_a_prefix_is_a_beginning_and_no_folder(client, prefix, found):
    for key in ("a/b", "a/c", "ab", "b"):
        s3.put_object(BUCKET, key, b"")
    assert len(s3.list_objects(BUCKET, prefix)) == found
    assert client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["KeyCount"] == found


def test_a_versioned_bucket_shows_what_was_put_last_and_nothing_that_was_deleted(client):
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"old", b"new"):
        client.put_object(Bucket=BUCKET, Key="key", Body=body)
    assert s3.get_object(BUCKET, "key") == b"new"
    assert len(s3.list_objects(BUCKET)) == 1
    client.delete_object(Bucket=BUCKET, Key="key")
    assert s3.list_objects(BUCKET) == []
    assert code(s3.get_object, BUCKET, "key") == ("NoSuchKey", 404)


def test_a_large_object_in_parts_is_one(client):
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="large")["UploadId"]
    parts = []
    for number, body in enumerate((b"x" * 5 * 1024 * 1024, b"end"), 1):
        part = client.upload_part(Bucket=BUCKET, Key="large", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    client.complete_multipart_upload(Bucket=BUCKET, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
    (stored,) = s3.list_objects(BUCKET)
    assert (stored.size, s3.get_object(BUCKET, "large")[-4:]) == (5 * 1024 * 1024 + 3, b"xend")
    ranged = client.get_object(Bucket=BUCKET, Key="large", Range="bytes=5242879-5242881")["Body"].read()
    assert ranged == b"xen"


def test_a_copy_is_an_object_of_its_own(client):
    s3.put_object(BUCKET, "one", b"text")
    client.copy_object(Bucket=BUCKET, Key="two", CopySource={"Bucket": BUCKET, "Key": "one"})
    s3.put_object(BUCKET, "one", b"changed")
    s3.delete_object(BUCKET, "one")
    assert s3.get_object(BUCKET, "two") == b"text"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (s3.put_object, ("nowhere", "key", b"")),
        (s3.get_object, ("nowhere", "key")),
        (s3.delete_object, ("nowhere", "key")),
        (s3.list_objects, ("nowhere",)),
        (s3.bucket_policy, ("nowhere",)),
        (s3.set_bucket_policy, ("nowhere", "{}")),
    ],
)
def test_a_bucket_that_there_is_none_of_is_an_error_of_s3_s(client, call, arguments):
    assert code(call, *arguments) == ("NoSuchBucket", 404)
    assert not s3.bucket_exists("nowhere")


def test_an_object_that_there_is_none_of_may_be_deleted_but_not_got(client):
    s3.delete_object(BUCKET, "none")
    assert code(s3.get_object, BUCKET, "none") == ("NoSuchKey", 404)


def test_a_bucket_belongs_to_one_account(client):
    assert s3.bucket_exists(BUCKET)
    moto_state.backend("s3", "210987654321", "aws").create_bucket("theirs", "us-east-1")
    assert s3.bucket_exists("theirs", "210987654321")
    s3.put_object("theirs", "key", b"", "210987654321")
    assert [each.key for each in s3.list_objects("theirs", account_id="210987654321")] == ["key"]


def test_a_policy_is_the_text_that_was_put(client):
    assert s3.bucket_policy(BUCKET) is None
    policy = (
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", '
        f'"Resource": "arn:aws:s3:::{BUCKET}/*"}}}}'
    )
    client.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    assert s3.bucket_policy(BUCKET) == client.get_bucket_policy(Bucket=BUCKET)["Policy"] == policy
    s3.set_bucket_policy(BUCKET, "{}")
    assert client.get_bucket_policy(Bucket=BUCKET)["Policy"] == "{}"
