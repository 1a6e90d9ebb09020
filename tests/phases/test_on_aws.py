"""The same phases on the other cloud: the AWS path, with the sandbox's server standing in for AWS.

Everything is as on AWS, ordinary boto3 credentials and endpoints from the environment included, but for three doors:
the guard lets this one endpoint pass, a pause moves the server's clock, and a TCP connection is attempted in the
server's network.
"""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from labkit import aws_session, cloud
from labkit.checks import check
from labkit.cloud import AwsCloud
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.phases import alarm, clean_up, flow_logs, traffic
from labkit.sandbox.process import Server
from labkit.settings import Settings
from labkit.show import masking


class Socket:
    """What a connection attempt gives back."""

    def close(self):
        pass


class VirtualTime:
    """The module `time`, with the server's clock in place of the machine's."""

    def __init__(self, server):
        self.server = server
        self.passed = 0.0

    def monotonic(self):
        return self.passed

    def sleep(self, seconds):
        self.passed += seconds
        self.server.control("POST", "/clock/advance", {"seconds": seconds})


def door(server):
    """What stands in for socket.create_connection."""

    def connect(address, timeout):
        host, port = address
        answer = server.control("POST", "/connect", {"destination": host, "port": port, "protocol": "tcp"})
        if answer["outcome"] == "timed out":
            raise TimeoutError
        if answer["outcome"] == "refused":
            raise ConnectionRefusedError
        return Socket()

    return connect


@pytest.fixture(scope="module")
def aws(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    running_server.control("POST", "/reset", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(tmp_path_factory.mktemp("aws")))
        patch.delenv("LABKIT_CLOUD", raising=False)
        for name, value in running_server.environment().items():
            patch.setenv(name, value)
        patch.setenv("LABKIT_AWS_ACCOUNT", "123456789012")
        patch.setattr(aws_session, "is_of_aws", lambda endpoint: endpoint == running_server.endpoint)
        patch.setattr(aws_session, "SANDBOX_KEY_PREFIX", "no key begins like this")
        patch.setattr(cloud, "time", VirtualTime(running_server))
        patch.setattr(cloud, "socket", SimpleNamespace(create_connection=door(running_server)))
        patch.setattr(
            AwsCloud, "now", lambda self: cloud.datetime.fromisoformat(running_server.control("GET", "/clock")["now"])
        )
        patch.setattr(AwsCloud, "own_address", lambda self: "203.0.113.7")
        settings = Settings(cloud="aws", email="me@mycompany.io")
        lab = Lab(settings, AwsCloud.open(settings))
        patch.setattr(Lab, "_current", lab)
        lab.mask()
        yield lab
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
