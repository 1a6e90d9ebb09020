"""What the lab made and can't be told by tag or name later, written down on this machine.

A flow log that is deleted leaves the objects it delivered, and only the id in their keys says whose they are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from labkit.settings import home, write_private

if TYPE_CHECKING:
    from labkit.lab import Lab

_FILE = "made.json"


def note_flow_log(lab: Lab, flow_log_id: str) -> None:
    """Writes down that the lab made this flow log."""
    ids = flow_log_ids(lab)
    if flow_log_id not in ids:
        everywhere = _read()
        everywhere[_place(lab)] = [*ids, flow_log_id]
        write_private(home() / _FILE, json.dumps(everywhere, indent=1) + "\n")


def flow_log_ids(lab: Lab) -> tuple[str, ...]:
    """The flow logs that the lab made in this account and region, deleted ones too."""
    return tuple(_read().get(_place(lab), ()))


def _place(lab: Lab) -> str:
    return f"{lab.settings.cloud} {lab.account_id} {lab.region}"


def _read() -> dict[str, list[str]]:
    """A file that can't be understood counts as empty: it holds nothing that can't be found in the bucket by hand."""
    try:
        kept = json.loads((home() / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
