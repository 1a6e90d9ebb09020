"""The provided environment: what a lab platform would have set up before the learner comes.

The sandbox deploys the very template that makes the environment in a real account, and puts the sample flow logs where
weeks of real ones would lie.
"""

from __future__ import annotations

from pathlib import Path

from labkit.sandbox.kernel.account import DEFAULT_REGION
from labkit.sandbox.moto_state import cloudformation, s3
from labkit.sandbox.sandbox import Sandbox

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "infra" / "lab_environment.yaml"
SAMPLE_DATA = PROJECT / "data" / "sample_flowlogs"
STACK_NAME = "vpc-flow-logs-lab"
PARAMETERS = {"LearnerCidr": "0.0.0.0/0"}
"""Everybody outside may try SSH: in the sandbox nobody can do harm with it."""


def provide(sandbox: Sandbox, region: str) -> None:
    """Deploys the lab's environment into a region and fills its bucket; a region that has it is left as it is."""
    if cloudformation.stack_exists(sandbox.account_id, region, STACK_NAME):
        return
    cloudformation.create_stack(sandbox.account_id, region, STACK_NAME, TEMPLATE.read_text(), PARAMETERS)
    bucket = cloudformation.physical_id(sandbox.account_id, region, STACK_NAME, "VPCFlowLogsBucket")
    for path in sorted(SAMPLE_DATA.rglob("*.log.gz")):
        key = path.relative_to(SAMPLE_DATA).as_posix().replace(DEFAULT_REGION, region)
        s3.put_object(bucket, key, path.read_bytes(), account_id=sandbox.account_id)
