"""The steps in the console: the learner's own values are in them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from labkit.show.console_steps import UnknownAction, _recipes, in_console
from tests.show.hostile import every_hostile_value

PLAIN = {
    "bucket": "my-vpcflowlogsbucket",
    "region": "eu-central-1",
    "account_id": "123456789012",
    "email": "ann@example.com",
    "vpc name": "Lab VPC",
    "vpc id": "vpc-1",
    "server name": "Web Server",
    "server id": "i-1",
    "server address": "203.0.113.9",
    "role": "lab-DeliverVPCFlowLogsRole",
}


def lab_with(**differing):
    """As much of a lab as the steps in the console have values from."""
    values = PLAIN | differing
    return SimpleNamespace(
        region=values["region"],
        bucket=values["bucket"],
        account_id=values["account_id"],
        case_number=7,
        email=values["email"],
        vpc=SimpleNamespace(id=values["vpc id"], name=values["vpc name"]),
        web_server=SimpleNamespace(
            id=values["server id"], name=values["server name"], public_ip=values["server address"]
        ),
        delivery_role=SimpleNamespace(name=values["role"]),
        now=lambda: datetime(2026, 11, 2, tzinfo=UTC),
    )


def steps_that_hold(lab, value):
    return [action for action in _recipes() if value in in_console(lab, action).text()]


@pytest.fixture
def lab():
    return lab_with()


@pytest.mark.parametrize("action", list(_recipes()))
def test_every_placeholder_is_filled_in(lab, action):
    steps = in_console(lab, action)
    assert steps.steps
    assert not any("{" in step or "}" in step for step in steps.steps)


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("publish the flow log to S3", "arn:aws:s3:::my-vpcflowlogsbucket"),
        ("publish the flow log to S3", "eu-central-1"),
        ("publish the flow log to CloudWatch Logs", "lab-DeliverVPCFlowLogsRole"),
        ("log in by SSH", "ssh ec2-user@203.0.113.9"),
        ("look at the role", "lab-DeliverVPCFlowLogsRole"),
        ("find the folder of today", "eu-central-1 → 2026 → 11"),
        ("be turned away once", "ssh ec2-user@203.0.113.9"),
        ("create the topic", "ann@example.com"),
        ("choose where answers go", "s3://my-vpcflowlogsbucket/athena-results/"),
        ("see what a partition saves", "WHERE dt = '2026-11-02'"),
        ("remove it by hand", "DROP TABLE case_7"),
    ],
)
def test_the_learners_own_values_are_in_the_steps(lab, action, value):
    assert value in in_console(lab, action).text()


def test_html_is_folded_and_numbered_with_values_as_code(lab):
    html = in_console(lab, "create the log group")._repr_html_()
    assert html.startswith("<details><summary>In the console: create the log group</summary><ol><li>")
    assert "<code>VPCFlowLogs</code>" in html


def test_values_are_escaped(lab):
    lab.vpc.name = "<b>mine</b>"
    assert "&lt;b&gt;mine&lt;/b&gt;" in in_console(lab, "publish the flow log to S3")._repr_html_()


@pytest.mark.parametrize(
    ("asked", "offered"),
    [("Create the alarm", "create the alarm"), ("create topic", "create the topic"), ("ask athena", "ask Athena")],
)
def test_an_unknown_action_is_named_with_those_that_are_nearest(lab, asked, offered):
    with pytest.raises(LookupError, match=f'no console steps for "{asked}"; choose one such as {offered}, '):
        in_console(lab, asked)


class TestConsoleSteps:
    @pytest.mark.parametrize("name", PLAIN)
    def test_have_each_of_the_learners_values_somewhere(self, name):
        assert steps_that_hold(lab_with(), PLAIN[name]) != []

    @every_hostile_value
    @pytest.mark.parametrize("name", PLAIN)
    def test_show_each_value_as_text_whatever_it_holds(self, name, case):
        lab = lab_with(**{name: case["value"]})
        for action in steps_that_hold(lab, case["value"]):
            page = in_console(lab, action).html()
            assert case["escaped"] in page
            assert case["value"] not in page.replace(case["escaped"], "")

    @pytest.mark.parametrize("value", ["a {lab} name", "{0}", "{now:%Y}", "100%"])
    def test_fill_nothing_into_a_value_that_looks_like_a_placeholder(self, value):
        assert f"`{value}`" in in_console(lab_with(bucket=value), "read the bucket policy").text()

    @pytest.mark.parametrize("action", list(_recipes()))
    def test_are_numbered_from_one_and_each_is_a_sentence(self, action):
        head, *steps = in_console(lab_with(), action).text().splitlines()
        assert head == f"In the console: {action}"
        assert [step.split()[0] for step in steps] == [f"{number}." for number in range(1, len(steps) + 1)]
        assert all(step.endswith((".", "`", ")", ":")) or "→" in step for step in steps), steps

    @pytest.mark.parametrize("action", list(_recipes()))
    def test_have_no_value_of_anybody_elses(self, action):
        text = in_console(lab_with(), action).text()
        assert "eu-west-1" not in text
        assert "us-east-1" not in text
        assert "REPLACE" not in text
        assert "YOUR" not in text.upper().replace("YOUR VPCS", "").replace("YOUR OWN", "")

    def test_of_the_table_follow_the_day(self):
        lab = lab_with()
        lab.now = lambda: datetime(2027, 3, 9, tzinfo=UTC)
        assert "eu-central-1 → 2027 → 03 → 09 →" in in_console(lab, "create the table").text()

    @pytest.mark.parametrize("action", ["", "Create the alarm", "alarm", None])
    def test_of_what_is_no_action_are_refused_with_where_to_choose_one(self, action):
        with pytest.raises(UnknownAction, match=r"choose one such as .*, or another one of labkit/show/console_steps"):
            in_console(lab_with(), action)
