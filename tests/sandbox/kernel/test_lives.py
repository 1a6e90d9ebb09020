"""How long presigned URLs live: a client signs by the machine's clock, and the sandbox's counts."""

import re

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import Client

from labkit.sandbox.kernel.machine_time import Moments
from tests.conftest import SESSION
from tests.sandbox.in_process import (
    BARE,
    CONTROL_HEADERS,
    CREDENTIALS,
    ENDPOINT,
    client_maker,
    open_host,
    sender,
)
from tests.sandbox.kernel.machine import Machine

DAY = 86_400
V2, V4 = None, Config(signature_version="s3v4")
"""What boto3 does by default in eu-west-1, and what it can be told to do."""
BOTH = pytest.mark.parametrize("config", [V2, V4], ids=["version 2", "version 4"])


class Place:
    """A sandbox in a home, with a bucket and an object, beside a machine whose clock is another."""

    def __init__(self, folder, patch):
        self._folder = folder
        self.machine = Machine(1796124930.4)
        self.machine.sign_by(patch)
        self.start()
        self.s3().create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.s3().put_object(Bucket="bucket", Key="k", Body=b"here")

    def start(self):
        moments = Moments(self._folder / "moments.txt", frozen=True, machine=self.machine, sleep=self.machine.sleep)
        self.host = open_host(self._folder / "journal.sqlite", BARE, moments)

    def restart(self):
        self.host.close()
        self.machine.sleep(5)
        self.start()

    def s3(self, config=V4):
        client = SESSION.client(
            "s3",
            region_name="eu-west-1",
            endpoint_url=ENDPOINT,
            aws_access_key_id=CREDENTIALS.access_key_id,
            aws_secret_access_key=CREDENTIALS.secret_access_key,
            config=config,
        )
        client.meta.events.register("before-send", sender(self.host))
        return client

    def url(self, config, seconds):
        return self.s3(config).generate_presigned_url(
            "get_object", Params={"Bucket": "bucket", "Key": "k"}, ExpiresIn=seconds
        )

    def advance(self, seconds):
        answer = self.ask("POST", "/_sandbox/clock/advance", headers=CONTROL_HEADERS, json={"seconds": seconds})
        assert answer.status_code == 200

    def ask(self, method, url, **rest):
        headers = {"Host": "127.0.0.1:4566"} | rest.pop("headers", {})
        return Client(self.host).open(url.removeprefix(ENDPOINT), method=method, headers=headers, **rest)

    def get(self, url):
        return self.ask("GET", url)


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Place(tmp_path, monkeypatch)
    yield place
    place.host.close()


@BOTH
@pytest.mark.parametrize("seconds", [1, 60, 3600])
def test_a_url_dies_when_its_time_has_passed_in_the_sandbox(place, config, seconds):
    url = place.url(config, seconds)
    assert place.get(url).data == b"here"
    place.advance(30 * DAY)
    dead = place.get(url)
    assert dead.status_code == 403
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in dead.text
    expires, server_time = re.search("<Expires>(.*)</Expires><ServerTime>(.*)</ServerTime>", dead.text).groups()
    assert expires < "2026-11-02T10:00:02Z" < server_time == "2026-12-02T09:00:00Z"
    assert (f"<X-Amz-Expires>{seconds}</X-Amz-Expires>" in dead.text) == (config is V4)


@BOTH
def test_a_url_that_is_signed_after_the_clock_was_advanced_is_good(place, config):
    place.advance(30 * DAY)
    assert place.get(place.url(config, 60)).status_code == 200


@BOTH
def test_a_url_outlives_what_is_shorter_than_its_life(place, config):
    url = place.url(config, 3600)
    place.machine.sleep(2)
    place.advance(3000)
    assert place.get(url).status_code == 200
    place.machine.sleep(2)
    place.advance(700)
    assert place.get(url).status_code == 403


@BOTH
def test_only_the_sandbox_s_time_counts_whatever_passes_on_the_machine(place, config):
    url = place.url(config, 60)
    place.machine.sleep(10 * 3600)
    assert place.get(url).status_code == 200


@BOTH
def test_a_url_lives_and_dies_over_restarts_as_well(place, config):
    url = place.url(config, 3600)
    place.restart()
    assert place.get(url).status_code == 200
    place.advance(2 * 3600)
    place.restart()
    assert place.get(url).status_code == 403
    assert place.get(place.url(config, 3600)).status_code == 200


@BOTH
def test_what_was_signed_before_a_reset_counts_by_the_machine_s_clock(place, config):
    short, long = place.url(config, 60), place.url(config, 3600)
    place.machine.sleep(600)
    assert place.ask("POST", "/_sandbox/reset", headers=CONTROL_HEADERS, json={}).status_code == 200
    place.s3().create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place.s3().put_object(Bucket="bucket", Key="k", Body=b"new")
    assert place.get(short).status_code == 403 or config is V2  # it may have been one of 11 minutes
    assert place.get(long).data == b"new"


@BOTH
def test_a_url_puts_an_object_with_what_was_signed_along(place, config):
    params = {"Bucket": "bucket", "Key": "new", "ContentType": "text/plain", "Metadata": {"from": "afar"}}
    url = place.s3(config).generate_presigned_url("put_object", Params=params)
    headers = {"Content-Type": "text/plain"} | ({"x-amz-meta-from": "afar"} if config is V4 else {})
    assert place.ask("PUT", url, headers=headers, data=b"Action=ListUsers&Version=2010-05-08").status_code == 200
    head = place.s3().head_object(Bucket="bucket", Key="new")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (35, "text/plain", {"from": "afar"})
    assert place.ask("PUT", url, headers=headers | {"Content-Type": "text/html"}, data=b"").status_code == 403
    place.restart()
    assert place.s3().get_object(Bucket="bucket", Key="new")["Body"].read() == b"Action=ListUsers&Version=2010-05-08"


@BOTH
def test_a_url_is_for_one_method_and_one_object(place, config):
    url = place.url(config, 3600)
    for method, address in (("DELETE", url), ("GET", url.replace("/bucket/k", "/bucket/l"))):
        answer = place.ask(method, address)
        assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


def test_a_client_may_sign_in_the_header_by_version_2(place):
    s3 = place.s3(Config(signature_version="s3"))
    s3.put_object(Bucket="bucket", Key="a b/ä", Body=b"two", Metadata={"x": "y"}, ContentType="text/plain")
    assert s3.get_object(Bucket="bucket", Key="a b/ä")["Metadata"] == {"x": "y"}
    assert s3.get_object(Bucket="bucket", Key="a b/ä", ResponseContentType="a/b; c=d")["ContentType"] == "a/b; c=d"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bucket", Prefix="a b")["Contents"]] == ["a b/ä"]
    assert s3.get_object_tagging(Bucket="bucket", Key="k")["TagSet"] == []
    s3.meta.events.register("before-sign", lambda **_: place.machine.sleep(-3600))
    s3.meta.events.register_first("before-send", lambda **_: place.machine.sleep(3600))
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket="bucket", Key="k")
    assert raised.value.response["Error"]["Code"] == "RequestTimeTooSkewed"


def test_a_url_of_another_service_lives_no_longer(place):
    sts = client_maker(place.host)("sts")
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    assert ":user/" in place.get(url).text
    place.advance(DAY)
    dead = place.get(url)
    assert (dead.status_code, "<Code>SignatureDoesNotMatch</Code><Message>Signature expired" in dead.text) == (
        403,
        True,
    )
