"""Reads the bodies of JSON and CBOR requests, bounded in depth, into plain values only.

Sources: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html and
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html (which allows one tag, for timestamps).
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import cbor2

from labkit.sandbox.kernel import moments

MAX_DEPTH = 128
"""How deep objects and lists may be nested. The deepest document that AWS takes has at most 100 levels."""

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MOMENTS = {0: lambda value, *_: moments.of_text(value), 1: lambda value, *_: moments.of_number(value)}
_KNOWN_TAGS = (*range(6), 21, 22, 23, 24, 25, *range(28, 38), 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
"""The tags that cbor2 would turn into objects: patterns, addresses, mails, values that contain themselves."""


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object of a JSON body; raise ValueError for anything else.

    >>> read_json(b'{"limit": NaN}')
    Traceback (most recent call last):
    ValueError: NaN is not JSON
    """
    text = body.decode()  # json.loads would take UTF-16 and UTF-32 too
    try:
        members = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if b"\\ud" in body or b"\\uD" in body:
        json.dumps(members, ensure_ascii=False).encode()  # raises for half a surrogate pair, which no answer can carry
    if not _is_shallow(body):
        _check_depth(_object(members))
    return _object(members)


def read_cbor(body: bytes) -> dict[str, Any]:
    """Return the map of a CBOR body; raise ValueError for anything else, and for any tag but a timestamp's."""
    try:
        members = cbor2.loads(
            body,
            max_depth=MAX_DEPTH,
            strict_hashable_types=True,
            # Both are needed: the hook is only asked about tags that the library doesn't know itself.
            semantic_decoders={**dict.fromkeys(_KNOWN_TAGS, _refuse_tag), **_MOMENTS},
            tag_hook=_refuse_tag,
        )
    except (cbor2.CBORError, RecursionError, MemoryError, OverflowError, TypeError) as error:
        raise ValueError(f"the body is not CBOR: {error}") from error
    return _object(members)


def _object(members: Any) -> dict[str, Any]:
    if not isinstance(members, dict):
        raise ValueError("the body is not an object")
    return members


def _is_shallow(body: bytes) -> bool:
    """Tell from the brackets alone that a body isn't nested too deeply, in a tenth of the time of a walk.

    Each round removes the innermost level. Brackets inside strings may leave the answer open; it is then False, and the
    caller walks the values.
    """
    brackets = body.translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return True
        rest = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(rest) == len(brackets):
            return False
        brackets = rest
    return False


def _check_depth(members: Any) -> None:
    # Level by level instead of by recursion, which a deep body could exhaust.
    level: list[Any] = [members]
    for _ in range(MAX_DEPTH):
        values = (value for each in level for value in (each.values() if isinstance(each, dict) else each))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return
    raise ValueError(f"the body is nested more than {MAX_DEPTH} levels deep")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_tag(*_: Any) -> NoReturn:
    raise ValueError("the body holds a tag that requests don't have")
