"""How a server ends when it is told to (SIGTERM, SIGINT), whatever it does at that moment."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

from labkit.sandbox.kernel.entry import SCRATCH_FOLDER, SERVER_FILE

SIGNALS = {signal.SIGTERM, signal.SIGINT}


class End:
    """When a server ends: at the first signal once the work under way is over, at once at the second.

    A thread of its own waits for the signals. A handler of Python's would run on the main thread alone, and only
    between two steps of it, which a query or a wait can be long. Made before any other thread is: they all inherit that
    the signals are not for them.
    """

    def __init__(self, folder: Path) -> None:
        self.told = threading.Event()
        self._folder = folder
        self._serving = False
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._listen, daemon=True, name="signals").start()

    def wait(self) -> None:
        """Wait until the server is told to end; from now on it has something to finish first."""
        self._serving = True
        self.told.wait()

    def leave(self) -> None:
        """Remove what only a running server needs."""
        (self._folder / SERVER_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._folder / SCRATCH_FOLDER, ignore_errors=True)

    def _listen(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self.told.is_set() or not self._serving:  # before it serves, it has changed nothing
                self.leave()
                os._exit(0)
            self.told.set()
