"""What must not stand in the output of a notebook that is shared: the learner's account, e-mail and address on AWS.

Whatever a cell shows is masked, whoever made it: cards, frames, dicts. What a cell prints by itself is its own affair.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
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
    """IPython's formatter is what every output of a cell passes through."""
    if "IPython" not in sys.modules:  # no cells, and an import that takes its time
        return
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    formatter = getattr(shell, "display_formatter", None)
    if formatter is None or getattr(formatter.format, "masks", False):
        return
    plain_format = formatter.format

    def format_masked(*args: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = plain_format(*args, **options)
        return {mime: masked(value) if isinstance(value, str) else value for mime, value in data.items()}, metadata

    format_masked.masks = True  # type: ignore[attr-defined]
    formatter.format = format_masked
