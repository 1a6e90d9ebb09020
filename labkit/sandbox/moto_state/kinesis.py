"""Kinesis data streams in moto."""

from __future__ import annotations

import base64

from moto.kinesis.exceptions import StreamNotFoundError

from labkit.sandbox import moto_state


def stream_exists(stream_arn: str, account_id: str, region: str) -> bool:
    """Tell whether a stream exists."""
    try:
        moto_state.backend("kinesis", account_id, region).describe_stream(stream_arn=stream_arn, stream_name=None)
    except StreamNotFoundError:
        return False
    return True


def put_record(stream_arn: str, partition_key: str, data: bytes, account_id: str, region: str) -> None:
    """Put one record into a stream."""
    moto_state.backend("kinesis", account_id, region).put_record(
        stream_arn=stream_arn,
        stream_name=None,
        partition_key=partition_key,
        explicit_hash_key=None,
        data=base64.b64encode(data).decode(),
    )
