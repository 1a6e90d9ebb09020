import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.alarms.cloudwatch import ALARM
from tests.sandbox.alarms.test_evaluator import MATH

SHARE, REJECTS, ALL = MATH["Metrics"]
OF_5_MINUTES = ALL | {"MetricStat": ALL["MetricStat"] | {"Period": 300}}

REFUSED = {
    "no period": ({"Period": None}, "ValidationError", "Period must not be null"),
    "no threshold": ({"Threshold": None}, "ValidationError", "Threshold must not be null"),
    "no metric": ({"MetricName": None}, "ValidationError", "MetricName must not be null"),
    "no statistic": ({"Statistic": None}, "InvalidParameterCombination", "Exactly one of Statistic"),
    "two statistics": ({"ExtendedStatistic": "p90"}, "InvalidParameterCombination", "Exactly one of Statistic"),
    "no such percentile": (
        {"Statistic": None, "ExtendedStatistic": "p101"},
        "InvalidParameterValue",
        "The value p101 for parameter ExtendedStatistic is not supported.",
    ),
    "odd period": ({"Period": 45}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
    "more than a day": (
        {"Period": 300, "EvaluationPeriods": 289},
        "ValidationError",
        "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
    ),
    "more than a week": (
        {"Period": 86400, "EvaluationPeriods": 8},
        "ValidationError",
        "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).",
    ),
    "M over N": (
        {"DatapointsToAlarm": 2},
        "ValidationError",
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
    ),
    "odd treatment": (
        {"TreatMissingData": "notbreaching"},
        "ValidationError",
        "Option notbreaching is not supported. Supported options for parameter TreatMissingData are breaching, "
        "notBreaching, ignore and missing.",
    ),
    "odd low count": ({"EvaluateLowSampleCountPercentile": "x"}, "ValidationError", "Option x is not supported."),
    "no ARN": ({"AlarmActions": ["ssh-alerts"]}, "ValidationError", "Invalid arn syntax: ssh-alerts"),
    "other region": (
        {"OKActions": ["arn:aws:sns:us-east-1:123456789012:t"]},
        "ValidationError",
        "Invalid region us-east-1 specified. Only eu-west-1 is supported.",
    ),
    "other service": (
        {"AlarmActions": ["arn:aws:lambda:eu-west-1:123456789012:function:f"]},
        "NotImplemented",
        "The sandbox does not implement alarm actions other than SNS topics (arn:aws:lambda:eu-west-1:123456789012:"
        "function:f). docs/sandbox.md lists what it does.",
    ),
    "anomaly detection": ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplemented", "anomaly detection"),
    "PromQL": ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "NotImplemented", "EvaluationCriteria"),
    "metric and metrics": (
        MATH | {"Period": 60},
        "ValidationError",
        "Period should not be set if list of Metrics is set.",
    ),
    "two results": (
        MATH | {"Metrics": [SHARE, REJECTS, ALL | {"ReturnData": True}]},
        "ValidationError",
        "Exactly one element of the metrics list should return data.",
    ),
    "two periods": (
        MATH | {"Metrics": [SHARE, REJECTS, OF_5_MINUTES]},
        "ValidationError",
        "Period must be consistent across all metrics",
    ),
    "no number": ({"Threshold": float("nan")}, "ValidationError", "The value NaN for parameter Threshold is invalid."),
    "two dimensions of a name": (
        {"Dimensions": [{"Name": "d", "Value": "1"}, {"Name": "d", "Value": "2"}]},
        "InvalidParameterValue",
        "The parameter Dimensions has more than one value for d.",
    ),
    "metric and expression": (
        MATH | {"Metrics": [SHARE | {"MetricStat": ALL["MetricStat"]}, REJECTS, ALL]},
        "ValidationError",
        "The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified both.",
    ),
    **{
        expression: (MATH | {"Metrics": [SHARE | {"Expression": expression}, REJECTS, ALL]}, "ValidationError", message)
        for expression, message in {
            "FOO(all)": "Error in expression 'share': Unknown function FOO",
            "ANOMALY_DETECTION_BAND(all)": "ANOMALY_DETECTION_BAND is not available in the sandbox",
            "SUM(SEARCH('x', 'Sum', 60))": "Period must not be null",
            "SUM(all, rejects)": "SUM takes 1 to 1 arguments, not 2",
            "SUM(all) + 'x'": "Expected a number",
            "FIRST(SLICE(METRICS(), 7))": "The array has 0 time series, none at 0",
            "METRICS()": "comes to several time series; an alarm watches one.",
            "1 + 1": "comes to a single value; an alarm watches a time series.",
            "-" * 2000 + "all": "nested too deeply",
        }.items()
    },
    "search": (
        MATH | {"Metrics": [SHARE | {"Expression": "SUM(SEARCH('x', 'Sum'))", "Period": 60}, REJECTS, ALL]},
        "ValidationError",
        "SEARCH is not supported on Metric Alarms",
    ),
    "unknown id": (MATH | {"Metrics": [SHARE, REJECTS]}, "ValidationError", "Undefined variable all"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_alarm_that_is_refused(cloudwatch, name):
    settings, code, message = REFUSED[name]
    with pytest.raises(ServiceError) as caught:
        cloudwatch.put_alarm(**settings)
    assert caught.value.code == code
    assert message in caught.value.message
    assert cloudwatch.call("DescribeAlarms")["MetricAlarms"] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"Period": 10},
        {"Period": 20, "EvaluationPeriods": 4320},
        {"Period": 3600, "EvaluationPeriods": 168},
        {"Period": 604800},
        {"EvaluationPeriods": 5, "DatapointsToAlarm": 5},
        {"EvaluationWindow": {"SlidingWindow": {}}},
        {"EvaluateLowSampleCountPercentile": "ignore"},
    ],
)
def test_an_alarm_that_is_taken(cloudwatch, settings):
    cloudwatch.put_alarm(**settings)
    assert settings.items() <= cloudwatch.alarm().items()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("ALARM(", "AlarmRule must be a valid expression: column"),
        ("ALARM(a) OR", "column 12: the rule ends too early"),
        (" OR ".join(f"ALARM(a{number})" for number in range(101)), "more than 100 children alarms, it has 101"),
        ("ALARM(nobody)", "Could not find alarm(s) named in the AlarmRule: nobody"),
        ("ALARM(low)", None),
    ],
)
def test_the_rule_of_a_composite_alarm(cloudwatch, rule, message):
    cloudwatch.put_alarm(AlarmName="a")
    cloudwatch.put_composite("low", "ALARM(a)")
    if message is None:
        cloudwatch.put_composite("high", rule)
        return
    with pytest.raises(ServiceError) as caught:
        cloudwatch.put_composite("high", rule)
    assert message in caught.value.message


def test_a_name_is_either_a_metric_alarm_or_a_composite_one(cloudwatch):
    cloudwatch.put_alarm()
    with pytest.raises(ServiceError, match="An alarm named SSH Rejects exists"):
        cloudwatch.put_composite(ALARM["AlarmName"], "TRUE")
