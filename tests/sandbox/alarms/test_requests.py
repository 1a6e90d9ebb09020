"""The ranges of the operations' parameters, as CloudWatch's API reference gives them: what is just taken, what not."""

from datetime import timedelta

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.validation import check
from tests.sandbox.alarms.cloudwatch import ALARM
from tests.sandbox.alarms.test_metric_operations import HOUR_AGO, NOW

TOPIC = "arn:aws:sns:eu-west-1:123456789012:t"
METRIC = {"Namespace": "Shop", "MetricName": "Orders"}
DATUM = {"MetricName": "Orders", "Value": 1.0}
STATISTICS = METRIC | {"StartTime": HOUR_AGO, "EndTime": NOW, "Period": 60, "Statistics": ["Sum"]}
DATA = {"StartTime": HOUR_AGO, "EndTime": NOW}
QUERY = {"Id": "m1", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}
STATE = {"AlarmName": "SSH Rejects", "StateValue": "OK", "StateReason": "testing"}
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:SSH Rejects"


def dimensions(count):
    return [{"Name": f"d{number}", "Value": "x"} for number in range(count)]


def queries(count):
    return [QUERY | {"Id": f"m{number}"} for number in range(count)]


TAKEN = [
    ("PutMetricAlarm", ALARM | {"AlarmName": "a" * 255}),
    ("PutMetricAlarm", ALARM | {"AlarmDescription": "a" * 1024}),
    ("PutMetricAlarm", ALARM | {"AlarmActions": [f"{TOPIC}{number}" for number in range(5)]}),
    ("PutMetricAlarm", ALARM | {"Dimensions": dimensions(30)}),
    ("PutMetricAlarm", ALARM | {"Unit": "Bytes/Second"}),
    ("PutMetricAlarm", ALARM | {"AlarmName": "Zu viele abgewiesene Verbindungen – süd"}),
    ("PutMetricAlarm", ALARM | {"Tags": [{"Key": "k" * 128, "Value": "v" * 256}]}),
    ("PutMetricData", {"Namespace": "n" * 255, "MetricData": [DATUM]}),
    ("PutMetricData", {"Namespace": "Shop", "MetricData": [DATUM | {"MetricName": "m" * 255}]}),
    ("PutMetricData", {"Namespace": "Shop", "MetricData": [DATUM | {"Dimensions": dimensions(30)}]}),
    (
        "PutMetricData",
        {"Namespace": "Shop", "MetricData": [DATUM | {"Dimensions": [{"Name": "n", "Value": "v" * 1024}]}]},
    ),
    (
        "PutMetricData",
        {"Namespace": "Shop", "MetricData": [DATUM | {"Value": 2.0**360}, DATUM | {"Value": -(2.0**360)}]},
    ),
    ("PutMetricData", {"Namespace": "Shop", "MetricData": [DATUM | {"StorageResolution": 1}]}),
    ("PutMetricData", {"Namespace": "Shop", "MetricData": [DATUM | {"Timestamp": NOW - timedelta(days=14)}]}),
    ("PutMetricData", {"Namespace": "Shop", "MetricData": [DATUM | {"Timestamp": NOW + timedelta(hours=2)}]}),
    (
        "PutMetricData",
        {"Namespace": "Shop", "MetricData": [{"MetricName": "m", "Values": [float(n) for n in range(150)]}]},
    ),
    ("GetMetricStatistics", STATISTICS | {"Statistics": ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]}),
    ("GetMetricStatistics", STATISTICS | {"StartTime": NOW - timedelta(days=1)}),
    ("GetMetricStatistics", STATISTICS | {"Statistics": [], "ExtendedStatistics": ["p0.0", "p100"]}),
    ("GetMetricData", DATA | {"MetricDataQueries": queries(500)}),
    ("GetMetricData", DATA | {"MetricDataQueries": [QUERY | {"Id": "aB_9"}]}),
    ("ListMetrics", {"RecentlyActive": "PT3H"}),
    ("DescribeAlarms", {"AlarmNames": [str(number) for number in range(100)], "MaxRecords": 100}),
    ("DescribeAlarmHistory", {"MaxRecords": 100, "ScanBy": "TimestampDescending"}),
    ("SetAlarmState", STATE | {"StateReason": "r" * 1023}),
    ("SetAlarmState", STATE | {"StateReason": ""}),
    ("DeleteAlarms", {"AlarmNames": [str(number) for number in range(100)]}),
    ("EnableAlarmActions", {"AlarmNames": ["nobody"]}),
]


