"""The AWS services that moto may answer: only those that are useful around flow logs.

moto has 170 services. Some run a client's code (Lambda, Batch and CodeBuild start containers), some send requests to
other machines, and none is safe unless it has been read: before you add one, read its code.
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
"""moto's name of each service by botocore's. The sandbox's own services come before moto's of the same name."""


# An explicit list and not moto's own: a service that a new version of moto brings must be read before it is answered.
def check(service: str) -> None:
    """Raise ServiceError (501) for a service that the sandbox doesn't support."""
    if service not in ANSWERED:
        raise refusal(service)


def refusal(service: str) -> ServiceError:
    """Return the error (501) for a service that isn't supported; `service` is text from a client, so it is cut."""
    return not_here(f"the service {service[:64]!r}")
