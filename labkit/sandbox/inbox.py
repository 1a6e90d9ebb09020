"""The mailbox that all mails of the sandbox go to, whoever they are for."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.sandbox.outbox import Done, Outbox


@dataclass(frozen=True)
class Mail:
    """One mail; `at` is when it was sent, as ISO 8601."""

    to: str
    subject: str
    body: str
    at: str


class Inbox:
    """Mails, oldest first."""

    def __init__(self, outbox: Outbox) -> None:
        self._mails: list[Mail] = []
        self._outbox = outbox
        self.take_on: Callable[[Mail, Done], None] = lambda mail, done: done()
        """Whoever else is to have the mails."""

    def to_keep(self) -> list[Mail]:
        """Return the mails."""
        return self._mails

    def take_back(self, kept: list[Mail]) -> None:
        """Go on from what `to_keep` returned."""
        self._mails = kept

    def _send(self, mail: Mail, done: Done) -> None:
        self.take_on(mail, done)

    def deliver(self, to: str, subject: str, body: str, at: datetime) -> None:
        """Puts a mail into the box."""
        mail = Mail(to, subject, body, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self._mails.append(mail)
        self._outbox.put(partial(self._send, mail))

    def messages(self) -> list[dict[str, str]]:
        """The mails as JSON has them."""
        return [asdict(mail) for mail in self._mails]

    def page(self) -> str:
        """The mailbox as a page for a browser: newest first, links can be clicked, nothing else of a mail is markup."""
        newest_first = list(reversed(self._mails))
        mails = "".join(_article(mail, is_open=place == 0) for place, mail in enumerate(newest_first))
        count = f"{len(self._mails)} mail{'' if len(self._mails) == 1 else 's'}"
        return _PAGE.replace("COUNT", count).replace("MAILS", mails or "<li>No mail yet.</li>")


PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Should a mail be markup after all, it can neither run nor load anything; the page's address has the token in it."""

_LINK = re.compile(r"https?://[^\s<>\"']+")


def _article(mail: Mail, *, is_open: bool) -> str:
    moment = datetime.fromisoformat(mail.at)
    opened = ' open=""' if is_open else ""
    return (
        f"<li><details{opened}><summary><strong>{html.escape(mail.subject)}</strong> "
        f"<span>to {html.escape(mail.to)}, "
        f'<time datetime="{html.escape(mail.at)}">{moment:%d %B %Y, %H:%M:%S} UTC</time></span></summary>'
        f"<pre>{_linked(mail.body)}</pre></details></li>"
    )


def _linked(text: str) -> str:
    """The text, escaped, its addresses as links."""
    parts = []
    end = 0
    for match in _LINK.finditer(text):
        address = html.escape(match[0], quote=True)
        parts += [html.escape(text[end : match.start()]), f'<a href="{address}" rel="noreferrer">{address}</a>']
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Inbox of the sandbox: COUNT</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  ul { list-style: none; padding: 0; }
  details { border: 1px solid #8888; border-radius: 6px; margin: 1rem 0; padding: .5rem 1rem; }
  summary { cursor: pointer; overflow-wrap: anywhere; }
  summary span { color: #555; }
  pre { font: .9rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
  @media (prefers-color-scheme: dark) {
    body { background: #16181d; color: #eee; } a { color: #8cf; } summary span { color: #bbb; }
  }
</style>
</head>
<body>
<main>
<h1>Inbox of the sandbox</h1>
<p>COUNT for everybody, the newest on top. Nothing has left this machine. Reload the page for new mails.</p>
<ul>MAILS</ul>
</main>
</body>
</html>
"""
