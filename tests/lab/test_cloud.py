import io
import re
import socket
import threading
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from labkit.lab import cloud
from labkit.lab.cloud import AwsCloud, Connection, SandboxCloud, WaitedInVain, minutes, open_cloud
from labkit.lab.errors import LabError
from labkit.lab.settings import Settings, SettingsError
from labkit.notebook import Lab
from labkit.sandbox import process
from labkit.sandbox.process import SandboxError, Server
from tests.conftest import lend


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (30, "30 s"), (60, "1 min"), (390, "6 min 30 s"), (3600, "60 min"), (59.7, "1 min")],
)
def test_a_duration_in_words(seconds, words):
    assert minutes(seconds) == words


@pytest.fixture
def sandbox_cloud(running_server):
    """The shared sandbox as it is: a reset for each test would take longer than the tests."""
    return SandboxCloud(running_server)


def test_the_sandboxs_time_is_its_clocks(sandbox_cloud):
    clock = sandbox_cloud._server.control("GET", "/clock")
    assert clock["now"] == f"{sandbox_cloud.now():%Y-%m-%dT%H:%M:%SZ}"
    assert sandbox_cloud.now().tzinfo is not None


def test_waiting_in_the_sandbox_skips_just_enough_of_its_time(sandbox_cloud):
    start = sandbox_cloud.now()
    due = start + timedelta(seconds=70)
    passed = sandbox_cloud.wait_until(lambda: sandbox_cloud.now() >= due, timeout=600, what="70 s")
    assert (passed, sandbox_cloud.now()) == (90.0, start + timedelta(seconds=90))


def test_what_is_there_already_is_not_waited_for(sandbox_cloud):
    start = sandbox_cloud.now()
    assert sandbox_cloud.wait_until(lambda: True, timeout=600, what="it") == 0
    assert sandbox_cloud.now() == start


def test_waiting_in_vain_ends_and_says_so(sandbox_cloud):
    with pytest.raises(
        WaitedInVain,
        match=re.escape("Waited 2 min of the sandbox's time for Godot, in vain. See with check(...) what is missing"),
    ):
        sandbox_cloud.wait_until(lambda: False, timeout=120, what="Godot")


class ServerInUse:
    """Stands in for the server of a sandbox, and writes down what is asked of it."""

    def __init__(self, *, interrupted: bool = False) -> None:
        self.asked: list[str] = []
        self._interrupted = interrupted

    def control(self, method, path, body=None):
        self.asked.append(path)
        if path == "/clock/advance" and self._interrupted:
            raise KeyboardInterrupt
        return {}


