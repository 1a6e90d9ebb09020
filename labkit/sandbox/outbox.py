"""What leaves the sandbox's process: posts to HTTP endpoints, and mails for an SMTP server.

The inbox and the queues are part of the sandbox's state, and come back in a replay of the journal. What has left does
not: so it is numbered as it is made, the same in every replay. It leaves only once the change that made it is in the
journal, and the journal notes when it has left. However the process ends, nothing is lost, and nothing that has left
leaves again; only what was on its way at that moment may come a second time, as Amazon SNS says of itself ("at least
once").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.sandbox.journal import Journal

Done = Callable[[], None]
"""To be called when something has left, or could not."""
Send = Callable[[Done], None]
"""Begins to send something, and comes back before it is sent. A checkpoint holds it until it has left."""


class Outbox:
    """Holds what is to leave until it may."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._made = 0
        self._waiting: list[tuple[int, Send]] = []
        self._under_way: dict[int, Send] = {}
        """What was begun to be sent, and is not known to have left: it leaves again after a restart."""

    def put(self, send: Send) -> None:
        """Has something sent; at once where no journal is kept."""
        self._waiting.append((self._made, send))
        self._made += 1
        if self._journal is None:
            self.release()

    def release(self) -> None:
        """Sends what waits, and has not left before: what made it is in the journal."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        left = self._journal.left(since=waiting[0][0]) if self._journal else set()
        for number, send in waiting:
            if number not in left:
                self._under_way[number] = send
                send(partial(self._note, number))

    def close(self) -> None:
        """Nothing is noted any more."""
        self._journal = None

    def to_keep(self) -> dict[str, Any]:
        """Return what is to leave, and how many there were."""
        return {"made": self._made, "waiting": [*self._under_way.copy().items(), *self._waiting]}

    def take_back(self, kept: dict[str, Any]) -> None:
        """Go on from what `to_keep` returned; what has left since does not wait any more when it is released."""
        self._made, self._waiting = kept["made"], kept["waiting"]

    def _note(self, number: int) -> None:
        """Note that a message has left; on any thread."""
        if self._journal is not None:
            self._journal.note_left(number)
        self._under_way.pop(number, None)
