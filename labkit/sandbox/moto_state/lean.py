"""Keeps moto's import lean: its catalogues of all regions are read when they are first used.

moto's EC2 asks 27 new sessions for AWS's regions, each of which reads EC2's model, and loads which instance type is
offered where in all regions. That takes a second and 80 MB, and a lab uses next to nothing of it.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from moto.utilities import utils

_OFFERINGS = "ec2/resources/instance_type_offerings"
_HEAD = 10_000


def prepare() -> None:
    """Let moto load only what it needs; call this before anything imports one of moto's services."""
    # jsonschema, which moto's API Gateway imports, works without this optional check of IRIs, and building its 38
    # grammars takes three seconds.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    # moto's settings for unit tests name files, an account, a recorder: left in a user's shell, they would change what
    # the sandbox does.
    for name in [name for name in os.environ if name.startswith("MOTO_")]:
        del os.environ[name]


_load_resource = utils.load_resource


def load_resource(resource: str) -> Any:
    """Read a catalogue as moto does, except for the offered instance types, which are read on first use."""
    return [] if _OFFERINGS in resource else _load_resource(resource)


def read_offerings_later(offerings: dict[str, Any]) -> None:
    """Make the instance types offered in a region be read on first use."""
    for location_type, by_region in offerings.items():
        offerings[location_type] = _Offerings(location_type, by_region)


@cache
def _regions_by_prefix() -> dict[tuple[str, str], list[str]]:
    """Return the regions of every partition and endpoint prefix; the file they come from is 400 times as large."""
    data = Loader().load_data("endpoints")
    resolver = EndpointResolver(data)
    places = [(each["partition"], prefix) for each in data["partitions"] for prefix in each["services"]]
    return {
        (partition, prefix): [sys.intern(region) for region in resolver.get_available_endpoints(prefix, partition)]
        for partition, prefix in places
    }


@cache
def _endpoint_prefix(service: str) -> str:
    """Return the prefix in the metadata at the head of a service's model; reading all of EC2's would take 16 MB."""
    loader = Loader()
    version = loader.determine_latest_version(service, "service-2")
    path = Path(loader.BUILTIN_DATA_PATH, service, version, "service-2.json.gz")
    with gzip.open(path, "rt") if path.exists() else path.with_suffix("").open() as file:
        head = file.read(_HEAD)
    metadata, _ = json.JSONDecoder().raw_decode(head, head.index("{", head.index('"metadata"')))
    return str(metadata["endpointPrefix"])


def regions(_: boto3.Session, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False) -> Any:
    """Return the regions of a service as boto3 does, without loading the service's model."""
    if allow_non_regional:
        return _all_regions(boto3.Session(), service_name, partition_name, True)
    try:
        prefix = _endpoint_prefix(service_name)
    except DataNotFoundError:  # a service that botocore does not know has no regions
        return []
    return list(_regions_by_prefix().get((partition_name, prefix), ()))


_all_regions = boto3.Session.get_available_regions


class _Offerings(dict[str, Any]):
    """The instance types offered in each region, read when a region is first looked up."""

    def __init__(self, location_type: str, regions: dict[str, Any]) -> None:
        super().__init__(dict.fromkeys(regions))
        self._location_type = location_type

    def __getitem__(self, region: str) -> Any:
        if super().__getitem__(region) is None:
            offered = _load_resource(f"{_OFFERINGS}/{self._location_type}/{region}.json")
            self[region] = [{**each, "LocationType": self._location_type} for each in offered]
        return super().__getitem__(region)

    def get(self, region: str, default: Any = None) -> Any:
        """Return the offerings of a region, or `default` for an unknown one."""
        # dict.get would not call __getitem__, and return the None that stands for what isn't read yet.
        return self[region] if region in self.keys() else default
