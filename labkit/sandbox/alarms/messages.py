"""The notification of an alarm's state change: the JSON message, the subject and the text of the mail.

The members and the wording are those of notifications that users have published; the JSON is described in
"Amazon SNS notification and alarm message formats" of the CloudWatch User Guide (alarm-actions.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import botocore.session

from labkit.sandbox.alarms.alarm import Alarm, MetricAlarm, State
from labkit.sandbox.alarms.reasons import compact, number, timestamp


@cache
def region_name(region: str) -> str:
    """Return a region's long name as CloudWatch writes it, with EU for Europe.

    >>> region_name("eu-west-1"), region_name("us-east-1")
    ('EU (Ireland)', 'US East (N. Virginia)')
    """
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    for partition in partitions:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"]).replace("Europe (", "EU (")
    return region


def subject(alarm: Alarm) -> str:
    """Return the subject: `ALARM: "SSH Rejects" in EU (Ireland)`."""
    return f'{alarm.state.value}: "{alarm.name}" in {region_name(alarm.region)}'


def publication(alarm: Alarm, old: State, children: Sequence[Alarm] = ()) -> str:
    """Return the message per protocol, as CloudWatch publishes it with MessageStructure=json."""
    message = {
        "default": compact(notification(alarm, old, children)),
        "sms": subject(alarm),
        "email": mail(alarm, old, children),
    }
    return compact(message)


def notification(alarm: Alarm, old: State, children: Sequence[Alarm] = ()) -> dict[str, Any]:
    """Return the JSON message that subscribers other than e-mail and SMS get."""
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.account_id,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configured),
        "NewStateValue": alarm.state.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": timestamp(alarm.state.updated),
        "Region": region_name(alarm.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old.value,
        "OKActions": alarm.actions("OK"),
        "AlarmActions": alarm.actions("ALARM"),
        "InsufficientDataActions": alarm.actions("INSUFFICIENT_DATA"),
    }
    if isinstance(alarm, MetricAlarm):
        return message | {"Trigger": _trigger(alarm)}
    return message | {
        "AlarmRule": alarm.settings["AlarmRule"],
        "TriggeringChildren": [_child(child) for child in children],
    }


def _trigger(alarm: MetricAlarm) -> dict[str, Any]:
    settings = alarm.settings
    trigger: dict[str, Any] = {} if alarm.metrics else _one_metric(alarm)
    trigger |= {"Period": alarm.period, "EvaluationPeriods": settings["EvaluationPeriods"]}
    if "DatapointsToAlarm" in settings:
        trigger["DatapointsToAlarm"] = settings["DatapointsToAlarm"]
    trigger |= {
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": alarm.threshold,
        "TreatMissingData": settings.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if alarm.metrics:
        trigger["Metrics"] = [query_data(query) for query in alarm.metrics]
    return trigger


def _one_metric(alarm: MetricAlarm) -> dict[str, Any]:
    settings = alarm.settings
    extended = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": settings.get("ExtendedStatistic")}
    # AWS writes SUM and AVERAGE here, though the API's names are Sum and Average.
    simple = {"StatisticType": "Statistic", "Statistic": str(settings.get("Statistic", "")).upper()}
    return {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        **(simple if "Statistic" in settings else extended),
        "Unit": settings.get("Unit"),
        "Dimensions": dimensions(settings.get("Dimensions", [])),
    }


def dimensions(given: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return dimensions as CloudWatch writes them into JSON: lower-case names, the value first."""
    return [{"value": dimension["Value"], "name": dimension["Name"]} for dimension in given]


def query_data(query: dict[str, Any]) -> dict[str, Any]:
    """Return a query of metric math as CloudWatch writes it into JSON."""
    shown: dict[str, Any] = {name: query[name] for name in ("Id", "Expression", "Label") if name in query}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        shown["MetricStat"] = {
            "Metric": {
                "Dimensions": dimensions(metric.get("Dimensions", [])),
                "MetricName": metric["MetricName"],
                "Namespace": metric["Namespace"],
            },
            "Period": stat["Period"],
            "Stat": stat["Stat"],
        }
    return shown | {"ReturnData": query.get("ReturnData", True)}


def _child(child: Alarm) -> dict[str, Any]:
    return {
        "Arn": child.arn,
        "State": {"Value": child.state.value, "Timestamp": timestamp(child.state.updated)},
    }


