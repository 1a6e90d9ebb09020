"""Short words for tests of topics and subscriptions."""

import json
from typing import Any

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel.account import ACCOUNT_ID
from labkit.sandbox.moto_state import backend
from tests.sandbox.calls import client_call

REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:alerts"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:alerts"


class Notifications:
    """SNS of a sandbox, with one topic and one queue."""

    def __init__(self, sandbox: AssembledSandbox) -> None:
        self.sandbox = sandbox
        sandbox.endpoint = "http://127.0.0.1:4566"
        backend("sns", ACCOUNT_ID, REGION).create_topic("alerts")
        backend("sqs", ACCOUNT_ID, REGION).create_queue("alerts")

    def call(self, operation: str, **params: Any) -> Any:
        return client_call(self.sandbox, "sns", operation, **params)

    def subscribe(self, protocol: str = "email", endpoint: str = "learner@example.com", **params: Any) -> str:
        """The ARN of a new subscription, pending where the protocol asks for confirmation."""
        asked = {"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "ReturnSubscriptionArn": True}
        return str(self.call("Subscribe", **asked | params)["SubscriptionArn"])

    def token(self, arn: str) -> str:
        held = self.sandbox.notifications._subscriptions(REGION).get(arn)
        assert held is not None
        return held.token

    def confirm(self, arn: str) -> str:
        return str(self.call("ConfirmSubscription", TopicArn=TOPIC, Token=self.token(arn))["SubscriptionArn"])

    def attributes(self, arn: str) -> dict[str, str]:
        """What GetSubscriptionAttributes tells of a subscription."""
        return dict(self.call("GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"])

    def set_attribute(self, arn: str, name: str, value: str) -> None:
        self.call("SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    def publish(self, message: str = "hello", **params: Any) -> str:
        return str(self.call("Publish", TopicArn=TOPIC, Message=message, **params)["MessageId"])

    def mails(self) -> list[dict[str, str]]:
        """The mails but those that ask for confirmation."""
        return [mail for mail in self.sandbox.notifications.inbox.messages() if "Confirmation" not in mail["subject"]]

    def queued(self) -> list[Any]:
        """What is in the queue, JSON parsed."""
        messages = backend("sqs", ACCOUNT_ID, REGION).get_queue("alerts").messages
        return [json.loads(held.body) for held in messages]
