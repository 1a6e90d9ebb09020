"""Delivers what is published: mails, JSON for queues and HTTP endpoints, in SNS's shapes.

Sources: SNS Developer Guide, "Message and JSON formats" (sns-message-and-json-formats.html) and mails as users show
them. SNS signs its JSON with a key that only AWS has; here the signature is the word EXAMPLE.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from labkit.sandbox.inbox import Inbox
from labkit.sandbox.moto_state import sqs
from labkit.sandbox.notifications import local_posts
from labkit.sandbox.notifications.subscriptions import Subscription
from labkit.sandbox.outbox import Done, Outbox

LOG = logging.getLogger(__name__)
MAX_QUEUED_ATTRIBUTES = 10
"""Of a raw message for a queue (sns-message-attributes.html)."""
POST_TIMEOUT = 15
"""Seconds that an endpoint has to answer (SendMessageToHttp.prepare.html)."""
RETRIES, RETRY_AFTER = 3, 20
"""How often a post that failed is tried again, and after how many seconds (SendMessageToHttp.retry.html).

They are seconds of the machine's clock: what listens there lives by it, whatever the sandbox's clock does. The state
does not depend on them, and a process that ends before the last try begins anew.
"""


@dataclass(frozen=True)
class Publication:
    """What is published: the message for each protocol, and who asked for it where."""

    topic_arn: str
    message_id: str
    messages: dict[str, str]
    """By protocol; `default` for the others."""
    subject: str | None
    at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)

    def message(self, protocol: str) -> str:
        """The message for a protocol."""
        return self.messages.get(protocol, self.messages["default"])


class Delivery:
    """Brings publications to endpoints."""

    def __init__(self, inbox: Inbox, outbox: Outbox, endpoint: Callable[[], str]) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._endpoint = endpoint

    def deliver(self, publication: Publication, subscription: Subscription) -> None:
        """Delivers a publication to one subscription."""
        if subscription.protocol == "email":
            body = publication.message("email") + self._footer(subscription)
            self._mail(subscription, publication, body)
        elif subscription.protocol == "email-json":
            self._mail(subscription, publication, json.dumps(self._notification(publication, subscription)))
        elif subscription.protocol == "sqs":
            self._queue(publication, subscription)
        else:
            self._post(subscription, "Notification", publication.message_id, self._body(publication, subscription))

    def ask_for_confirmation(self, subscription: Subscription, message_id: str, at: datetime) -> None:
        """Asks the endpoint whether it wants the subscription."""
        message = (
            f"You have chosen to subscribe to the topic {subscription.topic_arn}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
        self._send_token(subscription, "Subscription", message, _CONFIRMATION_MAIL, message_id, at)

    def tell_the_end(self, subscription: Subscription, message_id: str, at: datetime) -> None:
        """Tells the endpoint that the subscription has ended, and how to bring it back."""
        message = (
            f"You have chosen to deactivate subscription {subscription.arn}.\n"
            "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
        )
        self._send_token(subscription, "Unsubscribe", message, _END_MAIL, message_id, at)

    def _send_token(
        self, subscription: Subscription, what: str, message: str, mail: str, message_id: str, at: datetime
    ) -> None:
        """Sends the token that confirms a subscription or brings it back: as a link in a mail, or as JSON."""
        topic, subject = subscription.topic_arn, f"AWS Notification - {what} Confirmation"
        if subscription.protocol == "email":
            body = mail.format(topic=topic, link=self.confirm_link(subscription))
            self._inbox.deliver(subscription.endpoint, subject, body, at)
            return
        request = {
            "Type": f"{what}Confirmation",
            "MessageId": message_id,
            "Token": subscription.token,
            "TopicArn": topic,
            "Message": message,
            "SubscribeURL": self.confirm_link(subscription),
            "Timestamp": _timestamp(at),
            **_signature(topic),
        }
        if subscription.protocol == "email-json":
            self._inbox.deliver(subscription.endpoint, subject, json.dumps(request), at)
        else:
            self._post(subscription, f"{what}Confirmation", message_id, json.dumps(request, indent=2))

    def confirm_link(self, subscription: Subscription) -> str:
        """The address that confirms a subscription."""
        return self._link(
            {"Action": "ConfirmSubscription", "TopicArn": subscription.topic_arn, "Token": subscription.token}
        )

    def unsubscribe_link(self, subscription: Subscription) -> str:
        """The address that ends a subscription."""
        return self._link({"Action": "Unsubscribe", "SubscriptionArn": subscription.arn})

    def _link(self, query: dict[str, str]) -> str:
        return f"{self._endpoint()}/?{urlencode(query, safe=':')}"

    def _footer(self, subscription: Subscription) -> str:
        return _FOOTER.format(link=self.unsubscribe_link(subscription))

    def _mail(self, subscription: Subscription, publication: Publication, body: str) -> None:
        subject = publication.subject or "AWS Notification Message"
        self._inbox.deliver(subscription.endpoint, subject, body, publication.at)

    def _notification(self, publication: Publication, subscription: Subscription) -> dict[str, Any]:
        envelope = {
            "Type": "Notification",
            "MessageId": publication.message_id,
            "TopicArn": publication.topic_arn,
            "Subject": publication.subject,
            "Message": publication.message(subscription.protocol),
            "Timestamp": _timestamp(publication.at),
            **_signature(publication.topic_arn),
            "UnsubscribeURL": self.unsubscribe_link(subscription),
            "MessageAttributes": publication.attributes,
        }
        return {name: value for name, value in envelope.items() if value not in (None, {})}

    def _body(self, publication: Publication, subscription: Subscription) -> str:
        if subscription.raw:
            return publication.message(subscription.protocol)
        return json.dumps(self._notification(publication, subscription), indent=2)

    def _queue(self, publication: Publication, subscription: Subscription) -> None:
        """Sends to a queue, whose messages have ten attributes at most: a raw one with more is discarded."""
        if subscription.raw and len(publication.attributes) > MAX_QUEUED_ATTRIBUTES:
            LOG.warning("%s: a raw message has more attributes than a queue takes", publication.topic_arn)
            return
        attributes = (
            {
                name: {"DataType": item["Type"], "StringValue": item["Value"]}
                for name, item in publication.attributes.items()
            }
            if subscription.raw
            else {}
        )
        if not sqs.send_message(subscription.endpoint, self._body(publication, subscription), attributes):
            LOG.warning("%s: there is no queue %s", publication.topic_arn, subscription.endpoint)

    def _post(self, subscription: Subscription, kind: str, message_id: str, body: str) -> None:
        """Posts to an endpoint on this machine, apart from the sandbox's own work."""
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": message_id,
            "x-amz-sns-topic-arn": subscription.topic_arn,
        }
        if kind != "SubscriptionConfirmation":
            headers["x-amz-sns-subscription-arn"] = subscription.arn
        if kind == "Notification" and subscription.raw:
            headers["x-amz-sns-rawdelivery"] = "true"
        request = urllib.request.Request(subscription.endpoint, body.encode(), headers, method="POST")
        self._outbox.put(partial(_begin_to_send, request))


