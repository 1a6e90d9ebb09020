"""Bodies in JSON and CBOR, read safely."""

import cbor2
import pytest

from labkit.sandbox.kernel import bodies


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{",
        b"{}{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\xff"}',
        '{"a": "b"}'.encode("utf-16"),
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"}",
        b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)
def test_a_body_that_is_no_plain_json_object_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 (all of it is one kind)
        bodies.read_json(body)


def test_brackets_within_texts_are_no_depth():
    body = b'{"a": "' + b"[{" * 500 + b'", "b": {"c": [1, {}]}}'
    assert bodies.read_json(body)["b"] == {"c": [1, {}]}


@pytest.mark.parametrize(
    "body",
    [
        cbor2.dumps([1]),
        cbor2.dumps("text"),
        b"\xa1",
        b"\xa1\x01\x01",  # a key that is no text
        b"\xa1\x61a\x9b" + b"\xff" * 8,  # a list of 2^64 items
        b"\xa1\x61a\x5b\x00\x00\x0f" + b"\xff" * 5,  # 16 TB of bytes
        b"\xa1\x61a" + b"\x81" * 100_000,
        b"\xa1\x61a" + b"\xc1" * 100_000 + b"\x00",
        b"\xa1\x61a\x61\xff",  # a text that is no UTF-8
        b"\xa1\x61a\xd8\x1c\x81\xd8\x1d\x00",  # a list that holds itself
        cbor2.dumps({"a": cbor2.CBORTag(35, "(a+)+$")}),  # a pattern
        cbor2.dumps({"a": cbor2.CBORTag(9999, 1)}),
        cbor2.dumps({"a": 2**70}),
        cbor2.dumps({"a": cbor2.CBORTag(1, 2**62)}),
        cbor2.dumps({"a": cbor2.CBORTag(1, float("nan"))}),
        cbor2.dumps({"a": cbor2.CBORTag(0, "tomorrow")}),
    ],
)
def test_a_body_that_is_no_plain_cbor_map_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 (all of it is one kind)
        bodies.read_cbor(body)


def test_what_cbor_holds_comes_through():
    moment = bodies.read_cbor(cbor2.dumps({"at": cbor2.CBORTag(1, 1793610000.5), "n": [1, 1.5, b"x", None, True]}))
    assert moment["at"].isoformat() == "2026-11-02T09:00:00.500000+00:00"
    assert moment["n"] == [1, 1.5, b"x", None, True]
