import pytest

from labkit.sandbox.faults import Faults

WRONG_RULES = [
    ({"kind": "earthquake"}, "kind is one of"),
    ({"service": "ec2"}, "kind is one of"),
    ({"kind": "throttling", "rate": 2}, "rate is a share"),
    ({"kind": "throttling", "rate": "0.2"}, "rate is a share"),
    ({"kind": "throttling", "rate": True}, "rate is a share"),
    ({"kind": "latency", "seconds": 3600}, "seconds is from 0 to 60"),
    ({"kind": "latency", "seconds": "1"}, "seconds is from 0 to 60"),
    ({"kind": "throttling", "seconds": 1}, "seconds is from 0 to 0 for throttling"),
    ({"kind": "delayed delivery", "seconds": 1e6}, "seconds is from 0 to 86400"),
    ({"kind": "delayed delivery", "seconds": 60, "service": "s3"}, "concerns all flow logs"),
    ({"kind": "throttling", "where": "ec2"}, "has the members"),
    ({"kind": "throttling", "service": "monitoring"}, "service is boto3's name"),
    ({"kind": "throttling", "service": "ec2", "operation": "describe_vpcs"}, "ec2 has no operation 'describe_vpcs'"),
    ({"kind": "throttling", "operation": "PutObject"}, "of which service"),
    ("throttling", "has the members"),
]

WORDS = [
    ("ec2", "throttling", "RequestLimitExceeded", 503),
    ("ec2", "server error", "InternalError", 500),
    ("ec2", "access denied", "UnauthorizedOperation", 403),
    ("ec2", "expired token", "RequestExpired", 400),
    ("s3", "throttling", "SlowDown", 503),
    ("s3", "server error", "InternalError", 500),
    ("s3", "access denied", "AccessDenied", 403),
    ("s3", "expired token", "ExpiredToken", 400),
    ("logs", "throttling", "ThrottlingException", 400),
    ("logs", "server error", "InternalFailure", 500),
    ("athena", "access denied", "AccessDeniedException", 400),
    ("glue", "expired token", "ExpiredTokenException", 400),
    ("sns", "throttling", "Throttling", 400),
    ("sns", "access denied", "AuthorizationError", 403),
    ("cloudwatch", "throttling", "Throttling", 400),
    ("iam", "access denied", "AccessDenied", 403),
    ("sts", "expired token", "ExpiredToken", 403),
]


@pytest.mark.parametrize(("service", "kind", "code", "status"), WORDS)
def test_a_fault_is_worded_as_its_service_words_it(service, kind, code, status):
    faults = Faults(seed=1)
    faults.set([{"kind": kind}])
    error = faults.strike(service, "Anything")
    assert (error.code, error.status) == (code, status)


def test_who_is_denied_is_told_what():
    faults = Faults(seed=1)
    faults.set([{"kind": "access denied"}])
    assert faults.strike("logs", "PutLogEvents").message.endswith("is not authorized to perform: logs:PutLogEvents")


def test_latency_is_waited_out_before_the_next_rule(monkeypatch):
    waited = []
    monkeypatch.setattr("labkit.sandbox.faults.time.sleep", waited.append)
    faults = Faults(seed=1)
    faults.set([{"kind": "latency", "seconds": 2.5}, {"kind": "throttling", "service": "ec2"}])
    assert faults.strike("ec2", "DescribeVpcs").code == "RequestLimitExceeded"
    assert faults.strike("logs", "DescribeLogGroups") is None
    assert waited == [2.5, 2.5]


def test_rules_about_deliveries_strike_no_request():
    faults = Faults(seed=1)
    faults.set([{"kind": "delayed delivery", "seconds": 1800}, {"kind": "lost delivery", "rate": 0.1}])
    assert faults.strike("s3", "PutObject") is None
    assert (faults.delay_of_deliveries, faults.lost_deliveries) == (1800, 0.1)
    faults.set([])
    assert (faults.delay_of_deliveries, faults.lost_deliveries) == (0, 0)


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
