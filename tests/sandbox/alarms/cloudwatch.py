"""Short words for tests of alarms: the SSH alarm of the lab, its metric, and what became of it."""

from typing import Any

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.moto_state import backend
from labkit.sandbox.validation import check
from tests.sandbox.calls import client_call

REGION = "eu-west-1"
ALARM = {
    "AlarmName": "SSH Rejects",
    "MetricName": "SSHRejects",
    "Namespace": "LabVPC",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


class CloudWatch:
    """CloudWatch of a sandbox, in a few words."""

    def __init__(self, sandbox: AssembledSandbox) -> None:
        self.sandbox = sandbox
        self.start = sandbox.clock.timestamp()

    def call(self, operation: str, **params: Any) -> Any:
        return client_call(self.sandbox, "cloudwatch", operation, **params)

    def request(self, operation: str, **params: Any) -> Any:
        """A call as a client's request is treated: held against the service's model first."""
        check("cloudwatch", operation, params)
        return self.call(operation, **params)

    def put_alarm(self, **settings: Any) -> None:
        self.call("PutMetricAlarm", **{name: value for name, value in (ALARM | settings).items() if value is not None})

    def sample(self, minute: float, value: float = 1.0, metric: str = "SSHRejects", unit: str | None = None) -> None:
        """One sample, so many minutes after the start."""
        self.sandbox.cloudwatch.record(REGION, "LabVPC", metric, {}, self.start + 60 * minute, value, unit)

    def to_minute(self, minute: float) -> None:
        self.sandbox.clock.advance_to(self.start + 60 * minute)

    def alarm(self, name: str = "SSH Rejects") -> dict[str, Any]:
        found = self.call("DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        (alarm,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return dict(alarm)

    def state(self, name: str = "SSH Rejects") -> str:
        return str(self.alarm(name)["StateValue"])

    def transitions(self, name: str = "SSH Rejects") -> list[tuple[float, str]]:
        """(minute, state) of each state change, oldest first."""
        found = self.call(
            "DescribeAlarmHistory",
            AlarmName=name,
            HistoryItemType="StateUpdate",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            ScanBy="TimestampAscending",
            MaxRecords=100,
        )
        return [
            ((item["Timestamp"].timestamp() - self.start) / 60, item["HistorySummary"].rsplit(" to ", 1)[1])
            for item in found["AlarmHistoryItems"]
        ]

    def set_state(self, state: str, name: str = "SSH Rejects", reason: str = "testing") -> None:
        """SetAlarmState, as for a test of the actions."""
        self.call("SetAlarmState", AlarmName=name, StateValue=state, StateReason=reason)

    def put_composite(self, name: str, rule: str, **settings: Any) -> None:
        self.call("PutCompositeAlarm", AlarmName=name, AlarmRule=rule, **settings)

    def mails(self) -> list[dict[str, str]]:
        return [mail for mail in self.sandbox.notifications.inbox.messages() if "Confirmation" not in mail["subject"]]

    def subscribed_topic(self, name: str = "ssh-alerts", address: str = "learner@example.com") -> str:
        """A topic with one confirmed subscription by mail."""
        topic = str(backend("sns", self.sandbox.account_id, REGION).create_topic(name).arn)
        client_call(self.sandbox, "sns", "Subscribe", TopicArn=topic, Protocol="email", Endpoint=address)
        (token,) = (held.token for held in self.sandbox.notifications._current(REGION) if held.topic_arn == topic)
        client_call(self.sandbox, "sns", "ConfirmSubscription", TopicArn=topic, Token=token)
        return topic
