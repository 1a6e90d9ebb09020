"""labkit does the AWS actions of the VPC Flow Logs lab workbook.

A notebook takes what it needs from here: `from labkit import Lab, check, hints, in_console, quiz`. Each is imported
when it is first asked for, so that the sandbox and the command line start without what only a notebook needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.checks.check import check as check
    from labkit.checks.hints import hints as hints
    from labkit.notebook import Lab as Lab
    from labkit.show.console_steps import in_console as in_console
    from labkit.show.quiz import quiz as quiz

_HOMES = {
    "Lab": "labkit.notebook",
    "check": "labkit.checks.check",
    "hints": "labkit.checks.hints",
    "in_console": "labkit.show.console_steps",
    "quiz": "labkit.show.quiz",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
