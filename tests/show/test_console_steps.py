"""The steps in the console: the learner's own values are in them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from labkit.show.console_steps import _recipes, in_console


@pytest.fixture
def lab():
    """As much of a lab as the steps have values from."""
    return SimpleNamespace(
        region="eu-central-1",
        bucket="my-vpcflowlogsbucket",
        account_id="123456789012",
        case_number=7,
        email="ann@example.com",
        vpc=SimpleNamespace(id="vpc-1", name="Lab VPC"),
        web_server=SimpleNamespace(id="i-1", name="Web Server", public_ip="203.0.113.9"),
        delivery_role=SimpleNamespace(name="lab-DeliverVPCFlowLogsRole"),
        now=lambda: datetime(2026, 11, 2, tzinfo=UTC),
    )


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
