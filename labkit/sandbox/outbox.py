"""Sends what leaves the sandbox's process: posts to HTTP endpoints, and mails for an SMTP server.

The inbox and the queues are part of the sandbox's state, and a replay of the journal restores them. A message that has
left must not leave again at a replay, so messages are numbered when they are made, the same in every replay. A message
leaves only after the change that made it is in the journal, and the journal records when it has left. However the
process ends, no message is lost and none that has left is sent again. Only a message that was on its way at that moment
may come twice, as with Amazon SNS ("at least once").
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
    """Holds messages until they may leave."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._made = 0
        self._waiting: list[tuple[int, Send]] = []
        self._under_way: dict[int, Send] = {}
        """What was begun to be sent, and is not known to have left: it leaves again after a restart."""

    def put(self, send: Send) -> None:
        """Queue a message to be sent; without a journal it is sent at once."""
        self._waiting.append((self._made, send))
        self._made += 1
        if self._journal is None:
            self.release()

    def release(self) -> None:
        """Send the waiting messages that haven't left before. Call it once the change that made them is journalled."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        left = self._journal.left(since=waiting[0][0]) if self._journal else set()
        for number, send in waiting:
            if number not in left:
                self._under_way[number] = send
                send(partial(self._note, number))

    def close(self) -> None:
        """Stop recording what has left, because the journal is about to be closed."""
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