@pytest.mark.parametrize(("operation", "params"), TAKEN)
def test_a_request_within_the_ranges_is_taken(cloudwatch, operation, params):
    cloudwatch.put_alarm()
    params = {name: value for name, value in params.items() if value != []}
    cloudwatch.request(operation, **params)


LONG, SHORT = "Member must have length less than or equal to {}", "Member must have length greater than or equal to {}"
LEAST, MOST = "Member must have value greater than or equal to {}", "Member must have value less than or equal to {}"
OUT_OF_RANGE = [
    ("PutMetricAlarm", ALARM | {"AlarmName": ""}, "alarmName", SHORT.format(1)),
    ("PutMetricAlarm", ALARM | {"AlarmName": "a" * 256}, "alarmName", LONG.format(255)),
    ("PutMetricAlarm", ALARM | {"AlarmDescription": "a" * 1025}, "alarmDescription", LONG.format(1024)),
    ("PutMetricAlarm", ALARM | {"AlarmActions": [TOPIC] * 6}, "alarmActions", LONG.format(5)),
    (
        "PutMetricAlarm",
        ALARM | {"Namespace": ":n"},
        "namespace",
        "Member must satisfy regular expression pattern: [^:].*",
    ),
    ("PutMetricAlarm", ALARM | {"Dimensions": dimensions(31)}, "dimensions", LONG.format(30)),
    ("PutMetricAlarm", ALARM | {"Period": 0}, "period", LEAST.format(1)),
    ("PutMetricAlarm", ALARM | {"EvaluationPeriods": 0}, "evaluationPeriods", LEAST.format(1)),
    ("PutMetricAlarm", ALARM | {"DatapointsToAlarm": 0}, "datapointsToAlarm", LEAST.format(1)),
    (
        "PutMetricAlarm",
        ALARM | {"Statistic": "Median"},
        "statistic",
        "Member must satisfy enum value set: [SampleCount, ",
    ),
    (
        "PutMetricAlarm",
        ALARM | {"ComparisonOperator": "Equals"},
        "comparisonOperator",
        "Member must satisfy enum value set",
    ),
    (
        "PutMetricAlarm",
        ALARM | {"Unit": "Furlongs"},
        "unit",
        "Member must satisfy enum value set: [Seconds, Microseconds",
    ),
    ("PutMetricAlarm", ALARM | {"Tags": [{"Key": "", "Value": "v"}]}, "tags.1.member.key", SHORT.format(1)),
    ("PutMetricAlarm", ALARM | {"Tags": [{"Key": "k", "Value": "v" * 257}]}, "tags.1.member.value", LONG.format(256)),
    ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": ""}, "alarmRule", SHORT.format(1)),
    ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": "T" * 10241}, "alarmRule", LONG.format(10240)),
    ("PutCompositeAlarm", {"AlarmRule": "TRUE"}, "alarmName", "Member must not be null"),
    ("PutMetricData", {"Namespace": "n" * 256, "MetricData": [DATUM]}, "namespace", LONG.format(255)),
    (
        "PutMetricData",
        {"Namespace": "n", "MetricData": [{"Value": 1.0}]},
        "metricData.1.member.metricName",
        "not be null",
    ),
    (
        "PutMetricData",
        {"Namespace": "n", "MetricData": [DATUM | {"Dimensions": dimensions(31)}]},
        "metricData.1.member.dimensions",
        LONG.format(30),
    ),
    ("PutMetricData", {"Namespace": "n", "MetricData": [DATUM | {"Unit": "Furlongs"}]}, "unit", "enum value set"),
    ("GetMetricStatistics", STATISTICS | {"Period": 0}, "period", LEAST.format(1)),
    ("GetMetricStatistics", STATISTICS | {"Statistics": ["Sum"] * 6}, "statistics", LONG.format(5)),
    ("GetMetricStatistics", STATISTICS | {"ExtendedStatistics": ["p9"] * 11}, "extendedStatistics", LONG.format(10)),
    ("GetMetricStatistics", METRIC | {"Period": 60, "EndTime": NOW}, "startTime", "Member must not be null"),
    (
        "GetMetricData",
        DATA | {"MetricDataQueries": [QUERY | {"Id": ""}]},
        "metricDataQueries.1.member.id",
        SHORT.format(1),
    ),
    (
        "GetMetricData",
        DATA | {"MetricDataQueries": [{"Id": "e1", "Expression": "1" * 2049}]},
        "metricDataQueries.1.member.expression",
        LONG.format(2048),
    ),
    ("ListMetrics", {"RecentlyActive": "PT1H"}, "recentlyActive", "Member must satisfy enum value set: [PT3H]"),
    ("ListMetrics", {"Dimensions": dimensions(11)}, "dimensions", LONG.format(10)),
    ("DescribeAlarms", {"MaxRecords": 0}, "maxRecords", LEAST.format(1)),
    ("DescribeAlarms", {"MaxRecords": 101}, "maxRecords", MOST.format(100)),
    ("DescribeAlarms", {"AlarmNames": ["a"] * 101}, "alarmNames", LONG.format(100)),
    ("DescribeAlarms", {"AlarmNamePrefix": ""}, "alarmNamePrefix", SHORT.format(1)),
    ("DescribeAlarms", {"AlarmTypes": ["Alarm"]}, "alarmTypes.1.member", "Member must satisfy enum value set"),
    ("DescribeAlarms", {"StateValue": "BAD"}, "stateValue", "enum value set: ["),
    ("DescribeAlarmHistory", {"HistoryItemType": "Mail"}, "historyItemType", "Member must satisfy enum value set"),
    ("DescribeAlarmHistory", {"ScanBy": "Name"}, "scanBy", "enum value set: [TimestampDescending, TimestampAscending]"),
    ("SetAlarmState", STATE | {"StateReason": "r" * 1024}, "stateReason", LONG.format(1023)),
    ("SetAlarmState", STATE | {"StateReasonData": "1" * 4001}, "stateReasonData", LONG.format(4000)),
    ("DeleteAlarms", {"AlarmNames": ["a"] * 101}, "alarmNames", LONG.format(100)),
    ("UntagResource", {"ResourceARN": ARN}, "tagKeys", "Member must not be null"),
]


