"""What must not stand in the output of a notebook that is shared: the learner's account, e-mail and address on AWS.

Whatever a cell shows is masked, whoever made it: cards, frames, dicts, printed text, errors. The text in pictures is
not: a chart's labels are the caller's to mask.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

_hidden: dict[str, str] = {}


def hide(names: Mapping[str, str]) -> None:
    """Has each of these values shown as its name from now on: `{"123456789012": "ACCOUNT"}`."""
    _hidden.update({value: name for value, name in names.items() if value})
    if _hidden:
        _mask_what_cells_show()


def show_all() -> None:
    """Nothing is hidden any more."""
    _hidden.clear()


def masked(text: str) -> str:
    """The text with what is hidden replaced; the longest value first, so that none is cut by a shorter one."""
    if not _hidden:
        return text
    values = sorted(_hidden, key=lambda value: (-len(value), value))
    pattern = "|".join(rf"(?<![A-Za-z0-9.]){re.escape(value)}(?![A-Za-z0-9])" for value in values)
    return re.sub(pattern, lambda match: _hidden[match[0]], text)


def _mask_what_cells_show() -> None:
    """All that a cell puts out passes through IPython's formatter, its way of showing errors, or the two streams."""
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
    """Before each cell anew: IPython puts ways of writing of its own in place while a cell runs."""
    for stream in (sys.stdout, sys.stderr):
        if not getattr(stream.write, "masks", False):
            stream.write = _masking_write(stream.write)  # type: ignore[method-assign]


def _masking_format(plain: Callable[..., Any]) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    def format_masked(*args: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = plain(*args, **options)
        return {mime: masked(value) if isinstance(value, str) else value for mime, value in data.items()}, metadata

    return format_masked


def _masking_show(plain: Callable[..., None]) -> Callable[..., None]:
    """The notebook keeps the error's message beside the lines that are shown."""

    def show_masked(kind: type, message: object, lines: list[str]) -> None:
        plain(kind, masked(str(message)), list(map(masked, lines)))

    return show_masked


def _masking_write(plain: Callable[[str], int]) -> Callable[[str], int]:
    def write_masked(text: str) -> int:
        return plain(masked(text))

    write_masked.masks = True  # type: ignore[attr-defined]
    return write_masked
