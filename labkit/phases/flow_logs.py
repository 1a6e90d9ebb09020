"""Flow logs of the lab VPC: published to S3 and to CloudWatch Logs."""

from __future__ import annotations

from labkit.lab import Lab, Role
from labkit.show.cards import Card
from labkit.show.shown import Shown

LOG_GROUP = "VPCFlowLogs"


def publish_to_s3(lab: Lab, bucket: str, aggregation_seconds: int = 60) -> Card:
    """Publishes all traffic of the lab VPC to the bucket; a flow log that does so already stays as it is.

    The card's `id` is the flow log's. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3.html
    """
    raise NotImplementedError


def publish_to_cloudwatch(
    lab: Lab, log_group: str = LOG_GROUP, role: Role | None = None, aggregation_seconds: int = 60
) -> Card:
    """Publishes all traffic of the lab VPC to the log group, by the provided role if no other is given."""
    raise NotImplementedError


def create_log_group(lab: Lab, name: str = LOG_GROUP) -> Card:
    """Makes the log group; one of that name stays as it is."""
    raise NotImplementedError


def explain_bucket_policy(lab: Lab) -> Shown:
    """The bucket's policy, statement by statement, in words: who may write what under `AWSLogs/`."""
    raise NotImplementedError
