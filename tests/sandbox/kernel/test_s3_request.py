"""Requests to S3 that it refuses: the names of buckets and keys, parameters, XML."""

import re

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.kernel import s3_rules
from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.in_process import client_maker, send_signed

TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


@pytest.fixture
def s3(host):
    """A client of a sandbox with a bucket."""
    client = client_maker(host)("s3")
    client.create_bucket(Bucket="lab-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def code(call, **params):
    """The code of the error that a call ends with, and its HTTP status."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def refusal(host, method, path, body=b"", headers=None):
    """The status of an answer, the code of its error, and the name of the argument that it names."""
    answer = send_signed(host, "s3", body, headers or {}, path=path, method=method)
    text = answer.content.decode()
    found = [re.search(f"<{name}>(.*?)</{name}>", text) for name in ("Code", "ArgumentName")]
    return (answer.status_code, *(each[1] if each else None for each in found))


@pytest.mark.parametrize(
    "name",
    [
        *("a_b.c", "192.168.1.1", "a..b", "-ab", "ab-", "xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--ol-s3"),
        *("a.mrap", "a--x-s3", "Upper", "ab", "a" * 64, "a b", "é-bucket"),
    ],
)
def test_a_new_bucket_is_named_by_the_rules(name):
    with pytest.raises(ServiceError, match="InvalidBucketName: The specified bucket is not valid"):
        s3_rules.check_new_bucket(name)


@pytest.mark.parametrize("name", ["abc", "a.b", "moto-api", "a" * 63, "1.2.3.4.5", "latest"])
def test_a_name_within_the_rules_is_taken(name):
    s3_rules.check_new_bucket(name)


def test_no_bucket_is_made_with_a_name_against_the_rules(s3):
    place = {"LocationConstraint": "eu-west-1"}
    assert code(s3.create_bucket, Bucket="a_b.c", CreateBucketConfiguration=place) == ("InvalidBucketName", 400)
    assert code(s3.list_objects_v2, Bucket="a_b.c") == ("NoSuchBucket", 404)
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["lab-bucket"]


def test_a_bucket_is_made_where_its_endpoint_is(s3, host):
    make = s3.create_bucket
    assert code(make, Bucket="new-bucket") == ("IllegalLocationConstraintException", 400)
    place = {"LocationConstraint": "us-west-2"}
    assert code(make, Bucket="new-bucket", CreateBucketConfiguration=place) == (
        "IllegalLocationConstraintException",
        400,
    )
    place = {"LocationConstraint": "nowhere-1"}
    assert code(make, Bucket="new-bucket", CreateBucketConfiguration=place) == ("InvalidLocationConstraint", 400)
    place = {"LocationConstraint": "eu-west-1"}
    assert code(make, Bucket="lab-bucket", CreateBucketConfiguration=place) == ("BucketAlreadyOwnedByYou", 409)


def test_a_key_has_1024_bytes_at_most(s3):
    s3.put_object(Bucket="lab-bucket", Key="é" * 512, Body=b"x")
    assert code(s3.put_object, Bucket="lab-bucket", Key="é" * 512 + "x", Body=b"x") == ("KeyTooLongError", 400)
    assert code(s3.get_object, Bucket="lab-bucket", Key="x" * 1025) == ("KeyTooLongError", 400)


@pytest.mark.parametrize("key", ["line\nend", "\n", "a/\r\n/b", "AWSLogs/a b+c/\u2028"])
def test_a_key_may_hold_line_ends(s3, key):
    s3.put_object(Bucket="lab-bucket", Key=key, Body=b"body")
    assert s3.get_object(Bucket="lab-bucket", Key=key)["Body"].read() == b"body"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="lab-bucket")["Contents"]] == [key]
    s3.delete_object(Bucket="lab-bucket", Key=key)
    assert s3.list_objects_v2(Bucket="lab-bucket")["KeyCount"] == 0


BAD = [
    ("GET", "/lab-bucket?max-keys=ten", b"", (400, "InvalidArgument", "max-keys")),
    ("GET", "/lab-bucket?max-keys=-1", b"", (400, "InvalidArgument", "max-keys")),
    ("GET", "/lab-bucket?list-type=2&max-keys=99999999999999999999", b"", (400, "InvalidArgument", "max-keys")),
    ("GET", "/lab-bucket?encoding-type=html", b"", (400, "InvalidArgument", "encoding-type")),
    ("GET", "/lab-bucket/k?uploadId=u&max-parts=x", b"", (400, "InvalidArgument", "max-parts")),
    ("PUT", "/lab-bucket/k?uploadId=u&partNumber=one", b"x", (400, "InvalidArgument", "partNumber")),
    ("PUT", "/lab-bucket/k?uploadId=u&partNumber=0", b"x", (400, "InvalidArgument", "partNumber")),
    ("PUT", "/lab-bucket/k?uploadId=u&partNumber=10001", b"x", (400, "InvalidArgument", "partNumber")),
    ("PUT", "/lab-bucket/k?partNumber=1", b"x", (400, "InvalidArgument", "uploadId")),
    ("PUT", "/lab-bucket?analytics", b"<a/>", (400, "InvalidArgument", "id")),
    ("PUT", "/lab-bucket?tagging", b"", (400, "MissingRequestBodyError", None)),
    ("PUT", "/lab-bucket?tagging", b"<Tagging>", (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", b"<Taggings/>", (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", b"<Tagging/>", (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", b"<!DOCTYPE a>" + TAGGING, (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", TAGGING.replace(b"Value", b"Wert"), (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", TAGGING.replace(b"b</Value>", b"<b/></Value>"), (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?tagging", TAGGING.replace(b"a</Key>", b"a</Key><Key>b</Key>"), (400, "MalformedXML", None)),
    ("POST", "/lab-bucket?delete", b"<Delete><Object/></Delete>", (400, "MalformedXML", None)),
    ("PUT", "/lab-bucket?versioning", b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
     (400, "MalformedXML", None)),
    ("PATCH", "/lab-bucket/k", b"", (405, "MethodNotAllowed", None)),
    ("GET", "/lab-bucket/%FF", b"", (400, "InvalidURI", None)),
    ("GET", "/a%20b", b"", (400, "InvalidBucketName", None)),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "wanted"), BAD)
def test_a_malformed_request_is_refused_as_s3_does(s3, host, method, path, body, wanted):
    assert refusal(host, method, path, body) == wanted


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"x-amz-storage-class": "COLD"}, (400, "InvalidStorageClass", None)),
        ({"x-amz-acl": "mine"}, (400, "InvalidArgument", "x-amz-acl")),
        ({"x-amz-server-side-encryption": "rot13"}, (400, "InvalidEncryptionAlgorithmError", None)),
        ({"x-amz-object-lock-mode": "SOFT"}, (400, "InvalidArgument", "x-amz-object-lock-mode")),
        (
            {"x-amz-object-lock-retain-until-date": "then"},
            (400, "InvalidArgument", "x-amz-object-lock-retain-until-date"),
        ),
    ],
)
def test_a_header_of_a_value_that_there_is_none_of_is_refused(s3, host, headers, wanted):
    assert refusal(host, "PUT", "/lab-bucket/k", b"x", headers) == wanted
    assert s3.list_objects_v2(Bucket="lab-bucket")["KeyCount"] == 0


def test_a_date_that_http_has_one_ignore_is_ignored(s3, host):
    s3.put_object(Bucket="lab-bucket", Key="k", Body=b"x")
    answer = send_signed(host, "s3", b"", {"If-Modified-Since": "once"}, path="/lab-bucket/k", method="GET")
    assert (answer.status_code, answer.content) == (200, b"x")


def test_a_sound_request_with_xml_still_works(s3):
    s3.put_bucket_tagging(Bucket="lab-bucket", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket="lab-bucket")["TagSet"] == [{"Key": "a", "Value": "b"}]
