"""Ends a server when it is told to (SIGTERM, SIGINT), whatever it is doing at that moment."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

from labkit.sandbox.kernel.entry import SCRATCH_FOLDER, SERVER_FILE

SIGNALS = {signal.SIGTERM, signal.SIGINT}


class End:
    """Ends a server: at the first signal after the work under way, at the second signal immediately.

    A separate thread waits for the signals. A Python signal handler would run only on the main thread, between two of
    its bytecode steps, and a query or a wait can make such a step long. Create this object before any other thread,
    because threads inherit that the signals are blocked for them.
    """

    def __init__(self, folder: Path) -> None:
        self.told = threading.Event()
        self._folder = folder
        self._serving = False
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._listen, daemon=True, name="signals").start()

    def wait(self) -> None:
        """Wait until the server is told to end; from now on it finishes its work before it ends."""
        self._serving = True
        self.told.wait()

    def leave(self) -> None:
        """Remove the files that only a running server needs."""
        (self._folder / SERVER_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._folder / SCRATCH_FOLDER, ignore_errors=True)

    def _listen(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self.told.is_set() or not self._serving:  # before it serves, it has changed nothing
                self.leave()
                os._exit(0)  # not sys.exit: that would end this thread alone, and the main one may be stuck
            self.told.set()
