import pytest

from labkit.sandbox.faults import Faults

WRONG_RULES = [
    ({"kind": "earthquake"}, "kind is one of"),
    ({"service": "ec2"}, "kind is one of"),
    ({"kind": "throttling", "rate": 2}, "rate is a share"),
    ({"kind": "latency", "seconds": 3600}, "seconds is from 0 to 60"),
    ({"kind": "throttling", "where": "ec2"}, "has the members"),
    ("throttling", "has the members"),
]


@pytest.mark.parametrize(
    ("service", "code"),
    [("ec2", "RequestLimitExceeded"), ("s3", "SlowDown"), ("logs", "ThrottlingException"), ("sns", "Throttling")],
)
def test_throttling_is_worded_as_each_service_words_it(service, code):
    faults = Faults(seed=1)
    faults.set([{"kind": "throttling"}])
    assert faults.strike(service, "Anything").code == code


def test_a_rule_concerns_its_service_and_operation_alone():
    faults = Faults(seed=1)
    faults.set([{"kind": "access denied", "service": "logs", "operation": "PutLogEvents"}])
    assert faults.strike("logs", "PutLogEvents").code == "AccessDeniedException"
    assert faults.strike("logs", "GetLogEvents") is None
    assert faults.strike("ec2", "PutLogEvents") is None


def test_a_rate_strikes_that_share_and_the_same_requests_again_under_the_same_seed():
    def strikes(seed):
        faults = Faults(seed)
        faults.set([{"kind": "server error", "rate": 0.2}])
        return [faults.strike("ec2", "DescribeVpcs") is not None for _ in range(1000)]

    assert 150 < sum(strikes(1)) < 250
    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_no_rules_end_the_bad_day():
    faults = Faults(seed=1)
    faults.set([{"kind": "throttling"}])
    faults.set([])
    assert faults.strike("ec2", "DescribeVpcs") is None


@pytest.mark.parametrize(("rule", "message"), WRONG_RULES)
def test_a_wrong_rule_is_refused_and_changes_nothing(rule, message):
    faults = Faults(seed=1)
    faults.set([{"kind": "throttling"}])
    with pytest.raises(ValueError, match=message):
        faults.set([{"kind": "latency"}, rule])
    assert faults.strike("logs", "X").code == "ThrottlingException"
