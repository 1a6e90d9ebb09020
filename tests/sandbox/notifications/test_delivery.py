import json
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from labkit.sandbox.notifications import delivery
from tests.sandbox.notifications.sns import QUEUE, TOPIC


def test_the_mail_that_asks_for_confirmation(sns):
    arn = sns.subscribe()
    (mail,) = sns.sandbox.notifications.inbox.messages()
    link = f"http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={sns.token(arn)}"
    assert (mail["to"], mail["subject"]) == ("learner@example.com", "AWS Notification - Subscription Confirmation")
    assert mail["body"].startswith(
        f"You have chosen to subscribe to the topic:\n{TOPIC}\n\nTo confirm this subscription"
    )
    assert f"\n{link}\n" in mail["body"]


def test_a_mail_carries_the_message_and_how_to_end_it(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.publish("The text.", Subject="The subject")
    (mail,) = sns.mails()
    assert (mail["to"], mail["subject"], mail["at"]) == ("learner@example.com", "The subject", "2026-11-02T09:00:00Z")
    assert mail["body"] == (
        "The text.\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link "
        f"below to unsubscribe:\nhttp://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn={arn}\n\n"
        "Please do not reply directly to this email. If you have any questions or comments regarding this email, "
        "please contact us at https://aws.amazon.com/support\n"
    )


def test_a_mail_without_a_subject_has_awss(sns):
    sns.confirm(sns.subscribe())
    sns.publish()
    assert sns.mails()[0]["subject"] == "AWS Notification Message"


def test_a_message_may_differ_by_protocol(sns):
    sns.confirm(sns.subscribe())
    sns.subscribe("sqs", QUEUE)
    sns.publish(json.dumps({"default": "for all", "email": "for people"}), MessageStructure="json")
    assert sns.mails()[0]["body"].startswith("for people\n")
    assert sns.queued()[0]["Message"] == "for all"


def test_a_mail_of_json(sns):
    arn = sns.subscribe("email-json")
    request = json.loads(sns.sandbox.notifications.inbox.messages()[0]["body"])
    assert (request["Type"], request["Token"]) == ("SubscriptionConfirmation", sns.token(arn))
    sns.confirm(arn)
    sns.publish("hello", Subject="greeting")
    notification = json.loads(sns.mails()[0]["body"])
    assert (notification["Type"], notification["Message"]) == ("Notification", "hello")


def test_a_queue_gets_an_envelope(sns):
    arn = sns.subscribe("sqs", QUEUE)
    attributes = {"severity": {"DataType": "String", "StringValue": "high"}}
    message_id = sns.publish("hello", Subject="greeting", MessageAttributes=attributes)
    assert sns.queued() == [
        {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": TOPIC,
            "Subject": "greeting",
            "Message": "hello",
            "Timestamp": "2026-11-02T09:00:00.000Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",
            "UnsubscribeURL": f"http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn={arn}",
            "MessageAttributes": {"severity": {"Type": "String", "Value": "high"}},
        }
    ]


def test_a_queue_can_have_the_message_raw(sns):
    sns.subscribe("sqs", QUEUE, Attributes={"RawMessageDelivery": "true"})
    sns.publish('{"a": 1}')
    assert sns.queued() == [{"a": 1}]


def test_a_raw_message_brings_its_attributes(server, client):
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="raw", MessageAttributes={"n": {"DataType": "Number", "StringValue": "7"}})
    (message,) = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "raw"
    assert message["MessageAttributes"] == {"n": {"DataType": "Number", "StringValue": "7"}}


def test_a_queue_that_is_gone_keeps_nobody_else_from_the_message(sns):
    sns.subscribe("sqs", QUEUE.replace("alerts", "gone"))
    sns.subscribe("sqs", QUEUE)
    sns.publish()
    assert len(sns.queued()) == 1


@pytest.fixture
def listener():
    """An HTTP endpoint on this machine, what it was sent, and a way to wait for more."""
    received, arrived = [], threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.headers["x-amz-sns-message-type"], json.loads(body)))
            self.send_response(200)
            self.end_headers()
            arrived.release()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def next_message():
        assert arrived.acquire(timeout=30)
        return received[-1]

    yield f"http://127.0.0.1:{server.server_port}/hook", received, next_message
    server.shutdown()
    server.server_close()


def test_an_http_endpoint_is_asked_and_then_told(sns, listener):
    endpoint, _, next_message = listener
    arn = sns.subscribe("http", endpoint)
    kind, request = next_message()
    assert (kind, request["Token"]) == ("SubscriptionConfirmation", sns.token(arn))
    assert request["SubscribeURL"].endswith(f"Token={request['Token']}")
    sns.confirm(arn)
    sns.publish("hello")
    kind, notification = next_message()
    assert (kind, notification["Message"]) == ("Notification", "hello")


@pytest.fixture
def moody(monkeypatch):
    """An HTTP endpoint that answers with one status after the other, and what it was sent."""
    monkeypatch.setattr(delivery, "RETRY_AFTER", 0)
    statuses, received = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(statuses[len(received) - 1])
            if 300 <= statuses[len(received) - 1] < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", statuses, received
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([200], 1),
        ([204], 1),
        ([503, 200], 2),
        ([500, 429, 502, 200], 4),
        ([503, 503, 503, 503, 200], 4),
        ([404, 200], 1),
        ([403, 200], 1),
        ([503, 410, 200], 2),
        ([302, 200], 1),
        ([307, 200], 1),
    ],
)
def test_a_post_is_tried_again_while_the_server_may_yet_take_it(sns, moody, monkeypatch, answers, tries):
    endpoint, statuses, received = moody
    statuses += answers
    left = threading.Event()
    sent = []
    monkeypatch.setattr(sns.sandbox.outbox, "put", sent.append)
    sns.subscribe("http", endpoint)
    (send,) = sent
    send(left.set)
    assert left.wait(timeout=30)
    assert len(received) == tries
    assert len(set(received)) == 1


def test_an_endpoint_that_nobody_listens_at_is_tried_four_times(monkeypatch, caplog):
    monkeypatch.setattr(delivery, "RETRY_AFTER", 0)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        request = urllib.request.Request(f"http://127.0.0.1:{held.getsockname()[1]}/", b"{}", method="POST")
        left = []
        delivery._send(request, lambda: left.append(True))
    assert left == [True]
    assert len([record for record in caplog.records if "did not take a message" in record.message]) == 4


@pytest.mark.parametrize("address", ["192.0.2.1", "0.0.0.0", "169.254.169.254", "::ffff:192.0.2.1", "fe80::1%lo"])
def test_a_name_that_leads_away_from_this_machine_is_not_posted_to(monkeypatch, caplog, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    leads = [(family, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("127.0.0.1", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: leads)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connected"))
    assert delivery._settled(urllib.request.Request("http://localhost/hook", b"{}", method="POST"))
    assert "is not on this machine" in caplog.text
