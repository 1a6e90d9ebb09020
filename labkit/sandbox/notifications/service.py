"""Topics, subscriptions and mails (Amazon SNS): the API's operations."""

from __future__ import annotations

import hmac
import uuid
from typing import TYPE_CHECKING, Any

from labkit.sandbox.inbox import Inbox
from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.moto_state import sns
from labkit.sandbox.notifications.checks import (
    check_attribute,
    check_batch,
    check_endpoint,
    check_message,
    invalid,
    message_attributes,
    messages_by_protocol,
)
from labkit.sandbox.notifications.delivery import Delivery, Publication
from labkit.sandbox.notifications.subscriptions import PENDING, Subscription, Subscriptions
from labkit.sandbox.notifications.topics import TopicOperations, check_topic_arn, listed
from labkit.sandbox.service import Call, Result, operation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox


class NotificationService(TopicOperations):
    """Subscriptions and publishing; the topics themselves are moto's (Amazon SNS)."""

    name = "sns"
    answered_by_moto = frozenset(
        (
            "AddPermission",
            "ListTagsForResource",
            "RemovePermission",
            "TagResource",
            "UntagResource",
        )
    )

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.inbox = Inbox(sandbox.outbox)
        self._regions: dict[str, Subscriptions] = {}
        self._delivery = Delivery(self.inbox, sandbox.outbox, lambda: sandbox.endpoint)

    def parts(self) -> dict[str, object]:
        """What a checkpoint does not hold, or holds by itself."""
        return {"inbox": self.inbox, "delivery": self._delivery}

    def publish(
        self,
        region: str,
        topic_arn: str,
        message: str,
        subject: str | None = None,
        *,
        message_structure: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> str:
        """Publishes to a topic's confirmed subscriptions; the id of the message.

        Attributes are sent with one message for all protocols, not with one for each (sns-message-attributes.html); in
        both cases they are what filter policies go by.
        """
        self.topic(region, topic_arn)
        given = attributes or {}
        publication = Publication(
            topic_arn,
            self._new_id(),
            messages_by_protocol(message, message_structure),
            subject,
            self.sandbox.clock.now(),
            {} if message_structure else given,
        )
        for subscription in self._subscriptions(region).of_topic(topic_arn, self.sandbox.clock.timestamp()):
            if subscription.confirmed and subscription.wants(publication.message(subscription.protocol), given):
                self._delivery.deliver(publication, subscription)
        return publication.message_id

    @operation("Subscribe")
    def subscribe(self, call: Call) -> Result:
        """Subscribes an endpoint: a queue at once, all others once they have confirmed it."""
        params = call.params
        topic_arn, protocol, endpoint = params["TopicArn"], params["Protocol"], params.get("Endpoint", "")
        self.topic(call.region, topic_arn)
        check_endpoint(protocol, endpoint)
        attributes = dict(params.get("Attributes", {}))
        for name, value in attributes.items():
            check_attribute(name, value, attributes, protocol, subscribing=True)
        subscription = self._held(call.region, topic_arn, protocol, endpoint)
        if subscription is None:
            subscription = self._new_subscription(call, protocol, endpoint, attributes)
        elif any(subscription.attributes.get(name) != value for name, value in attributes.items()):
            raise invalid("Attributes Reason: Subscription already exists with different attributes")
        if subscription.confirmed:
            return {"SubscriptionArn": subscription.arn}
        self._delivery.ask_for_confirmation(subscription, self._new_id(), self.sandbox.clock.now())
        return {"SubscriptionArn": subscription.arn if params.get("ReturnSubscriptionArn") else "pending confirmation"}

    def _new_subscription(self, call: Call, protocol: str, endpoint: str, attributes: dict[str, str]) -> Subscription:
        subscription = Subscription(
            arn=f"{call.params['TopicArn']}:{self._new_id()}",
            topic_arn=call.params["TopicArn"],
            protocol=protocol,
            endpoint=endpoint,
            owner=call.account_id,
            token=self._new_token(),
            asked_at=self.sandbox.clock.timestamp(),
            confirmed=protocol == "sqs",
            authenticated=protocol == "sqs",
            attributes=attributes,
        )
        self._subscriptions(call.region).add(subscription)
        return subscription

    @operation("ConfirmSubscription")
    def confirm_subscription(self, call: Call) -> Result:
        """Confirms a subscription by the token that its endpoint was sent, or brings one back that was ended."""
        topic_arn, token = call.params["TopicArn"], call.params["Token"]
        self.topic(call.region, topic_arn)
        authenticated = call.params.get("AuthenticateOnUnsubscribe") == "true"
        if authenticated and not call.signed:
            raise _not_authorized("ConfirmSubscription", topic_arn)
        subscription = self._by_token(call.region, topic_arn, token)
        if subscription is None:
            raise invalid("Token")
        subscription.confirmed, subscription.authenticated = True, authenticated
        return {"SubscriptionArn": subscription.arn}

    @operation("Unsubscribe")
    def unsubscribe(self, call: Call) -> Result:
        """Ends a subscription; that there is none is no error.

        HTTP endpoints are told, and whoever clicked on the link in a mail is sent another one, to resubscribe.
        """
        arn = call.params["SubscriptionArn"]
        _check_subscription_arn(arn)
        subscriptions = self._subscriptions(call.region)
        subscription = subscriptions.get(arn)
        if subscription is None:
            return {}
        if subscription.authenticated and not call.signed:
            raise _not_authorized("Unsubscribe", arn)
        if call.signed and not subscription.protocol.startswith("http"):
            subscriptions.remove(subscription)
        else:
            subscriptions.end(subscription, self._new_token(), self.sandbox.clock.timestamp())
            self._delivery.tell_the_end(subscription, self._new_id(), self.sandbox.clock.now())
        return {}

    @operation("ListSubscriptions")
    def list_subscriptions(self, call: Call) -> Result:
        """Lists the subscriptions of the region."""
        held = [subscription.listed() for subscription in self._current(call.region)]
        return listed(held, call.params, "Subscriptions")

    @operation("ListSubscriptionsByTopic")
    def list_subscriptions_by_topic(self, call: Call) -> Result:
        """Lists the subscriptions of a topic."""
        topic_arn = call.params["TopicArn"]
        self.topic(call.region, topic_arn)
        held = [each.listed() for each in self._current(call.region) if each.topic_arn == topic_arn]
        return listed(held, call.params, "Subscriptions")

    @operation("GetSubscriptionAttributes")
    def get_subscription_attributes(self, call: Call) -> Result:
        """Describes a subscription."""
        return {"Attributes": self._subscription(call).described()}

    @operation("SetSubscriptionAttributes")
    def set_subscription_attributes(self, call: Call) -> Result:
        """Changes a filter policy, or whether messages come raw."""
        subscription = self._subscription(call)
        name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
        check_attribute(name, value, subscription.attributes, subscription.protocol)
        if name == "FilterPolicy" and value in ("", "{}"):
            subscription.attributes.pop(name, None)
        else:
            subscription.attributes[name] = value
        return {}

    @operation("Publish")
    def publish_call(self, call: Call) -> Result:
        """Publishes a message to a topic."""
        return {"MessageId": self._publish(call, call.params)}

    @operation("PublishBatch")
    def publish_batch(self, call: Call) -> Result:
        """Publishes up to ten messages to a topic."""
        entries = call.params["PublishBatchRequestEntries"]
        check_batch(entries)
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in entries:
            try:
                message_id = self._publish(call, {**entry, "TopicArn": call.params["TopicArn"]})
                done.append({"Id": entry["Id"], "MessageId": message_id})
            except ServiceError as error:
                fault = {"Code": error.code, "Message": error.message, "SenderFault": True}
                failed.append({"Id": entry["Id"], **fault})
        return {"Successful": done, "Failed": failed}

    def _publish(self, call: Call, params: dict[str, Any]) -> str:
        if "PhoneNumber" in params:
            raise not_here("publishing to a phone number")
        topic_arn = params.get("TopicArn", params.get("TargetArn"))
        if topic_arn is None:
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        check_message(params)
        return self.publish(
            call.region,
            topic_arn,
            params["Message"],
            params.get("Subject"),
            message_structure=params.get("MessageStructure"),
            attributes=message_attributes(params.get("MessageAttributes", {})),
        )

    @operation("GetTopicAttributes")
    def get_topic_attributes(self, call: Call) -> Result:
        """Describes a topic, with the counts of its subscriptions."""
        topic_arn = call.params["TopicArn"]
        attributes = self.topic(call.region, topic_arn)
        held = [held for held in self._current(call.region) if held.topic_arn == topic_arn]
        confirmed = sum(subscription.confirmed for subscription in held)
        deleted = self._subscriptions(call.region).deleted.get(topic_arn, 0)
        counts = {"Pending": len(held) - confirmed, "Confirmed": confirmed, "Deleted": deleted}
        return {"Attributes": attributes | {f"Subscriptions{name}": str(count) for name, count in counts.items()}}

    @operation("DeleteTopic")
    def delete_topic(self, call: Call) -> Result:
        """Deletes a topic and its subscriptions; that there is none is no error."""
        check_topic_arn(call.region, call.params["TopicArn"])
        sns.delete_topic(call.region, call.params["TopicArn"])
        self._subscriptions(call.region).forget_topic(call.params["TopicArn"])
        return {}

    def _subscriptions(self, region: str) -> Subscriptions:
        return self._regions.setdefault(region, Subscriptions())

    def _current(self, region: str) -> list[Subscription]:
        return self._subscriptions(region).current(self.sandbox.clock.timestamp())

    def _held(self, region: str, topic_arn: str, protocol: str, endpoint: str) -> Subscription | None:
        for held in self._current(region):
            if (held.topic_arn, held.protocol, held.endpoint) == (topic_arn, protocol, endpoint):
                return held
        return None

    def _by_token(self, region: str, topic_arn: str, token: str) -> Subscription | None:
        for held in self._current(region):
            if held.topic_arn == topic_arn and held.token == token:
                return held
        return self._subscriptions(region).brought_back(topic_arn, token, self.sandbox.clock.timestamp())

    def _subscription(self, call: Call) -> Subscription:
        arn = call.params["SubscriptionArn"]
        _check_subscription_arn(arn)
        subscription = self._subscriptions(call.region).get(arn)
        if subscription is None:
            raise ServiceError("NotFound", "Subscription does not exist", status=404)
        return subscription

    def _new_token(self) -> str:
        """Draw a token that nobody can guess who knows the seed: its link needs no signature.

        It is made with a secret of the home's, so a restart makes the same one again.
        """
        drawn = self.sandbox.random.getrandbits(984).to_bytes(123, "big")
        parts = (hmac.digest(self.sandbox.secret, drawn + bytes([number]), "sha512") for number in range(2))
        return f"2336412f37{b''.join(parts)[:123].hex()}"

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.sandbox.random.getrandbits(128), version=4))


def _not_authorized(operation: str, arn: str) -> ServiceError:
    return ServiceError(
        "AuthorizationError",
        f"User: anonymous is not authorized to perform: SNS:{operation} on resource: {arn}",
        status=403,
    )


def _check_subscription_arn(arn: str) -> None:
    parts = len(arn.split(":"))
    if arn == PENDING or parts < 6:
        raise invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {parts}")
    if parts != 7:
        raise invalid("SubscriptionId")