def test_who_interrupts_a_wait_stops_the_sandboxs_time():
    server = ServerInUse(interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        SandboxCloud(server).wait_until(lambda: False, timeout=600, what="it")
    assert server.asked == ["/clock/advance", "/clock/stop"]


def test_a_wait_that_takes_long_shows_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(cloud, "_BAR_SECONDS", 0.0)
    looks = iter([False, False, True])
    assert SandboxCloud(ServerInUse()).wait_until(lambda: next(looks), timeout=600, what="the mail") == 60
    assert "the mail: |" in capsys.readouterr().err


def test_a_wait_that_is_soon_over_shows_nothing(capsys):
    looks = iter([False, True])
    SandboxCloud(ServerInUse()).wait_until(lambda: next(looks), timeout=600, what="the mail")
    assert capsys.readouterr().err == ""


def test_a_connection_is_attempted_in_the_sandboxs_network(sandbox_cloud):
    address = Lab(Settings(), sandbox_cloud).web_server.public_ip
    assert sandbox_cloud.connect(address, 80).outcome == "connected"
    assert sandbox_cloud.connect(address, 23).outcome == "timed out"


def test_only_the_mails_of_the_address_are_read(sandbox_cloud):
    assert sandbox_cloud.mails("nobody@example.net") == []


def test_only_links_to_the_sandbox_are_followed(sandbox_cloud):
    with pytest.raises(LabError, match="does not lead to the sandbox"):
        sandbox_cloud.follow("http://192.0.2.9/?Action=ConfirmSubscription")
    with pytest.raises(LabError, match="does not lead to the sandbox"):
        sandbox_cloud.follow(sandbox_cloud._server.endpoint + "0/")


def test_a_link_that_is_no_good_is_said_so(sandbox_cloud):
    with pytest.raises(LabError, match="The link was refused: HTTP 4"):
        sandbox_cloud.follow(f"{sandbox_cloud._server.endpoint}/?Action=ConfirmSubscription&TopicArn=x&Token=y")


def test_a_sandbox_that_is_gone_is_said_in_a_sentence_with_what_to_do():
    gone = SandboxCloud(Server("http://127.0.0.1:9", 9, 1, "key", "secret", "token"))
    with pytest.raises(LabError, match="Run the notebook's first cell again"):
        gone.now()
    with pytest.raises(LabError, match="Run the notebook's first cell again"):
        gone.follow("http://127.0.0.1:9/x")


def test_a_sandbox_that_cannot_start_is_said_in_a_sentence(monkeypatch, tmp_path):
    def start(*_: object, **__: object) -> Server:
        raise SandboxError("port 80 is taken by another program")

    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setattr(process, "start", start)
    with pytest.raises(LabError, match=r"^Port 80 is taken by another program\.$"):
        open_cloud(Settings())


def test_the_sandbox_that_runs_is_used(running_server, monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    lend(running_server, tmp_path)
    opened = open_cloud(Settings())
    assert opened.name == "sandbox"
    assert opened.connect("198.51.100.99", 80).outcome == "timed out"


@pytest.fixture
def quick_aws(monkeypatch):
    """AWS whose waits take no time: a clock that each pause moves on."""
    clock = [0.0]
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(cloud.time, "sleep", sleep)
    monkeypatch.setattr(cloud.time, "monotonic", lambda: clock[0])
    return AwsCloud(), pauses


def test_waiting_on_aws_polls_with_growing_pauses_and_a_bar(quick_aws, capsys):
    aws, pauses = quick_aws
    looks = iter([False] * 12 + [True])
    passed = aws.wait_until(lambda: next(looks), timeout=900, what="the log stream")
    assert len(pauses) == 12
    assert passed == pytest.approx(sum(pauses))
    assert max(pauses[:2]) < 10 < max(pauses) <= 36
    assert "the log stream" in capsys.readouterr().err


def test_waiting_on_aws_in_vain_ends_and_says_so(quick_aws):
    aws, pauses = quick_aws
    with pytest.raises(WaitedInVain, match="for Godot, in vain"):
        aws.wait_until(lambda: False, timeout=60, what="Godot")
    assert 60 <= sum(pauses) < 100


def test_an_interrupted_wait_can_be_taken_up_again(quick_aws):
    aws, _ = quick_aws

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aws.wait_until(interrupted, timeout=60, what="it")
    assert aws.wait_until(lambda: True, timeout=60, what="it") == 0


def test_a_connection_on_aws_is_a_tcp_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        accepting = threading.Thread(target=lambda: listener.accept()[0].close())
        accepting.start()
        assert AwsCloud().connect("127.0.0.1", port) == Connection("connected")
        accepting.join()
    assert AwsCloud().connect("127.0.0.1", port).outcome == "refused"


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [(TimeoutError(), "timed out"), (ConnectionRefusedError(), "refused")],
    ids=["drop", "reject"],
)
def test_what_became_of_an_attempt_on_aws(failure, outcome, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(cloud.socket, "create_connection", fail)
    assert AwsCloud().connect("192.0.2.10", 22).outcome == outcome


def test_without_a_network_an_attempt_says_so(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(cloud.socket, "create_connection", fail)
    with pytest.raises(LabError, match="No connection could be tried from this machine: Network is unreachable"):
        AwsCloud().connect("192.0.2.10", 22)


def test_on_aws_the_mailbox_is_the_learners_own():
    assert AwsCloud().mails("me@mycompany.io") == []
    with pytest.raises(LabError, match="your own mailbox"):
        AwsCloud().follow("https://sns.eu-west-1.amazonaws.com/confirmation.html")


def test_the_confirmed_account_comes_from_the_environment_or_the_form(monkeypatch):
    monkeypatch.delenv("LABKIT_AWS_ACCOUNT", raising=False)
    assert AwsCloud.open(Settings(aws_account="123456789012"))._confirmed_account == "123456789012"
    monkeypatch.setenv("LABKIT_AWS_ACCOUNT", "210987654321")
    assert AwsCloud.open(Settings(aws_account="123456789012"))._confirmed_account == "210987654321"


def test_aws_that_cannot_be_asked_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def unreachable(*_: object, **__: object) -> None:
        from botocore.exceptions import EndpointConnectionError

        raise EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com")

    monkeypatch.setattr("botocore.endpoint.Endpoint.make_request", unreachable)
    with pytest.raises(LabError, match="AWS could not be asked whose the credentials are"):
        AwsCloud.identity("eu-west-1")


def throttled():
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "FilterLogEvents")


@pytest.mark.parametrize(
    "trouble",
    [throttled(), EndpointConnectionError(endpoint_url="https://x"), ReadTimeoutError(endpoint_url="https://x")],
    ids=["throttled", "no network", "no answer"],
)
def test_a_look_that_aws_does_not_answer_is_a_look_in_vain_and_no_more(quick_aws, trouble):
    aws, pauses = quick_aws
    looks = iter([trouble, trouble, True])

    def look() -> bool:
        seen = next(looks)
        if isinstance(seen, Exception):
            raise seen
        return seen

    assert aws.wait_until(look, timeout=600, what="it") == sum(pauses) > 0


def test_credentials_that_expire_in_mid_wait_end_it(quick_aws):
    aws, _ = quick_aws

    def look() -> bool:
        raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "FilterLogEvents")

    with pytest.raises(ClientError, match="ExpiredTokenException"):
        aws.wait_until(look, timeout=600, what="it")


def test_the_bar_shows_elapsed_and_expected_time(quick_aws, capsys):
    aws, _ = quick_aws
    looks = iter([False] * 8 + [True])
    aws.wait_until(lambda: next(looks), timeout=2700, what="the log stream", expected=900)
    shown = capsys.readouterr().err
    assert re.search(r"the log stream: \|[^|]+\|, (\d+ min )?\d+ s, usually up to 15 min", shown)


def test_the_bar_counts_steps_where_there_are_any(quick_aws, capsys):
    aws, _ = quick_aws
    done = iter(range(0, 11, 2))
    looks = iter([False] * 5 + [True])
    aws.wait_until(lambda: next(looks), timeout=900, what="the stack", expected=300, steps=lambda: (next(done), 12))
    assert "8 of 12, " in capsys.readouterr().err


class Answer(io.BytesIO):
    """What urlopen gives back."""


@pytest.mark.parametrize(
    ("said", "address"),
    [(b"203.0.113.7\n", "203.0.113.7"), (b"<html>", ""), (b"2001:db8::1", ""), (b"\xff", ""), (OSError(), "")],
    ids=["address", "a page", "IPv6", "bytes", "no network"],
)
def test_the_learners_own_address_is_what_aws_sees(said, address, monkeypatch):
    asked = []

    def urlopen(url: str, timeout: float) -> Answer:
        asked.append(url)
        if isinstance(said, OSError):
            raise said
        return Answer(said)

    monkeypatch.setattr(cloud.request, "urlopen", urlopen)
    aws = AwsCloud()
    assert (aws.own_address(), aws.own_address()) == (address, address)
    assert asked == ["https://checkip.amazonaws.com"]


def test_an_account_in_the_environment_that_is_none_is_said(monkeypatch):
    monkeypatch.setenv("LABKIT_AWS_ACCOUNT", "my-account")
    with pytest.raises(SettingsError, match="LABKIT_AWS_ACCOUNT: 'my-account' is no AWS account id"):
        AwsCloud.open(Settings())
