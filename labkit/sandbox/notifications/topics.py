"""Topics: making, listing and changing them (Amazon SNS). They are moto's; what SNS refuses of them is refused here."""

from __future__ import annotations

import json
import re
from typing import Any

from werkzeug.wrappers import Response

from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.moto_state import sns
from labkit.sandbox.notifications.checks import invalid
from labkit.sandbox.paging import page
from labkit.sandbox.service import Call, Result, Service, operation

LISTED_PAGE = 100
MAX_DISPLAY_NAME = 100
_SET_HERE = frozenset(("DisplayName", "KmsMasterKeyId", "Policy"))
_REFUSED = re.compile(
    r"(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)|DeliveryPolicy|TracingConfig"
    r"|MaximumMessageSize|SignatureVersion|ArchivePolicy|ContentBasedDeduplication|FifoThroughputScope"
)


class TopicOperations(Service):
    """The operations on topics that need no subscriptions."""

    @operation("CreateTopic")
    def create_topic(self, call: Call) -> Response:
        """Makes a standard topic; one that is there already is the answer, if it is what was asked for."""
        name, attributes = call.params["Name"], dict(call.params.get("Attributes", {}))
        if name.endswith(".fifo") or attributes.pop("FifoTopic", "false") == "true":
            raise not_here("FIFO topics")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name):
            raise invalid("Topic Name")
        for attribute, value in attributes.items():
            _check_attribute(attribute, value, "Attributes Reason: ")
        arn = f"arn:aws:sns:{call.region}:{call.account_id}:{name}"
        if (held := sns.topic_attributes(call.region, arn)) is not None:
            if any(_plain(held.get(attribute, "")) != _plain(value) for attribute, value in attributes.items()):
                raise invalid("Attributes Reason: Topic already exists with different attributes")
            tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags", [])}
            if tags and tags != sns.topic_tags(call.region, arn):
                raise invalid("Tags Reason: Topic already exists with different tags")
        return call.forward()

    @operation("ListTopics")
    def list_topics(self, call: Call) -> Result:
        """Lists the topics of the region."""
        topics = [{"TopicArn": arn} for arn in sns.topic_arns(call.region)]
        return listed(topics, call.params, "Topics")

    @operation("SetTopicAttributes")
    def set_topic_attributes(self, call: Call) -> Response:
        """Changes the display name, the policy or the key of a topic."""
        self.topic(call.region, call.params["TopicArn"])
        _check_attribute(call.params["AttributeName"], call.params.get("AttributeValue", ""))
        return call.forward()

    def topic(self, region: str, topic_arn: str) -> dict[str, str]:
        """The attributes of a topic; SNS's error if it is none, or not there."""
        check_topic_arn(region, topic_arn)
        attributes = sns.topic_attributes(region, topic_arn)
        if attributes is None:
            raise ServiceError("NotFound", "Topic does not exist", status=404)
        return attributes


def check_topic_arn(region: str, topic_arn: str) -> None:
    """Refuses what is no ARN of a topic of the region."""
    parts = topic_arn.split(":")
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "sns"] or parts[3] != region:
        raise invalid("TopicArn")


def listed(items: list[dict[str, Any]], params: dict[str, Any], member: str) -> Result:
    """A page of a list."""
    return page(items, params, member, LISTED_PAGE, lambda given: invalid("NextToken"))


def _check_attribute(name: str, value: str, reason: str = "") -> None:
    if _REFUSED.fullmatch(name):
        raise not_here(f"the topic attribute {name}")
    if name not in _SET_HERE:
        raise invalid(f"{reason}AttributeName")
    if name == "DisplayName" and len(value) > MAX_DISPLAY_NAME:
        raise invalid(f"{reason}DisplayName")
    if name == "Policy" and not _is_object(value):
        raise invalid(f"{reason}Policy Error: null")


def _is_object(text: str) -> bool:
    return isinstance(_plain(text), dict)


def _plain(text: str) -> Any:
    """What JSON says, however it is written; another text is what it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
