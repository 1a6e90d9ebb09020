"""The services of AWS that moto may answer: those of use around flow logs, and no other.

moto knows 170 services. Some run a client's code (Lambda, Batch and CodeBuild start containers), some send requests to
other machines, and none is safe unread: whoever adds one reads its code first, and
`tests/sandbox/moto/test_sources.py` lists what to look for.
"""

from __future__ import annotations

from labkit.sandbox.kernel.errors import ServiceError, not_here

ANSWERED = {
    "cloudformation": "cloudformation",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "config": "config",
    "ec2": "ec2",
    "events": "events",
    "firehose": "firehose",
    "glue": "glue",
    "iam": "iam",
    "kinesis": "kinesis",
    "kms": "kms",
    "logs": "logs",
    "organizations": "organizations",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "s3": "s3",
    "s3control": "s3control",
    "secretsmanager": "secretsmanager",
    "service-quotas": "service-quotas",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "sts": "sts",
}
"""botocore's name of each service, and moto's. A service of the sandbox's own stands before moto's of the same name."""


def check(service: str) -> None:
    """Raise the error for a service that the sandbox does not have."""
    if service not in ANSWERED:
        raise refusal(service)


def refusal(service: str) -> ServiceError:
    """Return the error for a service that the sandbox does not have; `service` is a client's word."""
    return not_here(f"the service {service[:64]!r}")
