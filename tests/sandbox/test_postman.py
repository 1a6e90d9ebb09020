"""The mails of the sandbox, taken on to a mail server of the user's."""

import queue
import socket

import pytest
from aiosmtpd.controller import Controller

from labkit.sandbox import process
from labkit.sandbox.inbox import Mail
from labkit.sandbox.postman import Postman, SmtpServer
from tests.conftest import FROZEN_AT, client_maker


class Mailbox:
    """Keeps what an SMTP server receives."""

    def __init__(self):
        self.received = queue.Queue()

    async def handle_DATA(self, server, session, envelope):
        self.received.put((envelope.rcpt_tos, envelope.content.decode()))
        return "250 Message accepted"


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def smtp(mailbox):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"127.0.0.1:{port}"
    controller.stop()


def test_a_mail_reaches_the_server_that_the_user_named(smtp, mailbox, tmp_path):
    home = tmp_path / "home"
    server = process.start(home, frozen_at=FROZEN_AT, provision=False, smtp=smtp)
    try:
        sns = client_maker(server)("sns")
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
        to, content = mailbox.received.get(timeout=30)
        assert to == ["learner@example.com"]
        assert "Subject: AWS Notification - Subscription Confirmation" in content
        process.stop(home)
        process.start(home, smtp=smtp)
        assert len(process.find(home).control("GET", "/inbox")["messages"]) == 1
        assert mailbox.received.empty()
    finally:
        process.stop(home)


def test_a_subject_of_several_lines_can_not_add_headers(smtp, mailbox):
    Postman(SmtpServer.parse(smtp)).take(
        Mail("learner@example.com", "a\r\nBcc: other@example.com", "é", "now"), lambda: None
    )
    to, content = mailbox.received.get(timeout=30)
    assert to == ["learner@example.com"]
    assert "Subject: a Bcc: other@example.com" in content


@pytest.mark.parametrize(
    "text", ["localhost", "localhost:port", "localhost:0", "mail.example.com:25", "192.0.2.1:25", ""]
)
def test_a_server_elsewhere_is_refused_in_words(text):
    with pytest.raises(ValueError, match="localhost:1025"):
        SmtpServer.parse(text)


def test_a_wrong_server_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(process.SandboxError, match=r"localhost:1025"):
        process.start(tmp_path / "home", smtp="mail.example.com:25")
