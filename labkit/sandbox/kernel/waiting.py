"""Shows on stderr how far the replay of a starting sandbox is, if it takes long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from labkit.sandbox.kernel.presence import Kind, Presence

SECONDS_OF_SILENCE = 2.0
"""Nothing is shown before that; most starts are over by then."""


class Shown:
    """A progress bar on a terminal, one line elsewhere."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, there: Presence) -> None:
        """Show how far the replay is; do nothing if none is under way, or if it hasn't taken long yet."""
        if there.kind is not Kind.REPLAYING or time.monotonic() - self._since < SECONDS_OF_SILENCE:
            return
        if self._bar is None:
            self._bar = _bar() if sys.stderr.isatty() else _Line(there)
        self._bar.total, self._bar.n = there.of, there.done
        self._bar.refresh()


class _Line:
    """Prints one line in place of a moving bar, for log files."""

    total = n = 0

    def __init__(self, there: Presence) -> None:
        print(there.sentence, file=sys.stderr, flush=True)

    def refresh(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Show no more."""


def _bar() -> Any:
    from tqdm import tqdm

    return tqdm(desc="The sandbox repeats its history", unit=" changes", file=sys.stderr, leave=False)
