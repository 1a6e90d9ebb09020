"""What moto's backends hold, as plain values and calls, so that no service of the sandbox knows moto's internals.

Start with this module: `reset` empties moto, `seed` makes its next ids reproducible, and `backend` returns moto's
object for a service in a region. It must be imported before any service of moto, which `lean.py` and the first patches
change. Then read by subject:

- `ec2.py`: the network that packets meet, as the types of `network/topology.py` (`Interface`, `RouteTable`, ...);
  `flow_logs.py`: flow logs in stacks.
- `s3.py` (`StoredObject`), `object_bodies.py` (`Content`, `Body`) and `bucket_policies.py`: objects, their bytes in the
  file store, and the policies of buckets.
- `glue.py`, `glue_names.py`, `iam.py` (`Role`), `sns.py`, `sqs.py`, `kinesis.py`, `firehose.py`, `sts.py`, `logs.py`:
  one service each.
- `cloudformation.py` deploys stacks; `cloudformation_resources.py` has the resources that moto lacks or gets wrong.
- `query_wire.py` and `requests.py`: moto's serializers and its HTTP request handler.

For example, to store an object and list it without HTTP:

    s3.put_object("bucket", "AWSLogs/a.log.gz", data)
    [each.key for each in s3.list_objects("bucket", prefix="AWSLogs/")]
"""

# ruff: noqa: E402
from __future__ import annotations

from typing import Any

from labkit.sandbox.moto import patches
from labkit.sandbox.moto_state import lean

# Before the imports below, which import services of moto: these would read the catalogues of all regions.
lean.prepare()
patches.install_first()

from moto.backends import get_backend
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend

from labkit.sandbox.moto import sources


def reset(seed: str = "") -> None:
    """Empty every backend of moto; what moto makes again on its own is drawn from `seed`."""
    patches.install()
    sources.set_seed(seed)
    moto_api_backend.reset()


def seed(label: str) -> None:
    """Make the ids that moto draws next a function of `label`."""
    mock_random.seed(label)


def backend(service: str, account_id: str, region: str) -> Any:
    """Return moto's backend object of a service in a region (`aws` for global services such as S3 and IAM)."""
    patches.install_for(service)
    return get_backend(service)[account_id][region]  # type: ignore[call-overload]