def _begin_to_send(request: urllib.request.Request, done: Done) -> None:
    threading.Thread(target=_send, args=(request, done), daemon=True).start()


def _send(request: urllib.request.Request, done: Done) -> None:
    """Posts, and again after a while where the endpoint may yet take it; `done` once it has, or will not."""
    for attempt in range(1 + RETRIES):
        if attempt:
            time.sleep(RETRY_AFTER)
        if _settled(request):
            break
    done()


def _settled(request: urllib.request.Request) -> bool:
    """Posts; False if the post has failed, and is worth another try.

    Errors of the server and 429 are worth one, others are permanent failures (sns-message-delivery-retries.html); so is
    a redirect, or a name that leads away from this machine.
    """
    try:
        local_posts.post(request, POST_TIMEOUT)
    except (OSError, http.client.HTTPException) as error:
        LOG.warning("%s did not take a message: %s", request.full_url, error)
        if isinstance(error, urllib.error.URLError) and isinstance(error.reason, local_posts.NotOnThisMachine):
            return True
        return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
    return True


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _signature(topic_arn: str) -> dict[str, str]:
    region = topic_arn.split(":")[3]
    certificate = f"https://sns.{region}.amazonaws.com/SimpleNotificationService-EXAMPLE.pem"
    return {"SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertURL": certificate}


_CONFIRMATION_MAIL = """You have chosen to subscribe to the topic:
{topic}

To confirm this subscription, click or visit the link below (If this was in error no action is necessary):
{link}

Please do not reply directly to this email. If you wish to remove yourself from receiving all future SNS subscription \
confirmation requests please send an email to sns-opt-out
"""

_END_MAIL = """Your subscription to the topic below has been deactivated:
{topic}

If this was in error or you wish to resubscribe, click or visit the link below:
{link}

Please do not reply directly to this email. If you have any questions or comments regarding this email, please contact \
us at https://aws.amazon.com/support
"""

_FOOTER = """

--
If you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:
{link}

Please do not reply directly to this email. If you have any questions or comments regarding this email, please contact \
us at https://aws.amazon.com/support
"""
