"""Firehose streams in moto: a record that is put into one is at its destination at once."""

from __future__ import annotations

from labkit.sandbox import moto_state


def stream_exists(name: str, account_id: str, region: str) -> bool:
    """Tell whether a delivery stream exists."""
    return name in moto_state.backend("firehose", account_id, region).delivery_streams


def put_record(name: str, data: bytes, account_id: str, region: str) -> None:
    """Put one record into a delivery stream."""
    moto_state.backend("firehose", account_id, region).put_record(name, {"Data": data})
