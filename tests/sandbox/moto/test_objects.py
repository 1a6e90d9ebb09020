"""Objects, large and small, come back as they were put; none is stored otherwise than it was sent.

What counts as large is lowered here: a body of some kilobytes takes the way of one of gigabytes.
"""

import base64
import errno
import gzip
import hashlib
import os
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.kernel import checksums, intake
from labkit.sandbox.moto_state import object_bodies
from tests.sandbox.in_process import BARE, client_maker, open_host, send_signed

BUCKET = "objects-of-all-sizes"
LARGE = bytes(range(256)) * 64
PART = LARGE * 320
"""Five megabytes: the least that S3 takes of a part that is not the last."""


@pytest.fixture(autouse=True)
def low_thresholds(monkeypatch):
    monkeypatch.setattr(intake, "IN_MEMORY", 1000)
    monkeypatch.setattr(object_bodies, "LARGE", 1000)


@pytest.fixture
def s3(host):
    client = client_maker(host)("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def body(client, key, **named):
    return client.get_object(Bucket=BUCKET, Key=key, **named)["Body"].read()


def files(host):
    return {path.name for path in host._files.folder.iterdir()} - {"pack"}


def code(refusal):
    return refusal.value.response["Error"]["Code"], refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]


def upload(client, key, parts, **named):
    """Begin an upload and put its parts; return the arguments that complete it."""
    begun = client.create_multipart_upload(Bucket=BUCKET, Key=key, **named)["UploadId"]
    where = {"Bucket": BUCKET, "Key": key, "UploadId": begun}
    algorithm = {"ChecksumAlgorithm": named["ChecksumAlgorithm"]} if named else {}
    put = [client.upload_part(**where, PartNumber=number, Body=data, **algorithm) for number, data in parts]
    named_parts = [{"PartNumber": parts[place][0], "ETag": each["ETag"]} for place, each in enumerate(put)]
    return where | {"MultipartUpload": {"Parts": named_parts}}


@pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
def test_an_object_is_the_bytes_that_were_sent_whatever_their_type(s3, data, content_type):
    put = s3.put_object(Bucket=BUCKET, Key="key", Body=data, ContentType=content_type)
    found = s3.get_object(Bucket=BUCKET, Key="key")
    assert (found["Body"].read(), found["ContentType"], found["ContentLength"]) == (data, content_type, len(data))
    assert put["ETag"] == found["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'


def test_what_curl_sends_is_stored(host, s3):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = send_signed(host, "s3", b"a=1&key=2", headers, path=f"/{BUCKET}/form", method="PUT")
    assert (answer.status_code, body(s3, "form")) == (200, b"a=1&key=2")


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=100-", slice(100, None)), ("bytes=-7", slice(-7, None))],
)
def test_a_range_of_a_large_object_is_read(s3, wanted, part):
    s3.put_object(Bucket=BUCKET, Key="key", Body=LARGE)
    found = s3.get_object(Bucket=BUCKET, Key="key", Range=wanted)
    first, last, _ = part.indices(len(LARGE))
    assert found["Body"].read() == LARGE[part]
    assert found["ContentRange"] == f"bytes {first}-{last - 1}/{len(LARGE)}"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_copy_of_a_large_object_is_as_it_was(s3):
    s3.put_object(Bucket=BUCKET, Key="key", Body=LARGE)
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "key"})
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"new")
    s3.delete_object(Bucket=BUCKET, Key="key")
    assert body(s3, "copy") == LARGE
    assert s3.head_object(Bucket=BUCKET, Key="copy")["ContentLength"] == len(LARGE)


