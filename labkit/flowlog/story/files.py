"""The story as files: what S3 would hold after four weeks of a flow log, six files a day."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.flowlog.s3_keys import S3Layout
from labkit.flowlog.story.cast import ACCOUNT_ID
from labkit.flowlog.writer import text

REGION = "eu-west-1"
FLOW_LOG_ID = "fl-0ab5c1de7f09b3a42"
HOURS_A_FILE = 4
"""AWS writes a file every five minutes. Six a day hold the same lines and are faster to copy and list."""


def objects(records: pa.Table, *, account_id: str = ACCOUNT_ID, region: str = REGION) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of each file, in the folders of an account and a region.

    No time is written into the gzip header, so the same lines give the same bytes.
    """
    period = HOURS_A_FILE * 3600
    periods = pc.multiply(pc.divide(records["start"], period), period)
    for begin in pc.unique(periods).to_pylist():
        lines = text(records.filter(pc.equal(periods, begin)), DEFAULT_FORMAT)
        digest = hashlib.sha256(lines).hexdigest()[:8]
        time = datetime.fromtimestamp(begin, UTC)
        yield S3Layout().key(account_id, region, FLOW_LOG_ID, time, digest), gzip.compress(lines, 9, mtime=0)


def write(records: pa.Table, folder: Path) -> list[Path]:
    """Write the files under `folder` as S3 would hold them under a bucket, and return their paths.

    A file's name has a digest of its lines, so files that were written earlier are removed first.
    """
    for old in folder.glob(f"AWSLogs/**/*_{FLOW_LOG_ID}_*.log.gz"):
        old.unlink()
    paths = []
    for key, body in objects(records):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        paths.append(path)
    return paths