def in_words(moment: datetime) -> str:
    """Write a time as CloudWatch does in a sentence.

    >>> in_words(datetime(2026, 11, 2, 9))
    'Monday 02 November, 2026 09:00:00 UTC'
    """
    return f"{moment:%A %d %B, %Y %H:%M:%S} UTC"


def mail(alarm: Alarm, old: State, children: Sequence[Alarm] = ()) -> str:
    """Return the text of the mail."""
    metric = isinstance(alarm, MetricAlarm)
    opening = _opening(alarm, has_metric=metric)
    console = (
        f"https://{alarm.region}.console.aws.amazon.com/cloudwatch/deeplink.js?region={alarm.region}"
        f"#alarmsV2:alarm/{quote(alarm.name, safe='')}"
    )
    rule = [] if metric else [_line("Alarm Rule", alarm.settings["AlarmRule"])]
    details = [
        _line("Name", alarm.name),
        _line("Description", alarm.description or ""),
        _line("State Change", f"{old.value} -> {alarm.state.value}"),
        *rule,
        _line("Reason for State Change", alarm.state.reason),
        _line("Timestamp", in_words(alarm.state.updated)),
        _line("AWS Account", alarm.account_id),
        _line("Alarm Arn", alarm.arn),
    ]
    parts = [
        opening,
        f"View this alarm in the AWS Management Console:\n{console}",
        "\n".join(["Alarm Details:", *details]),
        _metric_part(alarm) if isinstance(alarm, MetricAlarm) else _children_part(children),
        "\n".join(["State Change Actions:", *(_actions_line(alarm, state) for state in _STATES)]),
    ]
    return "\n\n".join(parts) + "\n"


_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def _opening(alarm: Alarm, *, has_metric: bool) -> str:
    who = f'your Amazon CloudWatch Alarm "{alarm.name}" in the {region_name(alarm.region)} region'
    state, reason, when = alarm.state.value, alarm.state.reason, in_words(alarm.state.updated)
    if has_metric:
        entered = f'has entered the {state} state, because "{reason}" at "{when}".'
    else:
        entered = f'has transitioned to {state} state on {when}, because "{reason}".'
    return f"You are receiving this email because {who} {entered}"


def _line(name: str, value: str, width: int = 28) -> str:
    return f"- {name + ':':<{width}}{value}"


def _actions_line(alarm: Alarm, state: str) -> str:
    return f"- {state}: " + " ".join(f"[{arn}]" for arn in alarm.actions(state))


def _metric_part(alarm: MetricAlarm) -> str:
    settings, rule = alarm.settings, alarm.rule
    compared = f"{settings['ComparisonOperator']} {number(alarm.threshold)}"
    lasting = (
        f"for at least {rule.datapoints_to_alarm} of the last {rule.evaluation_periods} period(s) "
        f"of {alarm.period} seconds"
    )
    monitored = _metric_lines(alarm) if not alarm.metrics else _math_lines(alarm)
    threshold = f"Threshold:\n- The alarm is in the ALARM state when the metric is {compared} {lasting}."
    return "\n".join([threshold, "", *monitored, ""])


def _metric_lines(alarm: MetricAlarm) -> list[str]:
    settings = alarm.settings
    named = " ".join(f"[{item['Name']} = {item['Value']}]" for item in settings.get("Dimensions", []))
    values = {
        "MetricNamespace": settings["Namespace"],
        "MetricName": settings["MetricName"],
        "Dimensions": named,
        "Period": f"{alarm.period} seconds",
        "Statistic": str(alarm.statistic),
        "Unit": settings.get("Unit", "not specified"),
        "TreatMissingData": alarm.treat_missing_data,
    }
    return ["Monitored Metric:", *(_line(name, value, 37) for name, value in values.items())]


def _math_lines(alarm: MetricAlarm) -> list[str]:
    return ["Monitored Metrics:", *(f"- {compact(query_data(query))}" for query in alarm.metrics)]


def _children_part(children: Sequence[Alarm]) -> str:
    shown = [f"- {child.arn} ({child.state.value} at {in_words(child.state.updated)})" for child in children[:10]]
    return "\n".join(["Triggering children (max. 10):", *shown])
