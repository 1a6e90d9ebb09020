"""The sandbox as one object: the clock, the services, and the one lock that changes are made under."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING

from labkit.sandbox import moto_state
from labkit.sandbox.clock import Clock, Event
from labkit.sandbox.kernel.account import ACCOUNT_ID
from labkit.sandbox.kernel.changes import Change, Changes
from labkit.sandbox.kernel.fair_lock import FairLock
from labkit.sandbox.kernel.files import FileStore
from labkit.sandbox.moto_state import object_bodies
from labkit.sandbox.outbox import Outbox
from labkit.sandbox.wiring import Wiring

if TYPE_CHECKING:
    from labkit.sandbox.journal import Journal
    from labkit.sandbox.service import Service


class Sandbox:
    """What the services of the sandbox share.

    `lock` is held by every request and every event of the clock, so handlers need no lock of their own; work that runs
    on a thread of its own (a query) takes it only to read or change the sandbox.

    `random` is seeded anew before every changing request and every event, from the sandbox's seed and the number of the
    request or event: the same requests in the same order get the same ids, whatever was read in between. moto's own
    random source is seeded along with it.

    A sandbox begins without services: they know it, and it knows none of them. `AssembledSandbox` adds them.
    """

    account_id = ACCOUNT_ID

    def __init__(
        self,
        *,
        start: datetime,
        frozen: bool = True,
        seed: int = 0,
        endpoint: str = "",
        lock: FairLock | None = None,
        journal: Journal | None = None,
        files: FileStore | None = None,
        secret: bytes = b"",
    ) -> None:
        self.seed = seed
        self.endpoint = endpoint
        self.secret = secret
        """What tokens are made with that nobody may guess; it is the home's own, and the same after a restart."""
        self.lock = lock or FairLock()
        self.outbox = Outbox(journal)
        self.random = Random(seed)
        self.clock = Clock(start, frozen=frozen)
        self.clock.before_event = self._seed_event
        self.changes = Changes(self.lock, self.clock, self._seed, journal)
        self._owns_files = files is None
        self.files: FileStore = files or FileStore()
        """What holds the bytes of large bodies and of S3's objects."""
        moto_state.reset(str(seed))
        object_bodies.keep_in(self.files)
        self.wiring = Wiring()
        self.services: dict[str, Service] = {}
        """The sandbox's own services by botocore's names; `assembly.py` makes them."""

    def parts(self) -> dict[str, object]:
        """What is made with the sandbox and lives as long, by name: see `Service.parts`."""
        own = {"sandbox": self, "lock": self.lock, "outbox": self.outbox, "clock": self.clock, "changes": self.changes}
        own |= {"files": self.files, "random": self.random}
        for name, service in self.services.items():
            own |= {name: service, **{f"{name} {part}": each for part, each in service.parts().items()}}
        return own

    def change(self) -> AbstractContextManager[Change]:
        """A change that is not written down: for callers without a journal, such as tests of one service."""
        return self.changes.change()

    def resume(self) -> None:
        """Have the services go on with what was under way when the sandbox stopped."""
        for service in self.services.values():
            service.resume()

    def close(self) -> None:
        """Ends the services' work and stops the clock; the process has its real time back."""
        for service in self.services.values():
            service.close()
        self.outbox.close()
        if self._owns_files:
            self.files.close()
        self.clock.stop()

    def _seed_event(self, event: Event) -> None:
        self._seed(f"event {event.name} {event.due} {event.number}")

    def _seed(self, label: str) -> None:
        self.random.seed(f"{self.seed} {label}")
        moto_state.seed(f"{self.seed} {label}")
