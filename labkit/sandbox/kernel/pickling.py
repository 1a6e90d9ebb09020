"""Turns objects into bytes and back, with a pickle that can name only what the sandbox's state is made of.

A pickle is a program that names functions and calls them. This one may name classes of the sandbox and of moto, a list
of plain types, and a few functions. Any other name is rejected before it is called. Writing is held to the same list,
so that nothing is written that could not be read again.

`parts` are the objects that live as long as the sandbox (its clock, its services, its files): a pickle refers to them
by name and doesn't contain them. Locks aren't state either: a lock comes back as a new one.
"""

from __future__ import annotations

import copyreg
import io
import operator
import pickle
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakValueDictionary

OWN = ("labkit.sandbox.", "labkit.flowlog.")
LIBRARY = "moto."
NOT_OURS = ("labkit.sandbox.process", "labkit.sandbox.server", "labkit.sandbox.kernel.serving")
"""Modules that start and end processes; a pickle may name nothing in them."""
PLAIN = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "range", "slice", "object", "list", "dict", "tuple", "int"}
    | {"float", "str", "bytes", "bool", "type", "Exception", "ValueError", "KeyError"},
    "collections": {"OrderedDict", "defaultdict", "deque", "Counter", "ChainMap"},
    "copyreg": {"_reconstructor", "__newobj__", "__newobj_ex__"},
    "_codecs": {"encode"},
    "_operator": {"eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "neg", "itemgetter"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "enum": {"Enum", "IntEnum", "StrEnum"},
    "functools": {"partial"},
    "ipaddress": {"IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network", "IPv4Interface", "IPv6Interface"},
    "pathlib": {"PosixPath", "PurePosixPath", "Path"},
    "random": {"Random"},
    "re": {"_compile"},
    "types": {"SimpleNamespace"},
    "uuid": {"UUID", "SafeUUID"},
    "urllib.request": {"Request"},
    "weakref": {"WeakValueDictionary"},
    "zoneinfo": {"ZoneInfo"},
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "pyarrow.lib": {"Buffer", "py_buffer", "_reconstruct_table", "_restore_array", "chunked_array", "schema", "field"}
    | {"type_for_alias", "int64", "int32", "int8", "string", "bool_", "Schema", "Field", "DataType", "Table"},
    "requests.structures": {"CaseInsensitiveDict"},
    "werkzeug.datastructures.headers": {"Headers"},
    "werkzeug.datastructures.structures": {"MultiDict", "ImmutableMultiDict"},
}
"""The other names that a pickle may use, by module."""
LOCKS = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


def dumped(value: Any, parts: Mapping[str, object]) -> bytes:
    """Return a value as bytes, with `parts` referred to by name.

    Raise an exception of any kind if something in the value can't be pickled, or may not be.
    """
    file = io.BytesIO()
    _Pickler(file, {id(part): name for name, part in parts.items()}).dump(value)
    return file.getvalue()


def loaded(data: bytes, parts: Mapping[str, object]) -> Any:
    """Return the value in `data`; raise UnpicklingError if it uses a name that isn't on the list."""
    return _Unpickler(io.BytesIO(data), parts).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, names: dict[int, str]) -> None:
        super().__init__(file, protocol=5)
        self._names = names

    def persistent_id(self, obj: Any) -> str | None:
        """Return the name of a part, which is then written in its place; None for any other object."""
        return self._names.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        """Return how to write an object that pickle would write by a forbidden name, or couldn't write at all."""
        kind: Any = type(obj)
        if kind in LOCKS:
            return _new_lock, (kind is not type(threading.Lock()),)
        if kind is MethodType:  # pickle would write `getattr`, which reaches anything
            return _method, (obj.__self__, obj.__func__.__name__)
        # moto has lambdas and functions within functions in its state (default factories), which have no name to find.
        if kind is FunctionType and (obj.__module__.startswith(LIBRARY) or "<locals>" in obj.__qualname__):
            return _function_of(obj)
        if kind is WeakValueDictionary:
            return WeakValueDictionary, (dict(obj),)
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            return _default_dict, (kind, obj.default_factory), vars(obj), None, iter(obj.items())
        if kind.__module__.startswith("cryptography.") and hasattr(obj, "private_bytes"):
            return _private_key, (_bytes_of(obj),)
        if isinstance(obj, BaseException) and kind.__module__.startswith(OWN):
            return copyreg.__newobj__, (kind, *obj.args), vars(obj)  # type: ignore[attr-defined]
        if isinstance(obj, type | FunctionType) or _is_native_function(kind):
            _find(obj.__module__, obj.__qualname__)
        elif not _has_other_form(kind):
            _find(kind.__module__, kind.__qualname__)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, parts: Mapping[str, object]) -> None:
        super().__init__(file)
        self._parts = parts

    def persistent_load(self, name: Any) -> object:
        """Return the part with a name; raise UnpicklingError if there is none."""
        if name not in self._parts:
            raise pickle.UnpicklingError(f"the sandbox has no part {name!r:.80}")
        return self._parts[name]

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function on the list; raise UnpicklingError for any other."""
        return _find(module, name)


@cache
def _has_other_form(kind: type) -> bool:
    """Tell whether objects of a type are written by a function on the list instead of by their type's name."""
    return kind in copyreg.dispatch_table or kind.__module__.startswith(("numpy", "pyarrow"))


