import pytest

from labkit.sandbox.alarms.rules import RuleError, children, holds

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "SSH Rejects": "ALARM", "n:x/y": "OK"}


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ("ALARM(a)", True),
        ("ALARM(b)", False),
        ("OK(b)", True),
        ("INSUFFICIENT_DATA(c)", True),
        ('ALARM("SSH Rejects")', True),
        ("ALARM('SSH Rejects')", True),
        ("OK(n:x/y)", True),
        ("TRUE", True),
        ("FALSE", False),
        ("NOT ALARM(a)", False),
        ("NOT FALSE", True),
        ("NOT NOT FALSE", False),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(b) OR ALARM(a)", True),
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ("NOT ALARM(b) AND NOT ALARM(c)", True),
        ("NOT (ALARM(a) AND OK(b))", False),
        ("ALARM(a) and not alarm(b)", True),
        ('AT_LEAST(2, ALARM, (a, b, "SSH Rejects"))', True),
        ("AT_LEAST(2, ALARM, (a, b, c))", False),
        ("AT_LEAST(50%, NOT OK, (a, b, c))", True),
        ("AT_LEAST(2, NOT ALARM, (a, b, c)) AND OK(b)", True),
        ("ALARM(nobody)", False),
        ("  ALARM( a )\n  OR\n  OK( a ) ", True),
    ],
)
def test_a_rule_of_states(rule, true):
    assert holds(rule, STATES.get) is true


def test_the_alarms_of_a_rule_each_once_in_order():
    assert children('OK(b) AND (ALARM("SSH Rejects") OR OK(b)) OR AT_LEAST(1, ALARM, (x, y))') == [
        "b",
        "SSH Rejects",
        "x",
        "y",
    ]


@pytest.mark.parametrize(
    "rule", ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "FOO(a)", "ALARM(a) XOR OK(b)", "AND ALARM(a)"]
)
def test_a_rule_that_makes_no_sense(rule):
    with pytest.raises(RuleError, match="column"):
        children(rule)
