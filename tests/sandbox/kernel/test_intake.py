"""What can be refused without a body is refused before it is read; what is too large, before it is held."""

import io
import zlib

import pytest
from werkzeug.test import run_wsgi_app

from labkit.sandbox.kernel import intake
from tests.sandbox.in_process import CONTROL_HEADERS, ENDPOINT, client_maker, send_signed


class Counting(io.RawIOBase):
    """A body that counts how much of it was read, and ends where it is cut."""

    def __init__(self, size):
        self.left, self.read_bytes = size, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left, self.read_bytes = self.left - count, self.read_bytes + count
        return count


def ask(host, stream, length, *, method="PUT", address="/bucket/key", **headers):
    """The status and the text that a host answers to a request whose body comes as it likes."""
    path, _, query = address.partition("?")
    environ = {
        **{"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": address},
        **{"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "4566", "HTTP_HOST": "127.0.0.1:4566", "wsgi.url_scheme": "http"},
        **{"SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_LENGTH": str(length), "wsgi.input": stream, **headers},
    }
    answer, status, _ = run_wsgi_app(host, environ)
    return int(status.split()[0]), b"".join(answer).decode()


def test_an_unsigned_request_is_refused_without_its_body(host):
    stream = Counting(300_000_000)
    assert ask(host, stream, 300_000_000)[0] == 403
    assert stream.read_bytes == 0


def test_the_control_api_takes_no_large_body(host):
    stream = Counting(300_000_000)
    token = CONTROL_HEADERS["Authorization"]
    status, _ = ask(host, stream, 300_000_000, method="POST", address="/_sandbox/connect", HTTP_AUTHORIZATION=token)
    assert (status, stream.read_bytes) == (413, 0)


@pytest.mark.parametrize("service", ["logs", "sns", "s3"])
def test_a_body_over_the_bound_is_refused_in_the_service_s_words(host, monkeypatch, service):
    monkeypatch.setattr(intake, "MAX_BODY", 100)
    monkeypatch.setattr(intake, "MAX_OBJECT", 100)
    method, path = ("PUT", "/bucket/key") if service == "s3" else ("POST", "/")
    target = {"X-Amz-Target": "Logs_20140328.PutLogEvents"} if service == "logs" else {}
    answer = send_signed(host, service, b"x" * 101, target, method=method, path=path)
    assert answer.status_code == (400 if service == "s3" else 413)
    assert ("EntityTooLarge" if service == "s3" else "RequestEntityTooLarge") in answer.text


def test_a_compressed_request_is_inflated_within_a_bound(host, monkeypatch):
    squeeze = zlib.compressobj(wbits=31)
    body = squeeze.compress(b'{"logGroupName": "group", "pad": "' + b" " * 10_000 + b'"}') + squeeze.flush()
    headers = {
        "X-Amz-Target": "Logs_20140328.CreateLogGroup",
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-amz-json-1.1",
    }
    monkeypatch.setattr(intake, "MAX_INFLATED", 1000)
    refused = send_signed(host, "logs", body, headers)
    assert (refused.status_code, "RequestEntityTooLarge" in refused.text) == (413, True)
    monkeypatch.undo()
    assert send_signed(host, "logs", body[:-10], headers).status_code == 400
    assert send_signed(host, "logs", body, headers).status_code == 200
    assert len(client_maker(host)("logs").describe_log_groups()["logGroups"]) == 1


def test_a_body_that_is_cut_off_stores_nothing(host, caplog):
    s3 = client_maker(host)("s3")
    s3.create_bucket(Bucket="bucket-cut", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket-cut", "Key": "key"})
    stream = Counting(3_000_000)
    status, text = ask(host, stream, 9_000_000, address=url.removeprefix(ENDPOINT))
    assert (status, "IncompleteBody" in text) == (400, True)
    assert s3.list_objects_v2(Bucket="bucket-cut")["KeyCount"] == 0
    assert [path.name for path in host._files.folder.iterdir()] == ["pack"]
    assert not caplog.records
