"""Nothing that leaves the sandbox is sent twice or lost, however its process ends."""

import contextlib
import http.client
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labkit.sandbox import process
from labkit.sandbox.journal import Journal
from labkit.sandbox.outbox import Outbox
from tests.conftest import FROZEN_AT, client_maker
from tests.sandbox.in_process import ORIGIN

DAY = 86400


class Endpoint:
    """An HTTP endpoint that confirms what it is asked and keeps what it is told."""

    def __init__(self):
        self.notifications = []
        self.confirmation = None
        self._news = threading.Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                endpoint._take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _take(self, message):
        with self._news:
            if message["Type"] == "Notification":
                self.notifications.append((message["MessageId"], json.loads(message["Message"])["NewStateValue"]))
            else:
                self.confirmation = message
            self._news.notify_all()

    def wait_until(self, condition):
        with self._news:
            assert self._news.wait_for(lambda: condition(self), timeout=60), self.notifications


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def kill(server):
    os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)


def alarm_on_three_channels(server, endpoint):
    """An alarm that tells an HTTP endpoint, a queue and a mailbox."""
    make = client_maker(server)
    sns, sqs = make("sns"), make("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:alerts")
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    endpoint.wait_until(lambda it: it.confirmation)
    sns.confirm_subscription(TopicArn=topic, Token=endpoint.confirmation["Token"])
    make("cloudwatch").put_metric_alarm(
        AlarmName="SSH Rejects",
        Namespace="LabVPC",
        MetricName="SSHRejects",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
        OKActions=[topic],
    )
    return queue


def sample(server, value=1.0):
    client_maker(server)("cloudwatch").put_metric_data(
        Namespace="LabVPC", MetricData=[{"MetricName": "SSHRejects", "Value": value}]
    )


def what_is_known(server, queue):
    make = client_maker(server)
    history = make("cloudwatch").describe_alarm_history(AlarmName="SSH Rejects")["AlarmHistoryItems"]
    depth = make("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    inbox = server.control("GET", "/inbox")["messages"]
    return [(item["Timestamp"], item["HistoryData"]) for item in history], depth["Attributes"], inbox


def test_what_was_sent_before_a_kill_is_not_sent_again(tmp_path: Path, endpoint):
    home = tmp_path / "home"
    server = process.start(home, frozen_at=FROZEN_AT, provision=False)
    try:
        queue = alarm_on_three_channels(server, endpoint)
        server.control("POST", "/clock/advance", {"seconds": 60})
        endpoint.wait_until(lambda it: len(it.notifications) == 1)
        sample(server)
        server.control("POST", "/clock/advance", {"seconds": 60})
        endpoint.wait_until(lambda it: len(it.notifications) == 2)
        before = what_is_known(server, queue)
        kill(server)

        server = process.start(home)
        assert what_is_known(server, queue) == before
        sample(server, 0.0)
        server.control("POST", "/clock/advance", {"seconds": 60})
        endpoint.wait_until(lambda it: len(it.notifications) == 3)
        assert [state for _, state in endpoint.notifications] == ["OK", "ALARM", "OK"]
        assert len({message for message, _ in endpoint.notifications}) == 3
    finally:
        process.stop(home)


def test_a_kill_in_the_midst_of_an_advance_sends_nothing_twice_and_loses_nothing(tmp_path: Path, endpoint):
    home = tmp_path / "home"
    server = process.start(home, frozen_at=FROZEN_AT, provision=False)
    try:
        queue = alarm_on_three_channels(server, endpoint)
        sample(server)
        advance = threading.Thread(target=_advance_and_be_cut_off, args=(server, 300 * DAY))
        advance.start()
        kill(server)
        advance.join()

        server = process.start(home)
        server.control("POST", "/clock/advance", {"seconds": DAY})
        endpoint.wait_until(lambda it: len(it.notifications) == 2)
        # SNS promises no order between two posts.
        assert sorted(state for _, state in endpoint.notifications) == ["ALARM", "OK"]
        history, depth, _ = what_is_known(server, queue)
        assert depth == {"ApproximateNumberOfMessages": "2"}
        assert sum("Succeeded" in data for _, data in history) == 2
    finally:
        process.stop(home)


def _advance_and_be_cut_off(server, seconds):
    with contextlib.suppress(process.SandboxError, http.client.HTTPException):
        server.control("POST", "/clock/advance", {"seconds": seconds})


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.begin(ORIGIN)
    yield journal
    journal.close()


def test_what_waits_leaves_when_it_is_released_in_its_order(journal):
    outbox, sent = Outbox(journal), []
    for number in range(3):
        outbox.put(lambda done, number=number: sent.append(number))
    assert sent == []
    outbox.release()
    outbox.release()
    assert sent == [0, 1, 2]


def test_what_was_on_its_way_when_the_process_ended_leaves_again_what_had_left_does_not(journal):
    first, ways = Outbox(journal), []
    for name in ("arrived", "on its way"):
        first.put(lambda done, name=name: ways.append((name, done)))
    first.release()
    ways[0][1]()
    again, sent = Outbox(journal), []
    for name in ("arrived", "on its way", "new"):
        again.put(lambda done, name=name: sent.append(name))
    again.release()
    assert sent == ["on its way", "new"]


def test_a_sandbox_that_starts_anew_sends_from_the_first(journal):
    first = Outbox(journal)
    first.put(lambda done: done())
    first.release()
    journal.begin(ORIGIN)
    again, sent = Outbox(journal), []
    again.put(lambda done: sent.append("first"))
    again.release()
    assert sent == ["first"]


def test_without_a_journal_everything_leaves_at_once():
    sent = []
    Outbox().put(lambda done: (sent.append("sent"), done()))
    assert sent == ["sent"]
