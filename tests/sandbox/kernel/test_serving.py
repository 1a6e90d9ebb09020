import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import Client

from labkit.sandbox.kernel import serving
from labkit.sandbox.kernel.presence import Kind
from labkit.sandbox.kernel.stand_in import StandIn
from tests.conftest import client_maker
from tests.sandbox.in_process import SERVER, sender


def test_what_does_not_end_by_itself_does_not_keep_the_server(monkeypatch, caplog):
    monkeypatch.setattr(serving, "SECONDS_TO_CLOSE", 0.01)
    stopped, never = [], threading.Event()
    advances = SimpleNamespace(stop=lambda: stopped.append(True))
    serving._close(SimpleNamespace(advances=advances, close=never.wait))
    assert stopped
    assert "ended while something was under way" in caplog.text
    never.set()


def test_time_goes_on_after_a_full_disk_which_is_logged_once(monkeypatch, caplog):
    monkeypatch.setattr(serving, "SECONDS_BETWEEN_TICKS", 0)
    told, ticks = threading.Event(), []

    def tick() -> None:
        ticks.append(len(ticks))
        if len(ticks) == 4:
            told.set()
        elif len(ticks) < 4:
            raise OSError("database or disk is full")

    host = SimpleNamespace(tick=tick, checkpoint=lambda: None)
    serving._tick(host, SimpleNamespace(is_gone=lambda: False), told)
    assert len(ticks) == 4
    assert caplog.text.count("what real time had made due failed") == 1


def test_a_client_that_comes_too_early_is_told_to_try_again():
    stand_in = StandIn(Kind.REPLAYING, 3, 40)
    answer = Client(stand_in).get("/_sandbox/health")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {
        "status": "replaying",
        "done": 3,
        "of": 40,
        "error": "the sandbox is starting: 3 of 40 changes of its history are repeated; try again",
    }


@pytest.mark.parametrize("service", ["ec2", "s3", "logs", "cloudwatch", "sqs"])
def test_aws_clients_take_it_for_a_service_that_is_not_available(service):
    client = client_maker(SERVER)(service)
    client.meta.events.register("before-send", sender(StandIn(Kind.STARTING)))
    call = {
        "ec2": "describe_vpcs",
        "s3": "list_buckets",
        "logs": "describe_log_groups",
        "cloudwatch": "describe_alarms",
        "sqs": "list_queues",
    }[service]
    with pytest.raises(ClientError) as refusal:
        getattr(client, call)()
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
