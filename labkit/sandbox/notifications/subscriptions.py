"""Subscriptions: who is told what is published to a topic, once it has been confirmed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from labkit.sandbox.notifications import filter_policies
from labkit.sandbox.notifications.filter_policies import BY_ATTRIBUTES

PENDING = "PendingConfirmation"
CONFIRM_WITHIN = 2 * 24 * 3600
"""Seconds after which an unconfirmed subscription is gone (Subscribe: "Confirmation tokens are valid for two days")."""


@dataclass
class Subscription:
    """One endpoint of a topic."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    owner: str
    token: str
    asked_at: float
    confirmed: bool
    authenticated: bool = False
    """What GetSubscriptionAttributes calls ConfirmationWasAuthenticated."""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bool:
        """Whether the message is delivered without SNS's envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"

    def wants(self, message: str, message_attributes: dict[str, Any]) -> bool:
        """Whether a message passes the subscription's filter policy."""
        if "FilterPolicy" not in self.attributes:
            return True
        scope = self.attributes.get("FilterPolicyScope", BY_ATTRIBUTES)
        policy = json.loads(self.attributes["FilterPolicy"])
        return filter_policies.wants(policy, scope, message_attributes, message)

    def listed(self) -> dict[str, str]:
        """The subscription as lists show it; its ARN only once it is confirmed."""
        return {
            "SubscriptionArn": self.arn if self.confirmed else PENDING,
            "Owner": self.owner,
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "TopicArn": self.topic_arn,
        }

    def described(self) -> dict[str, str]:
        """The subscription's attributes."""
        scope = {"FilterPolicyScope": BY_ATTRIBUTES} if "FilterPolicy" in self.attributes else {}
        return {
            "SubscriptionArn": self.arn,
            "TopicArn": self.topic_arn,
            "Owner": self.owner,
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "PendingConfirmation": "false" if self.confirmed else "true",
            "ConfirmationWasAuthenticated": "true" if self.authenticated else "false",
            "SubscriptionPrincipal": f"arn:aws:iam::{self.owner}:root",
            "RawMessageDelivery": "false",
            **scope,
            **self.attributes,
        }


class Subscriptions:
    """The subscriptions of a region, in the order in which they were made."""

    def __init__(self) -> None:
        self._all: dict[str, Subscription] = {}
        self._ended: dict[str, Subscription] = {}
        """By the token that brings them back."""
        self.deleted: dict[str, int] = {}
        """How many subscriptions of a topic have been ended."""

    def add(self, subscription: Subscription) -> None:
        """Adds a subscription."""
        self._all[subscription.arn] = subscription

    def remove(self, subscription: Subscription) -> None:
        """Ends a subscription."""
        del self._all[subscription.arn]
        self.deleted[subscription.topic_arn] = self.deleted.get(subscription.topic_arn, 0) + 1

    def end(self, subscription: Subscription, token: str, now: float) -> None:
        """Ends a subscription that its endpoint may bring back with a token, as long as tokens are valid."""
        self.remove(subscription)
        subscription.token, subscription.asked_at = token, now
        self._ended[token] = subscription

    def brought_back(self, topic_arn: str, token: str, now: float) -> Subscription | None:
        """The subscription of a topic that a token brings back, in its place again; None where there is none."""
        subscription = self._ended.get(token)
        if subscription is None or subscription.topic_arn != topic_arn or now - subscription.asked_at >= CONFIRM_WITHIN:
            return None
        self.add(self._ended.pop(token))
        self.deleted[topic_arn] -= 1
        return subscription

    def forget_topic(self, topic_arn: str) -> None:
        """Ends the subscriptions of a topic that is deleted."""
        self._all = {arn: held for arn, held in self._all.items() if held.topic_arn != topic_arn}
        self._ended = {token: held for token, held in self._ended.items() if held.topic_arn != topic_arn}
        self.deleted.pop(topic_arn, None)

    def current(self, now: float) -> list[Subscription]:
        """The subscriptions but those that nobody confirmed in time."""
        return [held for held in self._all.values() if held.confirmed or now - held.asked_at < CONFIRM_WITHIN]

    def of_topic(self, topic_arn: str, now: float) -> list[Subscription]:
        """The subscriptions of one topic."""
        return [held for held in self.current(now) if held.topic_arn == topic_arn]

    def get(self, arn: str) -> Subscription | None:
        """A subscription by its ARN."""
        return self._all.get(arn)
