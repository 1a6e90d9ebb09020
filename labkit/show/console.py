"""Links into the AWS console, as its own pages write them."""

from __future__ import annotations

from urllib.parse import quote, quote_plus


def vpc(region: str, vpc_id: str) -> str:
    """The VPC's page, which has the tab Flow logs."""
    return f"{_base(region)}/vpcconsole/home?region={region}#VpcDetails:VpcId={vpc_id}"


def instance(region: str, instance_id: str) -> str:
    """The instance's page."""
    return f"{_base(region)}/ec2/home?region={region}#InstanceDetails:instanceId={instance_id}"


def bucket(region: str, name: str, prefix: str = "") -> str:
    """The bucket's page, or that of a folder in it."""
    return f"{_base(region)}/s3/buckets/{name}?region={region}&prefix={quote(prefix)}"


def log_group(region: str, name: str) -> str:
    """The log group's page; its name is encoded twice there, with $ in place of the percent sign."""
    encoded = quote(quote(name, safe=""), safe="").replace("%", "$")
    return f"{_base(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{encoded}"


def alarm(region: str, name: str) -> str:
    """The alarm's page."""
    return f"{_base(region)}/cloudwatch/home?region={region}#alarmsV2:alarm/{quote_plus(name)}"


def topic(region: str, arn: str) -> str:
    """The SNS topic's page."""
    return f"{_base(region)}/sns/v3/home?region={region}#/topic/{arn}"


def _base(region: str) -> str:
    return f"https://{region}.console.aws.amazon.com"
