"""A sandbox's whole state as plain text, by path: to be compared before and after a restart.

It is what a checkpoint is made of, so nothing has to be named to be looked at. What is only a matter of representation
is left out or put in one form: locks, caches, where bytes lie, which log events are in DuckDB already.
"""

from __future__ import annotations

import importlib
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from functools import cached_property, partial
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from labkit.sandbox.host import Host
from labkit.sandbox.moto import state as moto_state
from labkit.sandbox.moto_state.object_bodies import Body

_NO_STATE = (
    type(threading.Lock()), type(threading.RLock()), threading.Thread, threading.Event, threading.Condition, ModuleType,
)  # fmt: skip
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial, type)
_NOT_SEEN = {"_tick", "_running_as_of", "_ahead", "_added"}
"""How often moto looked at what changes by itself, which here changes at once; what is only known before its time."""
_LONGEST = 500
"""Of a longer text there is a digest."""


class Look(NamedTuple):
    """The state of a host at a moment."""

    values: dict[str, str]
    """Each value by the path to it."""
    backends: list[tuple[str, str, str, str]]
    """Which of moto's backends there were."""


def look(host: Host, like: Look | None = None) -> Look:
    """Return the whole state of a host; backends that there were before come into being, as by a read."""
    for module, name, account, region in like.backends if like else ():
        getattr(importlib.import_module(module), name)[account][region]
    parts = host.sandbox.parts()
    found: dict[str, str] = {}
    walk = _Walk(found, {id(part): name for name, part in {**parts, **moto_state.parts()}.items()})
    for name, part in parts.items():
        if hasattr(part, "to_keep"):
            walk.into(name, part.to_keep())
    kept = moto_state.keep()
    for module, _, account, region, backend in sorted(kept["backends"], key=lambda each: each[:4]):
        walk.into(f"{module.removesuffix('.models')} {account} {region}", vars(backend))
    for (module, name), attributes in sorted(kept["tables"].items()):
        walk.into(f"{module} {name}", attributes)
    walk.into("faults", host.faults.rules)
    for where, rows in _events(host):
        found[where] = rows
    return Look(found, [each[:4] for each in kept["backends"]])


def differences(host: Host, then: Look) -> list[str]:
    """Return what is not as it was then, a line for each path."""
    before, after = then.values, look(host, then).values
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return [f"{path}: {before.get(path, 'not there')} became {after.get(path, 'not there')}" for path in paths]


def _events(host: Host) -> Iterator[tuple[str, str]]:
    store = host.sandbox.logs.store
    for region, group in store.to_keep()["tables"]:
        rows = store.cursor().execute(f"SELECT * FROM {store.relation(region, group)} ORDER BY sequence").fetchall()
        yield f"events of {region} {group}", _short(repr(rows))


class _Walk:
    """Goes through values, each object once."""

    def __init__(self, found: dict[str, str], names: Mapping[int, str]) -> None:
        self._found = found
        self._names = names
        self._seen: dict[int, str] = {}
        self._alive: list[Any] = []

    def into(self, path: str, value: Any) -> None:
        """Note a value, and all that is in it."""
        if isinstance(value, _NO_STATE):
            return
        if id(value) in self._names:
            self._found[path] = f"the part {self._names[id(value)]!r}"
        elif isinstance(value, _FUNCTIONS):
            self._found[path] = f"the function {getattr(value, '__qualname__', type(value).__name__)}"
        elif isinstance(value, Body):
            self._found[path] = f"{len(value.content)} bytes, {_digest(value.content.read())}"
        elif hasattr(value, "private_bytes"):
            self._found[path] = _digest(value.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        elif isinstance(value, Future):
            self.into(path, value.result())
        elif not _is_container(value) and " at 0x" in repr(value):
            self._found[path] = f"of type {type(value).__name__}"
        elif isinstance(value, np.ndarray | pa.Table | pa.Array | pa.ChunkedArray):
            self._found[path] = _short(repr(value.tolist() if isinstance(value, np.ndarray) else value.to_pylist()))
        elif not _is_container(value):
            self._found[path] = _short(repr(value))
        elif id(value) in self._seen:
            self._found[path] = f"the same {type(value).__name__} as before"
        else:
            self._seen[id(value)] = path
            self._alive.append(value)  # or another object might get its id
            self._into_container(path, value)

    def _into_container(self, path: str, value: Any) -> None:
        if isinstance(value, dict):  # others may make what they are asked for
            self._found[f"{path} keys"] = _short(str([_name(key) for key in value]))
            for key, item in list(value.items()):
                self.into(f"{path}[{_name(key)}]", item)
        elif isinstance(value, list | tuple | deque):
            self._found[f"{path} length"] = str(len(value))
            for place, item in enumerate(list(value)):
                self.into(f"{path}[{place}]", item)
        elif isinstance(value, set | frozenset):
            self._found[path] = _short(str(sorted(map(_name, value))))
        if hasattr(value, "__dict__") or hasattr(value, "__slots__"):
            self._found[f"{path} type"] = type(value).__name__
            for name, item in _attributes(value):
                if name == "_written":  # of a compressed file, in pieces as they came
                    item = b"".join(item)
                self.into(f"{path}.{name}", item)


def _is_container(value: Any) -> bool:
    plain = isinstance(value, dict | list | tuple | deque | set | frozenset)
    ours = type(value).__module__.startswith(("labkit.", "moto."))
    return plain or (ours and (hasattr(value, "__dict__") or hasattr(value, "__slots__")))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    for name, item in list(getattr(value, "__dict__", {}).items()):
        if name not in _NOT_SEEN and not isinstance(getattr(kind, name, None), cached_property):
            yield name, item
    for each in kind.__mro__:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)


def _name(key: Any) -> str:
    return repr(key) if not _is_container(key) or isinstance(key, tuple | frozenset) else type(key).__name__


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... {_digest(text.encode())}"


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
