"""Takes the sandbox's mails on to an SMTP server on this machine, for who wants them in a real mail client."""

from __future__ import annotations

import ipaddress
import logging
import queue
import smtplib
import threading
from dataclasses import dataclass
from email.message import EmailMessage

from labkit.sandbox.inbox import Mail
from labkit.sandbox.outbox import Done

LOG = logging.getLogger(__name__)
SENDER = "no-reply@sns.amazonaws.com"
SECONDS_TO_ANSWER = 10


@dataclass(frozen=True)
class SmtpServer:
    """Where an SMTP server listens: on this machine."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> SmtpServer:
        """`localhost:1025` or `127.0.0.1:1025`; ValueError, in words, for anything that is not on this machine."""
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise ValueError(f"an SMTP server is written as localhost:1025, not {text!r}")
        if host != "localhost" and not _is_loopback(host):
            raise ValueError(f"mails are taken on to this machine alone (localhost:1025), not to {host!r}")
        return cls(host.strip("[]"), int(port))


class Postman:
    """Sends mails one after the other, on a thread of its own: a slow mail server does not hold the sandbox up."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._mails: queue.SimpleQueue[tuple[Mail, Done]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True, name="postman").start()

    def take(self, mail: Mail, done: Done) -> None:
        """Takes a mail to be sent."""
        self._mails.put((mail, done))

    def _work(self) -> None:
        while True:
            mail, done = self._mails.get()
            try:
                self._send(mail)
            except (OSError, smtplib.SMTPException, ValueError) as error:
                LOG.warning("a mail could not be taken on to %s:%s: %s", self._server.host, self._server.port, error)
            done()

    def _send(self, mail: Mail) -> None:
        message = EmailMessage()
        message["From"] = f"AWS Notifications <{SENDER}>"
        message["To"] = mail.to
        message["Subject"] = " ".join(mail.subject.split())
        message.set_content(mail.body)
        with smtplib.SMTP(self._server.host, self._server.port, timeout=SECONDS_TO_ANSWER) as smtp:
            smtp.send_message(message)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
