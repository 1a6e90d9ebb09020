"""Bodies against what was declared of them, and bodies in chunks: AWS's own examples, whole and broken."""

import base64
import hashlib
import zlib

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.payloads import ChunkedBody, ChunkSigner
from labkit.sandbox.kernel.signatures import Signature
from labkit.sandbox.kernel.signing import signing_key
from tests.sandbox.in_process import client_maker, send_signed

BUCKET = {"Bucket": "bucket", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = "20130524/us-east-1/s3/aws4_request"
CHUNKS = [(b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648")]
CHUNKS += [(b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497")]
CHUNKS += [(b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9")]
SIGNED = {
    "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "X-Amz-Decoded-Content-Length": "66560",
}
"""The example of sigv4-streaming.html."""


def signer():
    signature = Signature("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", (), "", False)
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    return ChunkSigner(signing_key(SECRET, signature), "20130524T000000Z", SCOPE, seed)


def framed(chunks):
    return b"".join(
        b"%x;chunk-signature=%s\r\n%s\r\n" % (len(content), signature.encode(), content)
        for content, signature in chunks
    )


def trailed(content, **trailers):
    """A body in one unsigned chunk, with trailing headers, and the headers that announce it."""
    lines = "".join(f"{name.replace('_', '-')}:{value}\r\n" for name, value in trailers.items())
    body = b"%x\r\n%s\r\n0\r\n" % (len(content), content) + lines.encode() + b"\r\n"
    return body, {
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": str(len(content)),
        "X-Amz-Trailer": ",".join(name.replace("_", "-") for name in trailers),
        "Content-Encoding": "aws-chunked",
    }


def decoded(body, headers, signer=None, size=None):
    reader = ChunkedBody(Headers(headers), signer)
    size = size or len(body) or 1
    content = b"".join(reader.feed(body[start : start + size]) for start in range(0, len(body), size))
    reader.finish()
    return content


def crc32(content):
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("size", [1000, 65536, 100_000])
def test_the_documentation_s_own_chunks_are_signed_as_they_should(size):
    assert decoded(framed(CHUNKS), SIGNED, signer(), size) == b"a" * 66560


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chunk_that_was_changed_is_refused(place):
    changed = list(CHUNKS)
    changed[place] = (changed[place][0].replace(b"a", b"b", 1), "0" * 64 if place == 2 else changed[place][1])
    with pytest.raises(ServiceError, match="SignatureDoesNotMatch"):
        decoded(framed(changed), SIGNED, signer())


CONTENT = b"hello, chunks"
WHOLE, HEADERS = trailed(CONTENT, x_amz_checksum_crc32=crc32(CONTENT))
BROKEN = [
    ("no number", b"zz\r\n" + WHOLE, {}, "IncompleteBody"),
    ("a number below zero", b"-1\r\n" + WHOLE, {}, "IncompleteBody"),
    ("a chunk that is longer than it says", WHOLE.replace(b"hello", b"hello there"), {}, "IncompleteBody"),
    ("a chunk that is shorter than it says", WHOLE.replace(b"hello", b"h"), {}, "IncompleteBody"),
    ("an end in the middle", WHOLE[:9], {}, "IncompleteBody"),
    ("an end before the trailer", WHOLE[: WHOLE.index(b"x-amz")], {}, "IncompleteBody"),
    ("nothing", b"", {}, "IncompleteBody"),
    ("more after the end", WHOLE + b"x", {}, "IncompleteBody"),
    ("a head without an end", b"0" * 10_000, {}, "IncompleteBody"),
    ("a chunk as long as the sea", b"ffffffffffffffff\r\n", {}, "IncompleteBody"),
    ("less than announced", WHOLE, {"X-Amz-Decoded-Content-Length": "99"}, "IncompleteBody"),
    ("more than announced", WHOLE, {"X-Amz-Decoded-Content-Length": "3"}, "IncompleteBody"),
    ("an announcement that is no number", WHOLE, {"X-Amz-Decoded-Content-Length": "many"}, "InvalidArgument"),
    ("a trailer that is not announced", WHOLE, {"X-Amz-Trailer": ""}, "MalformedTrailerError"),
    ("a trailer that is missing", WHOLE, {"X-Amz-Trailer": "x-amz-checksum-crc32,x-amz-foo"}, "MalformedTrailerError"),
    ("a wrong checksum", WHOLE.replace(crc32(CONTENT).encode(), b"AAAAAA=="), {}, "BadDigest"),
    ("a checksum that is none", WHOLE.replace(crc32(CONTENT).encode(), b"?"), {}, "InvalidRequest"),
]


@pytest.mark.parametrize(("what", "body", "headers", "code"), BROKEN, ids=[each[0] for each in BROKEN])
def test_a_broken_body_in_chunks_is_the_client_s_fault(host, what, body, headers, code):
    client_maker(host)("s3").create_bucket(**BUCKET)
    answer = put(host, body, HEADERS | headers)
    assert 400 <= answer.status_code < 500
    assert f"<Code>{code}</Code>" in answer.text
    assert client_maker(host)("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 0


def put(host, body, headers):
    """Put an object, signed with the hash that the headers declare."""
    kept = dict(headers)
    return send_signed(host, "s3", body, kept, path="/bucket/key", method="PUT", payload=kept["X-Amz-Content-SHA256"])


@pytest.mark.parametrize("name", ["crc32", "sha1", "sha256"])
def test_what_the_chunks_hold_is_stored(host, name):
    s3 = client_maker(host)("s3")
    s3.create_bucket(**BUCKET)
    made = crc32(CONTENT) if name == "crc32" else base64.b64encode(hashlib.new(name, CONTENT).digest()).decode()
    body, headers = trailed(CONTENT, **{f"x_amz_checksum_{name}": made})
    assert put(host, body, headers).status_code == 200
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == CONTENT


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40).filter(len), max_size=5), st.integers(1, 50))
def test_a_body_may_come_in_any_pieces(chunks, size):
    whole = b"".join(chunks)
    body = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in [*chunks, b""])
    headers = {
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": str(len(whole)),
    }
    assert decoded(body, headers, size=size) == whole


def test_a_body_other_than_the_declared_one_is_not_stored(host):
    s3 = client_maker(host)("s3")
    s3.create_bucket(**BUCKET)
    other = hashlib.sha256(b"other").hexdigest()

    def change(request, **_):
        request.body = b"other"
        request.headers["Content-Length"] = "5"

    s3.meta.events.register_first("before-send.s3.PutObject", change)
    with pytest.raises(ClientError) as raised:
        s3.put_object(Bucket="bucket", Key="key", Body=b"body")
    error = raised.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("XAmzContentSHA256Mismatch", 400)
    assert error["Error"]["Message"] == "The provided 'x-amz-content-sha256' header does not match what was computed."
    assert error["Error"]["ClientComputedContentSHA256"] == hashlib.sha256(b"body").hexdigest()
    assert error["Error"]["S3ComputedContentSHA256"] == other
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 0


def test_only_s3_takes_a_body_that_is_not_signed(host):
    s3 = client_maker(host)("s3")
    s3.create_bucket(**BUCKET)
    assert put(host, b"body", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}).status_code == 200
    headers = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups", "Content-Type": "application/x-amz-json-1.1"}
    for payload in ("UNSIGNED-PAYLOAD", hashlib.sha256(b"other").hexdigest()):
        answer = send_signed(host, "logs", b"{}", headers | {"X-Amz-Content-SHA256": payload})
        assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    honest = send_signed(host, "logs", b"{}", headers | {"X-Amz-Content-SHA256": hashlib.sha256(b"{}").hexdigest()})
    assert honest.status_code == 200
