"""Amazon SNS topics in moto."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.sns.exceptions import TopicNotFound

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.account import ACCOUNT_ID

EFFECTIVE_DELIVERY_POLICY = (
    '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,'
    '"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},'
    '"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}'
)
"""SNS's default as SNS writes it; moto's lacks the `http` around it (sns-message-delivery-retries.html)."""


def topic_attributes(region: str, topic_arn: str) -> dict[str, str] | None:
    """Return the attributes of a topic, without the counts of its subscriptions; None if there is no such topic."""
    try:
        topic = _backend(region).get_topic(topic_arn)
    except (TopicNotFound, ServiceException):
        return None
    attributes = {
        "Owner": topic.account_id,
        "Policy": topic.policy,
        "TopicArn": topic.arn,
        "DisplayName": topic.display_name,
        "DeliveryPolicy": topic.delivery_policy,
        "EffectiveDeliveryPolicy": EFFECTIVE_DELIVERY_POLICY,
        "KmsMasterKeyId": topic.kms_master_key_id or "",
        "FifoTopic": "true" if topic.fifo_topic == "true" else "",
    }
    return {name: value for name, value in attributes.items() if value or name == "DisplayName"}


def topic_arns(region: str) -> list[str]:
    """Return the ARNs of a region's topics, in order of creation."""
    return list(_backend(region).topics)


def topic_tags(region: str, topic_arn: str) -> dict[str, str]:
    """Return the tags of an existing topic."""
    return dict(_backend(region).get_topic(topic_arn)._tags)


def delete_topic(region: str, topic_arn: str) -> None:
    """Delete a topic; one that doesn't exist is no error."""
    if topic_attributes(region, topic_arn) is not None:
        _backend(region).delete_topic(topic_arn)


def _backend(region: str) -> Any:
    return moto_state.backend("sns", ACCOUNT_ID, region)
