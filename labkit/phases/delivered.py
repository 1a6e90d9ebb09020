"""The objects that the lab's flow logs delivered into the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.flowlog.s3_keys import S3Layout, parse_key
from labkit.lab import ledger
from labkit.lab.session import Lab
from labkit.phases.flow_logs import Destination, find_flow_logs, is_the_labs

_KEYS_A_REQUEST = 1000
"""The most keys that S3's DeleteObjects takes."""


def folder(lab: Lab) -> str:
    """Where VPC Flow Logs puts its files, in the lab's account and region."""
    return S3Layout().folder(lab.account_id, lab.region)


def objects(lab: Lab) -> Iterator[dict[str, Any]]:
    """Return the objects of the lab's flow logs in the order of their keys, without those of other flow logs in the
    same bucket.
    """
    return _objects_of(lab, _flow_log_ids(lab))


def delete_objects(lab: Lab) -> int:
    """Delete the objects of the flow logs that the lab made, and return how many there were."""
    return _delete(lab, own_keys(lab))


def delete_sample(lab: Lab) -> int:
    """Delete the sample records if the lab put them into the bucket, and return how many objects there were."""
    count = _delete(lab, sample_keys(lab))
    for name in ledger.names(lab, "sample"):
        ledger.forget(lab, "sample", name)
    return count


def _delete(lab: Lab, keys: list[str]) -> int:
    for first in range(0, len(keys), _KEYS_A_REQUEST):
        doomed = [{"Key": key} for key in keys[first : first + _KEYS_A_REQUEST]]
        lab.client("s3").delete_objects(Bucket=lab.bucket, Delete={"Objects": doomed, "Quiet": True})
    return len(keys)


def sample_keys(lab: Lab) -> list[str]:
    """Return the keys of the sample records if the lab put them into the bucket."""
    return [each["Key"] for each in _objects_of(lab, set(ledger.names(lab, "sample")))]


def own_keys(lab: Lab) -> list[str]:
    """Return the keys of the objects that the lab's own flow logs delivered."""
    own = _flow_log_ids(lab) if lab.claims_by_name else _own_flow_log_ids(lab)
    return [each["Key"] for each in _objects_of(lab, own)]


def _objects_of(lab: Lab, flow_log_ids: set[str]) -> Iterator[dict[str, Any]]:
    if not flow_log_ids:
        return
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=folder(lab))
    for page in pages:
        for each in page.get("Contents", []):
            name = parse_key(each["Key"])
            if name and name.flow_log_id in flow_log_ids:
                yield each


def _own_flow_log_ids(lab: Lab) -> set[str]:
    bucket = Destination("s3", lab.bucket)
    tagged = {each["FlowLogId"] for each in find_flow_logs(lab) if is_the_labs(lab, each, bucket)}
    return tagged | set(ledger.flow_log_ids(lab))


def _flow_log_ids(lab: Lab) -> set[str]:
    """Return the flow logs that the lab made, and those of the lab VPC to the bucket, whoever made them."""
    bucket = Destination("s3", lab.bucket)
    now = {
        each["FlowLogId"] for each in find_flow_logs(lab) if each["ResourceId"] == lab.vpc.id if bucket.receives(each)
    }
    return now | set(ledger.flow_log_ids(lab))
