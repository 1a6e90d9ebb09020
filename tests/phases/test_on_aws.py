"""The same phases on the other cloud: the AWS path, with the sandbox's server standing in for AWS."""

import re
from collections.abc import Iterator

import pytest

from labkit.checks.check import check
from labkit.lab import masking
from labkit.lab.cloud import AwsCloud
from labkit.lab.errors import LabError
from labkit.notebook import Lab
from labkit.phases import alarm, clean_up, flow_logs, traffic
from labkit.sandbox.process import Server
from tests.on_aws import aws_lab, open_doors


@pytest.fixture(scope="module")
def aws(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    running_server.control("POST", "/reset", {})
    with pytest.MonkeyPatch.context() as patch:
        open_doors(running_server, patch, tmp_path_factory.mktemp("aws"))
        yield aws_lab(patch)
    masking.show_all()


def test_what_is_the_learners_own_is_not_shown(aws):
    shown = str(aws.provided())
    assert f"arn:aws:iam::ACCOUNT:role/{aws.delivery_role.name}" in shown
    assert "SERVER-ADDRESS" in shown
    assert not re.search(r"\d{12}|198\.19\.", shown)


def test_an_unconfirmed_account_is_looked_at_and_not_touched(aws):
    stranger = Lab(aws.settings, AwsCloud("210987654321"))
    assert stranger.vpc == aws.vpc
    with pytest.raises(LabError, match="you confirmed 210987654321"):
        flow_logs.publish_to_s3(stranger, stranger.bucket)
    assert flow_logs.find_flow_logs(aws) == []


def test_catching_up_waits_with_a_progress_bar_and_passes_the_checks(aws, capsys):
    aws.catch_up(before="metric filter")
    said = capsys.readouterr()
    assert said.out.count("... done now, for you\n") == 3
    assert "a record of SSH traffic with ACCEPT in VPCFlowLogs" in said.err
    assert check("traffic").passed
    assert traffic.connect_by_ssh(aws).outcome == "connected"


def test_the_mail_is_the_learners_to_click(aws, running_server):
    aws.catch_up(before="alarm")
    alarm.subscribe_email(aws)
    assert alarm.confirm_subscription(aws).outcome.startswith("waiting for you")
    assert str(alarm.read_inbox(aws)) == "Mailbox of E-MAIL: no mail to be seen here"
    (mail,) = running_server.control("GET", "/inbox")["messages"]
    token = re.search(r"Token=(\w+)", mail["body"])[1]
    aws.client("sns").confirm_subscription(TopicArn=alarm.find_topic(aws), Token=token)
    assert alarm.confirm_subscription(aws).outcome == "already confirmed"


def test_the_alarm_fires_there_too(aws):
    alarm.solve(aws)
    assert check("alarm").passed


def test_cleaning_up_leaves_what_was_provided(aws):
    before = clean_up.take_inventory(aws)
    clean_up.remove_everything(aws)
    after = clean_up.take_inventory(aws)
    assert (after.made, after.provided) == ((), before.provided)
