import pytest

from labkit.sandbox.alarms.rules import RuleError, children, elements, holds

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


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ("(" * 300 + "ALARM(a)" + ")" * 300, True),
        ("NOT " * 1501 + "ALARM(a)", False),
        ("NOT (" * 400 + "ALARM(b)" + ")" * 400, False),
        (" OR ".join(["ALARM(b)"] * 400 + ["OK(b)"]), True),
        (" AND ".join(["ALARM(a)"] * 400), True),
    ],
)
def test_a_rule_may_be_nested_as_deep_as_it_is_long(rule, true):
    assert holds(rule, STATES.get) is true


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("ALARM(a)", 1),
        ("TRUE", 1),
        ("ALARM(a) OR NOT ALARM(a)", 2),
        ("(ALARM(a))", 2),
        ("((ALARM(a)) AND (FALSE OR TRUE))", 6),
        ("AT_LEAST(2, ALARM, (a, b, c))", 3),
    ],
)
def test_elements_are_alarms_truth_values_and_pairs_of_parentheses(rule, count):
    """Each mention of an alarm counts; those that belong to a function are no pair ("Create a composite alarm")."""
    assert elements(rule) == count


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ('ALARM("a (b)")', ["a (b)"]),
        ("ALARM(a-b.c_d)", ["a-b.c_d"]),
        (r'ALARM("say \"hello\"")', ['say "hello"']),
        (
            "OK(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x)",
            ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x"],
        ),
        ("ALARM(ORDERS) AND OK(NOTES) OR OK(ANDROID)", ["ORDERS", "NOTES", "ANDROID"]),
        ("ALARM(TRUE)", ["TRUE"]),
    ],
)
def test_names_in_a_rule(rule, names):
    assert children(rule) == names


@pytest.mark.parametrize(
    ("rule", "least_of_four"),
    [
        ("AT_LEAST(1, ALARM, (a, b, c, d))", 1),
        ("AT_LEAST(3, ALARM, (a, b, c, d))", 3),
        ("AT_LEAST(4, ALARM, (a, b, c, d))", 4),
        ("AT_LEAST(25%, ALARM, (a, b, c, d))", 1),
        ("AT_LEAST(26%, ALARM, (a, b, c, d))", 2),
        ("AT_LEAST(50%, ALARM, (a, b, c, d))", 2),
        ("AT_LEAST(100%, ALARM, (a, b, c, d))", 4),
    ],
)
def test_at_least_so_many_or_so_many_percent(rule, least_of_four):
    for count in range(5):
        states = {name: "ALARM" if number < count else "OK" for number, name in enumerate("abcd")}
        assert holds(rule, states.get) is (count >= least_of_four)
        turned = rule.replace("ALARM,", "NOT OK,")
        assert holds(turned, states.get) is (count >= least_of_four)
