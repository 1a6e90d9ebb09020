"""Mails as a mailbox shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from labkit.show.html import Html, folded, join, tag
from labkit.show.shown import Shown

_LOCAL = re.compile(r"https?://(?:127\.0\.0\.1|localhost)(?::\d+)?")
"""The sandbox's own address: its port differs from run to run, and a page may be read where no sandbox runs."""
_TOKEN = re.compile(r"(\bToken=[0-9a-f]{10})[0-9a-f]+")
"""The token that confirms a subscription: it differs from home to home, and stays private as pages are handed on."""


class MailLike(Protocol):
    """The parts of a mail that are shown."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def body(self) -> str:
        """What it says."""


@dataclass(frozen=True, repr=False)
class Mailbox(Shown):
    """The mails of one address, the latest last."""

    owner: str
    mails: Sequence[MailLike]

    def text(self) -> str:
        """Each mail with its subject and body."""
        parts = [f"Mailbox of {self.owner}: {self._count()}"]
        parts += [f"--- {mail.subject} ---\n{_steady(mail.body).strip()}" for mail in self.mails]
        return "\n\n".join(parts)

    def html(self) -> Html:
        """Each mail as a fold, the latest one open."""
        last = len(self.mails) - 1
        folds = (
            folded(
                mail.subject,
                tag("pre", _steady(mail.body).strip(), style="white-space:pre-wrap"),
                open="open" if number == last else "",
            )
            for number, mail in enumerate(self.mails)
        )
        return tag("div", tag("p", tag("strong", f"Mailbox of {self.owner}"), f": {self._count()}"), join(folds))

    def _count(self) -> str:
        return (
            f"{len(self.mails)} mail{'' if len(self.mails) == 1 else 's'}" if self.mails else "no mail to be seen here"
        )


def _steady(body: str) -> str:
    return _TOKEN.sub(r"\1...", _LOCAL.sub("http://sandbox", body))