@pytest.mark.parametrize(("operation", "params", "member", "rule"), OUT_OF_RANGE)
def test_a_request_out_of_range_is_refused_by_the_member_and_the_rule(cloudwatch, operation, params, member, rule):
    with pytest.raises(ServiceError) as caught:
        cloudwatch.request(operation, **params)
    assert caught.value.code == "ValidationError"
    assert caught.value.message.startswith("1 validation error")
    assert member in caught.value.message
    assert rule in caught.value.message
    assert cloudwatch.call("DescribeAlarms")["MetricAlarms"] == []


def test_every_fault_of_a_request_is_told():
    with pytest.raises(ServiceError) as caught:
        check("cloudwatch", "PutMetricAlarm", ALARM | {"AlarmName": "", "Period": 0, "EvaluationPeriods": 0})
    assert caught.value.message.startswith("3 validation errors detected: ")
    for member in ("'alarmName'", "'period'", "'evaluationPeriods'"):
        assert member in caught.value.message


NAMES = {
    "a name that begins with a colon": ({"Name": ":d", "Value": "x"}, "The value :d for parameter"),
    "a name of spaces": ({"Name": "  ", "Value": "x"}, "The value    for parameter"),
    "a name that is not ASCII": ({"Name": "Größe", "Value": "x"}, "The value Größe for parameter"),
    "a name with a control character": ({"Name": "a\tb", "Value": "x"}, ".Name is invalid"),
    "a value of spaces": ({"Name": "d", "Value": "   "}, ".Value is invalid"),
    "a value that is not ASCII": ({"Name": "d", "Value": "süd"}, "The value süd for parameter"),
    "a value with a line break": ({"Name": "d", "Value": "a\nb"}, ".Value is invalid"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_and_values_of_dimensions_are_plain(cloudwatch, name):
    """Dimension (API_Dimension.html), wherever one is given."""
    dimension, complaint = NAMES[name]
    metric = METRIC | {"Dimensions": [dimension]}
    query = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    for operation, params in {
        "PutMetricData": {"Namespace": "Shop", "MetricData": [DATUM | {"Dimensions": [dimension]}]},
        "PutMetricAlarm": ALARM | {"Dimensions": [dimension]},
        "GetMetricData": DATA | {"MetricDataQueries": [query]},
    }.items():
        with pytest.raises(ServiceError) as caught:
            cloudwatch.request(operation, **params)
        assert caught.value.code == "InvalidParameterValue"
        assert complaint in caught.value.message
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


@pytest.mark.parametrize("value", [":x", " x ", "a/b#c?d", "~"])
def test_other_values_of_dimensions_are_taken(cloudwatch, value):
    given = [{"Name": "d", "Value": value}]
    cloudwatch.request("PutMetricData", Namespace="Shop", MetricData=[DATUM | {"Dimensions": given}])
    assert cloudwatch.call("ListMetrics")["Metrics"][0]["Dimensions"] == given


@pytest.mark.parametrize("namespace", ["AWS/EC2", "AWS/", "Läden", "a\x07b"])
def test_a_namespace_is_plain_and_not_of_aws(cloudwatch, namespace):
    with pytest.raises(ServiceError, match=r"for parameter Namespace is invalid\."):
        cloudwatch.request("PutMetricData", Namespace=namespace, MetricData=[DATUM])


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "\x7f"])
@pytest.mark.parametrize(
    ("operation", "params"), [("PutMetricAlarm", ALARM), ("PutCompositeAlarm", {"AlarmRule": "TRUE"})]
)
def test_the_name_of_an_alarm_has_no_control_characters(cloudwatch, operation, params, name):
    with pytest.raises(ServiceError, match="AlarmName must not have control characters"):
        cloudwatch.request(operation, **params | {"AlarmName": name})


