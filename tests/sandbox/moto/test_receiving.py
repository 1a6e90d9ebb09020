"""Long polls: they end when a message comes or their time is up, and nobody waits for them."""

import threading
from concurrent.futures import Future
from itertools import count
from types import SimpleNamespace

import pytest

from labkit.sandbox.journal import Journal
from labkit.sandbox.moto import receiving
from tests.sandbox.in_process import BARE, client_maker, open_host

FOR_EVER = 20
"""Seconds of a poll that something else is to end: longer than a test waits for it."""


@pytest.fixture
def sqs(host):
    return client_maker(host)("sqs")


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName="q")["QueueUrl"]


class Waiting:
    """Calls that wait on threads of their own; `until_waiting` returns when all of them do."""

    def __init__(self, host, monkeypatch):
        self._host = host
        self._waits = threading.Semaphore(0)
        wait = host.news.wait

        def told(number, seconds):
            self._waits.release()
            wait(number, seconds)

        monkeypatch.setattr(host.news, "wait", told)

    def receive(self, queue, **more) -> Future:
        future: Future = Future()
        sqs = client_maker(self._host)("sqs")

        def call():
            try:
                future.set_result(sqs.receive_message(QueueUrl=queue, **more))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=call, daemon=True).start()
        assert self._waits.acquire(timeout=60)
        return future


@pytest.fixture
def waiting(host, monkeypatch):
    return Waiting(host, monkeypatch)


def bodies(future: Future) -> list[str]:
    return [message["Body"] for message in future.result(60).get("Messages", [])]


def test_a_poll_of_an_empty_queue_ends_by_the_time_of_the_machine(sqs, queue, monkeypatch):
    monkeypatch.setattr(receiving, "time", SimpleNamespace(monotonic=count(step=FOR_EVER + 1).__next__))
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=FOR_EVER)


def test_a_message_ends_a_poll(sqs, queue, waiting):
    future = waiting.receive(queue, WaitTimeSeconds=FOR_EVER)
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert bodies(future) == ["hello"]


def test_others_are_answered_while_polls_wait(sqs, queue, waiting):
    futures = [waiting.receive(queue, WaitTimeSeconds=FOR_EVER) for _ in range(3)]
    assert sqs.list_queues()["QueueUrls"] == [queue]
    for text in "abc":
        sqs.send_message(QueueUrl=queue, MessageBody=text)
    assert sorted(body for future in futures for body in bodies(future)) == ["a", "b", "c"]


def test_the_queue_says_how_long_a_poll_waits_that_does_not_say(sqs, waiting):
    queue = sqs.create_queue(QueueName="q", Attributes={"ReceiveMessageWaitTimeSeconds": str(FOR_EVER)})["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)
    future = waiting.receive(queue)
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert bodies(future) == ["hello"]


def test_a_poll_ends_by_the_clock_of_the_sandbox(host, queue, waiting):
    future = waiting.receive(queue, WaitTimeSeconds=FOR_EVER)
    host.advance({"seconds": FOR_EVER})
    assert bodies(future) == []


def test_a_delayed_message_comes_when_its_time_has_come(host, sqs, queue, waiting):
    sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=10)
    future = waiting.receive(queue, WaitTimeSeconds=FOR_EVER)
    host.advance({"seconds": 11})
    assert bodies(future) == ["late"]


def test_a_notification_ends_a_poll(host, sqs, queue, waiting):
    sns = client_maker(host)("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:q")
    future = waiting.receive(queue, WaitTimeSeconds=FOR_EVER)
    sns.publish(TopicArn=topic, Message="hello")
    assert "hello" in bodies(future)[0]


def test_a_sandbox_that_closes_ends_polls(tmp_path, monkeypatch):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    queue = client_maker(host)("sqs").create_queue(QueueName="q")["QueueUrl"]
    future = Waiting(host, monkeypatch).receive(queue, WaitTimeSeconds=FOR_EVER)
    host.close()
    future.exception(60)


def test_polls_that_receive_nothing_leave_no_trace_in_the_journal(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    sqs = client_maker(host)("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(3):
        sqs.receive_message(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    handle = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    host.close()
    journal = Journal(tmp_path / "journal.sqlite")
    assert len(list(journal.entries())) == 3
    journal.close()

    host = open_host(tmp_path / "journal.sqlite", BARE)
    sqs = client_maker(host)("sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    number = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert number["ApproximateNumberOfMessagesNotVisible"] == "0"
    host.close()


def test_a_message_that_was_received_too_often_is_moved_for_good(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    sqs = client_maker(host)("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = '{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": "1"}'
    queue = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    host.close()
    host = open_host(tmp_path / "journal.sqlite", BARE)
    assert client_maker(host)("sqs").receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "hello"
    host.close()
