"""Shows on stderr how far a sandbox is that replays its history, if that takes long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from labkit.sandbox.kernel.presence import Kind, Presence

SECONDS_OF_SILENCE = 2.0
"""Most starts are over by then, and nothing is shown of them."""


class Shown:
    """A bar on a terminal or in a notebook, one line elsewhere."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, there: Presence) -> None:
        """Show how far it is."""
        if there.kind is not Kind.REPLAYING or time.monotonic() - self._since < SECONDS_OF_SILENCE:
            return
        if self._bar is None:
            self._bar = _bar() if sys.stderr.isatty() else _Line(there)
        self._bar.total, self._bar.n = there.of, there.done
        self._bar.refresh()


class _Line:
    """What a log file gets in place of a bar that moves."""

    total = n = 0

    def __init__(self, there: Presence) -> None:
        print(there.sentence, file=sys.stderr, flush=True)

    def refresh(self) -> None:
        """Show no more."""

    def close(self) -> None:
        """Show no more."""


def _bar() -> Any:
    from tqdm import tqdm

    return tqdm(desc="The sandbox repeats its history", unit=" changes", file=sys.stderr, leave=False)