@pytest.mark.parametrize("period", [10, 20, 30, 60, 120, 3600, 86400])
def test_the_periods_of_an_alarm(cloudwatch, period):
    cloudwatch.request("PutMetricAlarm", **ALARM | {"Period": period})
    assert cloudwatch.alarm()["Period"] == period


@pytest.mark.parametrize("period", [1, 5, 15, 45, 61, 90])
def test_other_periods_are_none_of_an_alarm(cloudwatch, period):
    with pytest.raises(ServiceError, match="Period must be 10, 20, 30 or a multiple of 60"):
        cloudwatch.request("PutMetricAlarm", **ALARM | {"Period": period})


@pytest.mark.parametrize(("period", "most"), [(60, 1440), (300, 288), (3540, 24), (3600, 168), (86400, 7), (604800, 1)])
def test_the_evaluation_periods_make_a_day_at_most_and_from_hours_on_a_week(cloudwatch, period, most):
    cloudwatch.request("PutMetricAlarm", **ALARM | {"Period": period, "EvaluationPeriods": most})
    with pytest.raises(ServiceError, match="Metrics cannot be checked across more than a"):
        cloudwatch.request("PutMetricAlarm", **ALARM | {"Period": period, "EvaluationPeriods": most + 1})


def math_alarm(metrics, expressions):
    """An alarm on the sum of so many metrics, with so many expressions in all."""
    unset = ("MetricName", "Namespace", "Statistic", "Period")
    stats = [QUERY | {"Id": f"m{number}", "ReturnData": False} for number in range(metrics)]
    math = [
        {"Id": f"e{number}", "Expression": "SUM(METRICS())", "ReturnData": number == 0} for number in range(expressions)
    ]
    return {name: value for name, value in ALARM.items() if name not in unset} | {"Metrics": [*math, *stats]}


@pytest.mark.parametrize(("metrics", "expressions"), [(1, 1), (10, 1), (10, 10)])
def test_metric_math_of_an_alarm_has_up_to_10_metrics(cloudwatch, metrics, expressions):
    cloudwatch.request("PutMetricAlarm", **math_alarm(metrics, expressions))
    assert len(cloudwatch.alarm()["Metrics"]) == metrics + expressions


@pytest.mark.parametrize(
    ("metrics", "expressions", "complaint"),
    [
        (11, 1, "Metrics list must not have more than 10 metrics."),
        (10, 11, "The collection Metrics must not have a size greater than 20."),
    ],
)
def test_metric_math_of_an_alarm_that_is_too_long(cloudwatch, metrics, expressions, complaint):
    with pytest.raises(ServiceError) as caught:
        cloudwatch.request("PutMetricAlarm", **math_alarm(metrics, expressions))
    assert (caught.value.code, caught.value.message) == ("ValidationError", complaint)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("PutMetricAlarm", ALARM | {"ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True}}}),
        ("PutMetricAlarm", ALARM | {"WarmUpConfiguration": {}}),
        ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": "TRUE", "ActionConfiguration": {}}),
        ("GetMetricData", DATA | {"MetricDataQueries": [QUERY | {"AccountId": "111122223333"}]}),
    ],
)
def test_what_the_sandbox_does_not_act_on_is_refused_and_not_dropped(cloudwatch, operation, params):
    with pytest.raises(ServiceError, match=r"docs/sandbox\.md") as caught:
        cloudwatch.call(operation, **params)
    assert (caught.value.code, caught.value.status) == ("NotImplemented", 501)


