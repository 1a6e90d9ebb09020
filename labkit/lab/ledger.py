"""What the lab made, written down on this machine, to recognize resources that can't have a tag.

A metric filter and a table have no tags; a flow log that is deleted leaves the objects that it delivered, and only
the id in their keys says whose they are. A resource with the lab's name, but without tag or record, is somebody else's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from labkit.lab.settings import home, write_private

if TYPE_CHECKING:
    from labkit.lab.session import Lab

TAGS = {"labkit": "vpc-flow-logs-lab"}
"""The tags of everything that the lab makes."""

_FILE = "made.json"
_PAST_FLOW_LOG = "deleted flow log"
FORGOTTEN_AFTER = timedelta(hours=12)
"""A lab that still exists after this time has probably been forgotten."""

Record = dict[str, dict[str, str]]


def note(lab: Lab, kind: str, name: str) -> None:
    """Record that the lab made this, and when."""
    record = _of(lab)
    if name not in record.get(kind, {}):
        record.setdefault(kind, {})[name] = lab.now().isoformat(timespec="seconds")
        _write(lab, record)


def forget(lab: Lab, kind: str, name: str) -> None:
    """Record that the lab removed it: a resource of that name is somebody else's from now on."""
    record = _of(lab)
    if record.get(kind, {}).pop(name, None) is not None:
        _write(lab, record)


def names(lab: Lab, kind: str) -> tuple[str, ...]:
    """Return the names of that kind that the lab made in this account and region and has not removed."""
    return tuple(_of(lab).get(kind, {}))


def is_the_labs(lab: Lab, kind: str, name: str, tags: Mapping[str, str] | None = None) -> bool:
    """Return whether the lab made it, by its tags or by the record; always True if `lab.claims_by_name` is set."""
    return lab.claims_by_name or (tags is not None and tags.items() >= TAGS.items()) or name in names(lab, kind)


def note_flow_log(lab: Lab, flow_log_id: str) -> None:
    """Write down that the lab made this flow log."""
    note(lab, "flow log", flow_log_id)


def forget_flow_log(lab: Lab, flow_log_id: str) -> None:
    """Record that the flow log is deleted; the objects that it delivered are still the lab's."""
    note(lab, _PAST_FLOW_LOG, flow_log_id)
    forget(lab, "flow log", flow_log_id)


def flow_log_ids(lab: Lab) -> tuple[str, ...]:
    """Return the ids of the flow logs that the lab made in this account and region, deleted ones too."""
    return names(lab, "flow log") + names(lab, _PAST_FLOW_LOG)


def forgotten(lab: Lab) -> str | None:
    """Return a reminder of a lab that was begun long ago and still exists by the record, or None."""
    record = {kind: made for kind, made in _of(lab).items() if kind not in (_PAST_FLOW_LOG, "folder")}
    begun = min((datetime.fromisoformat(at) for made in record.values() for at in made.values()), default=None)
    if begun is None or lab.now() - begun < FORGOTTEN_AFTER:
        return None
    count = sum(map(len, record.values()))
    return (
        f"A lab of {begun:%Y-%m-%d} is still there in {lab.region}: {count} thing{'s' if count > 1 else ''} that it "
        "made, and some may cost by the hour. `labkit clean --dry-run` lists them, `labkit clean` removes them."
    )


def _of(lab: Lab) -> Record:
    record = _read().get(place(lab))
    return record if isinstance(record, dict) else {}


def _write(lab: Lab, record: Record) -> None:
    kept = {kind: made for kind, made in record.items() if made}
    write_private(home() / _FILE, json.dumps({**_read(), place(lab): kept}, indent=1) + "\n")


def place(lab: Lab) -> str:
    """Return the key of a cloud, account and region in the files on this machine."""
    return f"{lab.settings.cloud} {lab.account_id} {lab.region}"


def _read() -> dict[str, Record]:
    """Read the file; one that can't be parsed counts as empty, for tags or a person can find all that it held."""
    try:
        kept = json.loads((home() / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
