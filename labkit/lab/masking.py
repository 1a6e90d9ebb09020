"""Masks what a shared notebook must not show: the learner's account, e-mail and address on AWS.

All output of cells is masked, whatever made it: cards, frames, dicts, printed text, errors. Text in pictures is not:
the caller has to mask a chart's labels.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

_hidden: dict[str, str] = {}


def hide(names: Mapping[str, str]) -> None:
    """Show each of these values as its name from now on: `{"123456789012": "ACCOUNT"}`."""
    _hidden.update({value: name for value, name in names.items() if value})
    if _hidden:
        _mask_what_cells_show()


def show_all() -> None:
    """Hide nothing any more."""
    _hidden.clear()


def masked(text: str) -> str:
    """Return the text with hidden values replaced, the longest first, so that no shorter one cuts it."""
    if not _hidden:
        return text
    values = sorted(_hidden, key=lambda value: (-len(value), value))
    pattern = "|".join(rf"(?<![A-Za-z0-9.]){re.escape(value)}(?![A-Za-z0-9])" for value in values)
    return re.sub(pattern, lambda match: _hidden[match[0]], text)


def _mask_what_cells_show() -> None:
    """Mask the three ways by which a cell shows something: IPython's formatter, its errors, and the two streams."""
    if "IPython" not in sys.modules:  # no cells, and an import that takes its time
        return
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None or getattr(shell, "labkit_masks", False):
        return
    shell.labkit_masks = True
    shell.display_formatter.format = _masking_format(shell.display_formatter.format)
    shell._showtraceback = _masking_show(shell._showtraceback)
    shell.events.register("pre_run_cell", _mask_streams)
    _mask_streams()


def _mask_streams(*_: object) -> None:
    """Mask the streams before each cell: IPython replaces their write methods while a cell runs."""
    for stream in (sys.stdout, sys.stderr):
        if not getattr(stream.write, "masks", False):
            stream.write = _masking_write(stream.write)  # type: ignore[method-assign]


def _masking_format(plain: Callable[..., Any]) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    def format_masked(*args: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = plain(*args, **options)
        return {mime: masked(value) if isinstance(value, str) else value for mime, value in data.items()}, metadata

    return format_masked


def _masking_show(plain: Callable[..., None]) -> Callable[..., None]:
    """Show an error masked, its message too: the notebook stores it beside the lines that are shown."""

    def show_masked(kind: type, message: object, lines: list[str]) -> None:
        plain(kind, masked(str(message)), list(map(masked, lines)))

    return show_masked


def _masking_write(plain: Callable[[str], int]) -> Callable[[str], int]:
    def write_masked(text: str) -> int:
        return plain(masked(text))

    write_masked.masks = True  # type: ignore[attr-defined]
    return write_masked