def test_parts_make_an_object(s3):
    completed = s3.complete_multipart_upload(**upload(s3, "key", [(1, PART), (7, LARGE), (9, b"")][:2]))
    digests = hashlib.md5(PART).digest() + hashlib.md5(LARGE).digest()
    assert completed["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert body(s3, "key") == PART + LARGE
    assert body(s3, "key", Range=f"bytes={len(PART) - 3}-{len(PART) + 3}") == PART[-3:] + LARGE[:4]


def test_a_part_is_copied_from_an_object(s3):
    s3.put_object(Bucket=BUCKET, Key="source", Body=LARGE)
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="key")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "key", "UploadId": begun}
    source = {"Bucket": BUCKET, "Key": "source"}
    part = s3.upload_part_copy(**where, PartNumber=1, CopySource=source, CopySourceRange="bytes=10-19")
    etag = part["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert body(s3, "key") == LARGE[10:20]


def test_the_checksum_of_an_object_is_made_of_its_parts(s3):
    s3.complete_multipart_upload(**upload(s3, "key", [(1, PART), (2, LARGE)], ChecksumAlgorithm="SHA256"))
    made = hashlib.sha256(hashlib.sha256(PART).digest() + hashlib.sha256(LARGE).digest()).digest()
    found = s3.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"].startswith(base64.b64encode(made).decode())


@pytest.mark.parametrize(
    ("parts", "order", "error"),
    [
        ([(1, b"too small"), (2, LARGE)], (0, 1), "EntityTooSmall"),
        ([(1, PART), (2, LARGE)], (1, 0), "InvalidPartOrder"),
        ([(1, PART)], (0, 0), "InvalidPartOrder"),
    ],
)
def test_parts_that_make_no_object_are_refused(s3, parts, order, error):
    arguments = upload(s3, "key", parts)
    named = arguments["MultipartUpload"]["Parts"]
    arguments["MultipartUpload"] = {"Parts": [named[place] for place in order]}
    with pytest.raises(ClientError) as refusal:
        s3.complete_multipart_upload(**arguments)
    assert code(refusal) == (error, 400)


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}, "BadDigest"),
        ({"Content-MD5": "bm8gTUQ1"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-crc32c": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-sha1": "AAAA"}, "InvalidRequest"),
    ],
)
def test_a_body_that_is_not_the_declared_one_is_not_stored(host, s3, data, headers, error):
    answer = send_signed(host, "s3", data, headers, path=f"/{BUCKET}/key", method="PUT")
    assert (answer.status_code, f"<Code>{error}</Code>" in answer.text) == (400, True)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert files(host) == set()


def test_a_refused_body_leaves_no_file(host, s3):
    with pytest.raises(ClientError) as refusal:
        s3.put_object(Bucket="there-is-no-such-bucket", Key="key", Body=LARGE)
    assert code(refusal) == ("NoSuchBucket", 404)
    assert files(host) == set()


def test_a_full_disk_refuses_an_object_and_changes_nothing(host, s3, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    s3.put_object(Bucket=BUCKET, Key="key", Body=b"before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(ClientError) as refusal:
            s3.put_object(Bucket=BUCKET, Key="key", Body=LARGE)
    assert code(refusal) == ("ServiceUnavailable", 503)
    assert "could not be kept" in caplog.text
    assert (body(s3, "key"), files(host)) == (b"before", set())


def test_objects_are_as_before_after_a_restart(tmp_path):
    journal = tmp_path / "journal.sqlite"
    with closing(open_host(journal, BARE)) as host:
        s3 = client_maker(host)("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")
        s3.put_object(Bucket=BUCKET, Key="large", Body=LARGE)
        s3.complete_multipart_upload(**upload(s3, "parts", [(1, PART), (2, LARGE)]))
        before = [(each["Key"], each["ETag"], each["Size"]) for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        half = upload(s3, "half", [(1, PART)])
        kept = files(host)
    (tmp_path / "files" / "0123456789abcdef").write_bytes(b"of a request that a kill came into")
    with closing(open_host(journal, BARE)) as again:
        s3 = client_maker(again)("s3")
        after = [(each["Key"], each["ETag"], each["Size"]) for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert after == before
        assert (body(s3, "small"), body(s3, "large"), body(s3, "parts")) == (b"small", LARGE, PART + LARGE)
        s3.complete_multipart_upload(**half)
        assert body(s3, "half") == PART
        assert files(again) == kept
        again.reset()
        assert files(again) == set()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("right", [True, False])
def test_a_body_in_chunks_is_stored_without_its_frames_if_its_checksum_holds(host, s3, algorithm, right):
    checksum = base64.b64encode(checksums.of(algorithm, [LARGE if right else b"other"])).decode()
    name = f"x-amz-checksum-{algorithm.lower()}"
    framed = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n" % (1000, LARGE[:1000], len(LARGE) - 1000, LARGE[1000:])
    framed += f"{name}:{checksum}\r\n\r\n".encode()
    headers = {
        "X-Amz-Trailer": name,
        "X-Amz-Decoded-Content-Length": str(len(LARGE)),
        "Content-Encoding": "aws-chunked,br",
    }
    payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    answer = send_signed(host, "s3", framed, headers, path=f"/{BUCKET}/key", method="PUT", payload=payload)
    if right:
        found = s3.get_object(Bucket=BUCKET, Key="key")
        assert (found["Body"].read(), found["ContentEncoding"]) == (LARGE, "br")
    else:
        assert (answer.status_code, "<Code>BadDigest</Code>" in answer.text) == (400, True)
        assert files(host) == set()


def test_a_compressed_object_is_stored_as_it_is(host, s3):
    data = gzip.compress(LARGE)
    s3.put_object(Bucket=BUCKET, Key="key", Body=data, ContentEncoding="gzip")
    found = s3.get_object(Bucket=BUCKET, Key="key")
    assert (found["Body"].read(), found["ContentEncoding"]) == (data, "gzip")
