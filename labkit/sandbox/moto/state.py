"""Keeps moto's state in a checkpoint and restores it: its backends, by service, account and region."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NamedTuple

from moto.core.base_backend import BackendDict
from moto.moto_api._internal import mock_random

_OF_ANY_TABLE = frozenset(("backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"))
"""The attributes that every table has. A table may have more: S3's knows which account has which bucket."""


class Backend(NamedTuple):
    """One backend, and where moto looks it up."""

    module: str
    name: str
    account_id: str
    region: str
    backend: Any


def keep() -> dict[str, Any]:
    """Return moto's state. The objects are moto's own, not copies, so pickle them under the lock."""
    backends, tables = [], {}
    for held in _tables():
        module, name = _home(held)
        backends += [Backend(module, name, *each) for each in held.iter_backends()]
        tables[module, name] = {key: value for key, value in vars(held).items() if key not in _OF_ANY_TABLE}
    # The source of randomness too: a replay goes on drawing where the checkpoint stopped.
    return {"backends": backends, "tables": tables, "random": mock_random.getstate()}


def take_back(kept: dict[str, Any]) -> None:
    """Restore what `keep` returned into a moto without backends."""
    for module, name, account_id, region, backend in kept["backends"]:
        by_region = getattr(importlib.import_module(module), name)[account_id]
        dict.__setitem__(by_region, region, backend)
    for (module, name), attributes in kept["tables"].items():
        vars(getattr(importlib.import_module(module), name)).update(attributes)
    mock_random.setstate(kept["random"])


def parts() -> dict[str, object]:
    """Return the objects of moto that outlive its state, by name: the tables, to which backends refer."""
    found: dict[str, object] = {}
    for held in _tables():
        module, name = _home(held)
        found[f"moto {module} {name}"] = held
        found |= {f"moto {module} {name} {account}": by_region for account, by_region in held.items()}
    return found


def is_part(name: object) -> bool:
    """Tell whether a name is in the form of those that `parts` returns."""
    return isinstance(name, str) and name.startswith("moto moto.")


def part(name: str) -> object:
    """Return the part with a name of `parts`, created if it isn't there yet; raise ValueError for another name."""
    _, module, table, *account = name.split(" ")
    held = getattr(importlib.import_module(module), table)
    if not module.startswith("moto.") or not isinstance(held, BackendDict):
        raise ValueError(f"{name!r:.80} is no table of moto's backends")
    return held[account[0]] if account else held


def _tables() -> list[Any]:
    """Return the tables that were ever used."""
    tables: list[Any] = vars(BackendDict)["_instances"]
    return tables


_homes: dict[int, tuple[str, str]] = {}


def _home(held: Any) -> tuple[str, str]:
    """Return the module and the name under which a table of backends is defined."""
    if id(held) not in _homes:
        start = held.backend.__module__.partition(".models")[0]
        for module in [each for each in sys.modules if each.startswith(start)]:
            for name, value in vars(sys.modules[module]).items():
                if value is held and module.startswith(f"{start}.models"):
                    _homes[id(held)] = module, name
    return _homes[id(held)]
