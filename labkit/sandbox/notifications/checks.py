"""What SNS refuses, in its words, and what the sandbox does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.notifications import filter_policy_checks
from labkit.sandbox.notifications.filter_policies import BY_ATTRIBUTES

MAX_MESSAGE = 262_144
MAX_SUBJECT = 99
"""Characters: "less than 100" (Publish, Subject)."""
MAX_NAME = 256
MAX_BATCH = 10
_ELSEWHERE = frozenset(("application", "firehose", "lambda", "sms"))
_REFUSED_ATTRIBUTES = frozenset(("DeliveryPolicy", "RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"))


def invalid(what: str) -> ServiceError:
    """SNS's error for a parameter."""
    return ServiceError("InvalidParameter", f"Invalid parameter: {what}")


def check_endpoint(protocol: str, endpoint: str) -> None:
    """Refuses an endpoint that doesn't fit its protocol, or that is not on this machine."""
    if protocol in _ELSEWHERE:
        raise not_here(f"subscriptions of the protocol {protocol}")
    if protocol in ("email", "email-json"):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", endpoint):
            raise invalid("Email address")
    elif protocol == "sqs":
        if not re.fullmatch(r"arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w.-]+", endpoint):
            raise invalid("SQS endpoint ARN")
    elif protocol in ("http", "https"):
        if not endpoint.startswith(f"{protocol}://"):
            raise invalid("Endpoint must match the specified protocol")
        if not _is_local(_host_of(endpoint)):
            raise not_here(f"HTTP endpoints other than on this machine (127.0.0.1, localhost): {endpoint}")
    else:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")


def _host_of(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        if parts.port == 0:
            raise invalid("Endpoint")
        return parts.hostname or ""
    except ValueError:  # a bracket that is not closed, a port that is no number
        raise invalid("Endpoint") from None


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_attribute(
    name: str, value: str, attributes: Mapping[str, str], protocol: str, *, subscribing: bool = False
) -> None:
    """Refuses an attribute of a subscription; SNS words its errors a little differently for Subscribe."""
    reason = "Attributes Reason: " if subscribing else ""
    if name in _REFUSED_ATTRIBUTES:
        raise not_here(f"the subscription attribute {name}")
    if name == "RawMessageDelivery":
        if value not in ("true", "false"):
            raise invalid(f"RawMessageDelivery Reason: Invalid value [{value}]. Must be true or false.")
        if value == "true" and protocol.startswith("email"):
            raise invalid(f"Attributes Reason: Delivery protocol [{protocol}] does not support raw message delivery.")
    elif name == "FilterPolicyScope":
        if value not in ("MessageAttributes", "MessageBody"):
            raise invalid(
                f"{reason}FilterPolicyScope: Invalid value [{value}]. "
                "Please use either MessageBody or MessageAttributes"
            )
    elif name == "FilterPolicy":
        try:
            filter_policy_checks.checked(value or "{}", attributes.get("FilterPolicyScope", BY_ATTRIBUTES))
        except filter_policy_checks.PolicyError as error:
            raise invalid(f"{reason}{error}") from None
    else:
        raise invalid("AttributeName")


def check_message(params: Mapping[str, Any]) -> None:
    """Refuses a message that SNS wouldn't publish."""
    if not params["Message"]:
        raise invalid("Empty message")
    if size(params) > MAX_MESSAGE:
        raise invalid("Message too long")
    subject = params.get("Subject")
    if subject is not None and not re.fullmatch(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{{1,{MAX_SUBJECT}}}", subject):
        raise invalid("Subject")
    if (params.get("TopicArn") or params.get("TargetArn") or "").endswith(".fifo"):
        raise not_here("publishing to FIFO topics")


def check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuses a batch as a whole (PublishBatch, errors)."""
    ids = [entry["Id"] for entry in entries]
    if not entries:
        raise ServiceError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > MAX_BATCH:
        raise ServiceError(
            "TooManyEntriesInBatchRequest", f"The batch request contains more entries than permissible: {len(entries)}."
        )
    if len(set(ids)) < len(ids):
        raise ServiceError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if odd := [each for each in ids if not re.fullmatch(r"[\w-]{1,80}", each, re.ASCII)]:
        raise ServiceError(
            "InvalidBatchEntryId",
            f"The Id of a batch entry in a batch request doesn't abide by the specification: {odd[0]}",
        )
    if sum(map(size, entries)) > MAX_MESSAGE:
        raise ServiceError(
            "BatchRequestTooLong", "The length of all the batch messages put together is more than the limit."
        )


def size(params: Mapping[str, Any]) -> int:
    """The bytes of a message: its body, and the names, types and values of its attributes."""
    texts = [params["Message"]]
    for name, attribute in params.get("MessageAttributes", {}).items():
        texts += [name, attribute.get("DataType", ""), attribute.get("StringValue", "")]
    return sum(len(text.encode()) for text in texts)


def messages_by_protocol(message: str, structure: str | None) -> dict[str, str]:
    """The message for each protocol: one for all, or as a JSON message says."""
    if structure is None:
        return {"default": message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        messages = json.loads(message)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(messages, dict) or not isinstance(messages.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {protocol: text for protocol, text in messages.items() if isinstance(text, str)}


def message_attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Message attributes as the delivered JSON has them."""
    return {name: _message_attribute(name, attribute) for name, attribute in given.items()}


def _message_attribute(name: str, attribute: Mapping[str, Any]) -> dict[str, str]:
    _check_name(name)
    kind, value = attribute["DataType"], attribute.get("StringValue")
    if kind.partition(".")[0] not in ("String", "Binary", "Number"):
        raise _invalid_value(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    if "BinaryValue" in attribute:
        raise not_here(f"binary message attributes ({name})")
    if not value:
        raise _invalid_value(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
            f"'{kind}'."
        )
    if kind.startswith("Number") and not _is_number(value):
        raise _invalid_value(f"Could not cast message attribute '{name}' value to number.")
    return {"Type": kind, "Value": value}


def _check_name(name: str) -> None:
    """Refuses the name of a message attribute (sns-message-attributes.html)."""
    if len(name) > MAX_NAME:
        raise _invalid_value(f"Length of message attribute name must be less than {MAX_NAME} bytes.")
    for place, words in ((name[:1], "starting"), (name[-1:], "ending")):
        if place == ".":
            raise _invalid_value(f"Invalid message attribute name {words} with character '.' was found.")
    if other := re.search(r"[^A-Za-z0-9_.-]", name):
        raise _invalid_value(
            f"Invalid non-alphanumeric character '#x{ord(other[0]):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if ".." in name:
        raise _invalid_value("Message attribute name can not have successive '.' character.")
    if re.match(r"(aws|amazon)\.", name, re.IGNORECASE):
        raise _invalid_value(
            "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon."
        )


def _invalid_value(message: str) -> ServiceError:
    return ServiceError("ParameterValueInvalid", message)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