def test_metrics_of_its_own_account_may_be_named_so(cloudwatch):
    asked = DATA | {"MetricDataQueries": [QUERY | {"AccountId": "123456789012"}]}
    assert cloudwatch.request("GetMetricData", **asked)["MetricDataResults"][0]["Values"] == []


def wall_clock(timezone=None):
    return {"EvaluationWindow": {"WallClockWindow": {} if timezone is None else {"Timezone": timezone}}}


@pytest.mark.parametrize(
    ("period", "timezone"),
    [(60, None), (300, "UTC"), (3600, "Europe/Dublin"), (86400, "+05:30"), (604800, "UTC-03:00")],
)
def test_the_periods_and_time_zones_of_a_wall_clock_window(cloudwatch, period, timezone):
    cloudwatch.request("PutMetricAlarm", **ALARM | {"Period": period} | wall_clock(timezone))
    assert cloudwatch.alarm()["EvaluationWindow"] == wall_clock(timezone)["EvaluationWindow"]


STAT = QUERY | {"ReturnData": False}
NO_METRIC = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period"))
REFUSED = {
    "a wall clock window of another period": (
        {"Period": 120} | wall_clock(),
        "Period must be one of 60, 300, 3600, 86400, 604800 with a WallClockWindow.",
    ),
    "a time zone that is none": (
        wall_clock("Mars/Olympus"),
        "The value Mars/Olympus for parameter EvaluationWindow.WallClockWindow.Timezone is invalid.",
    ),
    "two windows": (
        {"EvaluationWindow": {"SlidingWindow": {}, "WallClockWindow": {}}},
        "EvaluationWindow must have exactly one of SlidingWindow and WallClockWindow.",
    ),
    "metric math without a metric": (
        NO_METRIC | {"Metrics": [{"Id": "e1", "Expression": "TIME_SERIES(1)"}]},
        "At least one element of the metrics list should be a metric.",
    ),
    "metric math that returns nothing": (
        NO_METRIC | {"Metrics": [STAT, {"Id": "e1", "Expression": "m1", "ReturnData": False}]},
        "Exactly one element of the metrics list should return data.",
    ),
    "metric math of a metric without a name": (
        NO_METRIC | {"Metrics": [{"Id": "m1", "MetricStat": STAT["MetricStat"] | {"Metric": {"Namespace": "Shop"}}}]},
        "The parameter Metrics.member.1.MetricStat.Metric.MetricName is required.",
    ),
    "metric math with two queries of an id": (
        NO_METRIC | {"Metrics": [STAT, QUERY]},
        "The values for parameter id in Metrics are not unique.",
    ),
    "metric math with an id in upper case": (
        NO_METRIC | {"Metrics": [QUERY | {"Id": "M1"}]},
        "The value M1 for parameter Metrics.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
    ),
    "a topic of no account": ({"OKActions": ["arn:aws:sns:eu-west-1:mine:t"]}, "Invalid account specified: mine"),
    "an extended statistic that is none": (
        {"Statistic": None, "ExtendedStatistic": "tm101"},
        "The value tm101 for parameter ExtendedStatistic is not supported.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_settings_that_do_not_go_together_are_refused(cloudwatch, name):
    settings, message = REFUSED[name]
    with pytest.raises(ServiceError) as caught:
        cloudwatch.put_alarm(**settings)
    assert caught.value.message == message
    assert cloudwatch.call("DescribeAlarms")["MetricAlarms"] == []


def test_one_metric_may_be_given_as_a_query(cloudwatch):
    cloudwatch.put_alarm(**NO_METRIC, Metrics=[QUERY])
    assert cloudwatch.alarm()["Metrics"] == [QUERY]


@pytest.mark.parametrize(
    "statistic", ["p0", "p99.99", "tm90", "tc90", "ts90", "wm90", "IQM", "PR(10:20)", "TM(10%:90%)"]
)
def test_extended_statistics_of_an_alarm(cloudwatch, statistic):
    cloudwatch.put_alarm(Statistic=None, ExtendedStatistic=statistic)
    assert cloudwatch.alarm()["ExtendedStatistic"] == statistic
