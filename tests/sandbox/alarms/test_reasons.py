import json

import pytest

from labkit.sandbox.alarms.reasons import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1.0"),
        (0, "0.0"),
        (-2.5, "-2.5"),
        (2.88135593220462, "2.88135593220462"),
        (385007.6, "385007.6"),
        (0.001, "0.001"),
        (0.00025, "2.5E-4"),
        (9999999, "9999999.0"),
        (10000000, "1.0E7"),
        (123456789.25, "1.2345678925E8"),
    ],
)
def test_numbers_are_printed_as_aws_prints_them(value, text):
    assert number(value) == text


def reason_after(cloudwatch, settings, values, minute):
    """The alarm's reason after samples at minutes; None is a minute without one."""
    cloudwatch.put_alarm(**settings)
    for at, value in enumerate(values):
        if value is not None:
            cloudwatch.sample(at, value)
    cloudwatch.to_minute(minute)
    return cloudwatch.alarm()["StateReason"]


M_OF_N = {"EvaluationPeriods": 3, "DatapointsToAlarm": 2}
REASONS = {
    "one datapoint": (
        {"Threshold": 21.0, "ComparisonOperator": "GreaterThanThreshold"},
        [21.5],
        1,
        "Threshold Crossed: 1 datapoint [21.5 (02/11/26 09:00:00)] was greater than the threshold (21.0).",
    ),
    "one datapoint, not": (
        {"Threshold": 42.0, "ComparisonOperator": "LessThanThreshold"},
        [42.0],
        1,
        "Threshold Crossed: 1 datapoint [42.0 (02/11/26 09:00:00)] was not less than the threshold (42.0).",
    ),
    "newest datapoint first": (
        {"EvaluationPeriods": 2},
        [1.0, 2.0],
        2,
        "Threshold Crossed: 2 datapoints [2.0 (02/11/26 09:01:00), 1.0 (02/11/26 09:00:00)] were greater than or equal "
        "to the threshold (1.0).",
    ),
    "to alarm, with datapoints to alarm": (
        {"DatapointsToAlarm": 1},
        [3.0],
        1,
        "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (02/11/26 09:00:00)] was greater than or equal to the "
        "threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).",
    ),
    "to OK, with datapoints to alarm": (
        {"DatapointsToAlarm": 1},
        [3.0, 0.0],
        2,
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (02/11/26 09:01:00)] was not greater than or equal to "
        "the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
    ),
    "only the breaching ones of M of N": (
        M_OF_N,
        [5.0, 0.0, 6.0],
        3,
        "Threshold Crossed: 2 out of the last 3 datapoints [6.0 (02/11/26 09:02:00), 5.0 (02/11/26 09:00:00)] were "
        "greater than or equal to the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition).",
    ),
    "only the good ones of M of N": (
        M_OF_N,
        [5.0, 6.0, 0.0, 0.0],
        4,
        "Threshold Crossed: 2 out of the last 3 datapoints [0.0 (02/11/26 09:03:00), 0.0 (02/11/26 09:02:00)] were not "
        "greater than or equal to the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition).",
    ),
    "nothing, treated as breaching": (
        {"EvaluationPeriods": 2, "TreatMissingData": "breaching"},
        [],
        1,
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
        "[Breaching].",
    ),
    "nothing, treated as not breaching": (
        {"TreatMissingData": "notBreaching"},
        [],
        1,
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching].",
    ),
    "some missing": (
        {"EvaluationPeriods": 2, "TreatMissingData": "breaching", "ComparisonOperator": "LessThanThreshold"},
        [0.0],
        1,
        "Threshold Crossed: 1 datapoint [0.0 (02/11/26 09:00:00)] was less than the threshold (1.0) and 1 missing "
        "datapoint was treated as [Breaching].",
    ),
    "some missing, and good": (
        {"EvaluationPeriods": 2, "TreatMissingData": "breaching", "ComparisonOperator": "LessThanThreshold"},
        [1.0],
        1,
        "Threshold Crossed: 1 datapoint [1.0 (02/11/26 09:00:00)] was not less than the threshold (1.0) and 1 missing "
        "datapoint was treated as [Breaching].",
    ),
    "unknown": ({}, [1.0], 30, "Insufficient Data: 1 datapoint was unknown."),
    "unknown, of several periods": (
        {"EvaluationPeriods": 5, "DatapointsToAlarm": 1},
        [1.0],
        30,
        "Insufficient Data: 5 datapoints were unknown.",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_in_cloudwatchs_words(cloudwatch, name):
    settings, values, minute, expected = REASONS[name]
    assert reason_after(cloudwatch, settings, values, minute) == expected


def test_the_reasons_data(cloudwatch):
    reason_after(cloudwatch, {"EvaluationPeriods": 2, "Statistic": "Average"}, [11.5, 15.25], 2)
    assert cloudwatch.alarm()["StateReasonData"] == (
        '{"version":"1.0","queryDate":"2026-11-02T09:02:00.000+0000","startDate":"2026-11-02T09:00:00.000+0000",'
        '"statistic":"Average","period":60,"recentDatapoints":[11.5,15.25],"threshold":1.0,"evaluatedDatapoints":['
        '{"timestamp":"2026-11-02T09:01:00.000+0000","sampleCount":1.0,"value":15.25},'
        '{"timestamp":"2026-11-02T09:00:00.000+0000","sampleCount":1.0,"value":11.5}]}'
    )


def test_the_data_without_a_datapoint(cloudwatch):
    reason_after(cloudwatch, {"EvaluationPeriods": 2, "TreatMissingData": "breaching", "Unit": "Count"}, [], 1)
    assert json.loads(cloudwatch.alarm()["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-11-02T09:01:00.000+0000",
        "unit": "Count",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [],
        "threshold": 1.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-11-02T09:00:00.000+0000"},
            {"timestamp": "2026-11-02T08:59:00.000+0000"},
        ],
    }


def test_an_extended_statistic_goes_by_its_name(cloudwatch):
    reason_after(cloudwatch, {"Statistic": None, "ExtendedStatistic": "p99"}, [2.0], 1)
    assert json.loads(cloudwatch.alarm()["StateReasonData"])["statistic"] == "p99"
