"""Topics as moto holds them (Amazon SNS)."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.sns.exceptions import TopicNotFound

from labkit.sandbox import moto_state
from labkit.sandbox.sandbox import ACCOUNT_ID


def topic_attributes(region: str, topic_arn: str) -> dict[str, str] | None:
    """The attributes of a topic, without the counts of its subscriptions; None if there is no such topic."""
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
        "EffectiveDeliveryPolicy": topic.effective_delivery_policy,
        "KmsMasterKeyId": topic.kms_master_key_id or "",
        "FifoTopic": "true" if topic.fifo_topic == "true" else "",
    }
    return {name: value for name, value in attributes.items() if value or name == "DisplayName"}


def delete_topic(region: str, topic_arn: str) -> None:
    """Deletes a topic; that there is none is no error."""
    if topic_attributes(region, topic_arn) is not None:
        _backend(region).delete_topic(topic_arn)


def _backend(region: str) -> Any:
    return moto_state.backend("sns", ACCOUNT_ID, region)
