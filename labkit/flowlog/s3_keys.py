"""The folders and names of a flow log's files in a bucket.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

FileFormat = Literal["plain-text", "parquet"]

_SUFFIXES = {"plain-text": "log.gz", "parquet": "log.parquet"}
_FILE_NAME = re.compile(
    r"(?P<account_id>\d{12})_vpcflowlogs_(?P<region>[a-z0-9-]+)_(?P<flow_log_id>fl-[0-9a-f]+)"
    r"_(?P<time>\d{8}T\d{4}Z)_(?P<digest>[0-9a-f]{8})\.(?P<suffix>log\.gz|log\.parquet)"
)


@dataclass(frozen=True)
class S3Layout:
    """How one flow log lays out its files: the destination options of CreateFlowLogs, and the destination's prefix."""

    prefix: str = ""
    file_format: FileFormat = "plain-text"
    hive_compatible: bool = False
    per_hour: bool = False

    def folder(self, account_id: str, region: str, time: datetime | None = None) -> str:
        """The folder of the files of `time`'s day (or hour), with a slash at its end; without a time, their root."""
        parts = [("aws-account-id", account_id), ("aws-service", "vpcflowlogs"), ("aws-region", region)]
        if time is not None:
            time = time.astimezone(UTC)
            parts += [("year", f"{time:%Y}"), ("month", f"{time:%m}"), ("day", f"{time:%d}")]
            parts += [("hour", f"{time:%H}")] * self.per_hour
        names = [f"{name}={value}" if self.hive_compatible else value for name, value in parts]
        return "/".join([*self.prefix.strip("/").split("/"), "AWSLogs", *names, ""]).lstrip("/")

    def key(self, account_id: str, region: str, flow_log_id: str, time: datetime, digest: str) -> str:
        """The key of one file. `time` is the start of its five minutes; `digest` is 8 hex digits of AWS's choice."""
        time = time.astimezone(UTC)
        name = f"{account_id}_vpcflowlogs_{region}_{flow_log_id}_{time:%Y%m%dT%H%MZ}_{digest}"
        return f"{self.folder(account_id, region, time)}{name}.{_SUFFIXES[self.file_format]}"


@dataclass(frozen=True)
class FileName:
    """The parts of a flow log file's name."""

    account_id: str
    region: str
    flow_log_id: str
    time: datetime
    digest: str
    file_format: FileFormat


def parse_key(key: str) -> FileName | None:
    """Parse a key's last part; return None if the object isn't a flow log file."""
    match = _FILE_NAME.fullmatch(key.rpartition("/")[2])
    if match is None:
        return None
    file_format: FileFormat = "parquet" if match["suffix"] == "log.parquet" else "plain-text"
    try:
        time = datetime.strptime(match["time"], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:  # digits in the right places, but not a valid time
        return None
    return FileName(match["account_id"], match["region"], match["flow_log_id"], time, match["digest"], file_format)