@cache
def _is_native_function(kind: type) -> bool:
    return kind is type(operator.eq) or kind.__module__.startswith("_cython")


@cache
def _find(module: str, name: str) -> Any:
    if module.startswith(OWN) and not module.startswith(NOT_OURS):
        return _member(module, name, (type, FunctionType))
    if module.startswith(LIBRARY):
        return _member(module, name, (type,))
    if name in PLAIN.get(module, ()):
        return getattr(_imported(module), name)
    raise pickle.UnpicklingError(f"{module}.{name} is not part of any state")


def _member(module: str, name: str, kinds: tuple[type, ...]) -> Any:
    """Return a class or function that a module defines itself; raise UnpicklingError for what it only imports."""
    # A name that is only imported would be a way out of the list, to whatever the module happens to import.
    found: Any = _imported(module)
    for part in name.split("."):
        found = vars(found).get(part)
        if isinstance(found, staticmethod):
            found = found.__func__
        if not isinstance(found, kinds) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of any state")
    return found


def _imported(module: str) -> ModuleType:
    if module not in sys.modules:
        __import__(module)
    return sys.modules[module]


def _new_lock(reentrant: bool) -> Any:
    return threading.RLock() if reentrant else threading.Lock()


def _bytes_of(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as forms

    data: bytes = key.private_bytes(forms.Encoding.DER, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    return data


def _private_key(data: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(data, None)


def _method(owner: Any, name: str) -> Any:
    """Return a method, or a class method, of an object that belongs to the sandbox or to moto."""
    kind = owner if isinstance(owner, type) else type(owner)
    if not kind.__module__.startswith((*OWN, LIBRARY)) or not isinstance(getattr(owner, name, None), MethodType):
        raise pickle.UnpicklingError(f"{kind.__module__}.{kind.__qualname__} has no method {name!r:.80} to refer to")
    return getattr(owner, name)


def _default_dict(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    """Return a new instance of a subclass of defaultdict whose `__init__` takes other arguments than a factory."""
    if not issubclass(kind, defaultdict):
        raise pickle.UnpicklingError(f"{kind.__qualname__} is no defaultdict")
    new = kind.__new__(kind)
    new.default_factory = factory
    return new


def _function_of(function: FunctionType) -> Any:
    """Return how to write a function of moto's, or one defined in another function: by its place in the source."""
    outer = function.__qualname__.split(".<locals>")[0]
    # A closure has values of its own, which the place in the source doesn't tell.
    if not function.__module__.startswith((*OWN, LIBRARY)) or function.__closure__:
        raise pickle.PicklingError(f"{function.__qualname__} holds on to what surrounds it, and has no name of its own")
    within = _outer(function.__module__, outer).__code__
    path = () if within is function.__code__ else _path_to(function.__code__, within)
    return _function_at, (function.__module__, outer, path)


def _function_at(module: str, outer: str, path: tuple[int, ...]) -> FunctionType:
    """Return the function at a place in the constants of an outer function, or the outer one if `path` is empty."""
    function = _outer(module, outer)
    if not path:
        return function
    code = function.__code__
    for place in path:
        code = code.co_consts[place]
    if not isinstance(code, CodeType) or code.co_freevars:
        raise pickle.UnpicklingError(f"there is no function at {path} of {module}.{outer}")
    return FunctionType(code, vars(_imported(module)))


def _outer(module: str, name: str) -> FunctionType:
    if not module.startswith((*OWN, LIBRARY)):
        raise pickle.UnpicklingError(f"{module}.{name} is not part of any state")
    found: Any = _imported(module)
    for part in name.split("."):
        found = vars(found).get(part)
        found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        raise pickle.UnpicklingError(f"{module}.{name} is no function")
    return found


def _path_to(code: CodeType, outer: CodeType) -> tuple[int, ...]:
    for place, constant in enumerate(outer.co_consts):
        if constant is code:
            return (place,)
        if isinstance(constant, CodeType):
            try:
                return (place, *_path_to(code, constant))
            except pickle.PicklingError:
                continue
    raise pickle.PicklingError(f"{code.co_name} is not found in {outer.co_name}")
