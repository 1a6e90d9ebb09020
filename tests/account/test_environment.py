"""The provided environment on AWS: deployed, found, taken up again, explained where it fails, and removed."""

import json
import stat
from collections.abc import Iterator
from functools import cache

import pyarrow as pa
import pytest
from botocore.stub import Stubber

from labkit import cli
from labkit.account import environment
from labkit.flowlog import story
from labkit.lab import deployment, masking, settings
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided
from labkit.lab.settings import Settings, home
from labkit.notebook import Lab
from labkit.sandbox import process
from labkit.sandbox.process import Server
from tests.conftest import FROZEN_AT
from tests.on_aws import MY_ADDRESS, aws_lab, open_doors


@pytest.fixture(scope="module")
def empty_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A sandbox without the provided environment: an account that nobody prepared."""
    folder = tmp_path_factory.mktemp("empty") / "home"
    yield process.start(folder, frozen_at=FROZEN_AT, seed=7, provision=False)
    process.stop(folder)


@cache
def one_hour_a_day() -> pa.Table:
    """The sample's records of noon: enough to be found every day, and quickly put into a bucket."""
    records = story.Story.of_sample().records()
    return records.filter([start // 3600 % 24 == 12 for start in records["start"].to_pylist()])


@pytest.fixture
def aws(empty_account: Server, tmp_path, monkeypatch) -> Iterator[Lab]:
    noon = one_hour_a_day()
    monkeypatch.setattr(story.Story, "records", lambda _story: noon)
    empty_account.control("POST", "/faults", {"faults": []})
    empty_account.control("POST", "/reset", {})
    open_doors(empty_account, monkeypatch, tmp_path)
    yield aws_lab(monkeypatch)
    masking.show_all()


def parameters(lab):
    stack = lab.client("cloudformation").describe_stacks(StackName=deployment.STACK)["Stacks"][0]
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}


def test_what_is_missing_is_deployed_with_a_bar_and_then_found(aws, capsys):
    with pytest.raises(NotProvided, match="`labkit provide` deploys what the lab needs"):
        _ = aws.vpc
    card = aws.provide()
    assert card.outcome == "deployed"
    assert aws.web_server.security_groups == ("HTTPAndSSH",)
    assert "vpcflowlogsbucket" in aws.bucket
    assert aws.provide().outcome == "already there"
    assert "about $0.24 a day, until `labkit clean` removes it" in str(card)


def test_the_cheapest_suitable_instance_is_taken_with_the_image_for_its_processor(aws):
    aws.provide()
    instance = aws.client("ec2").describe_instances(InstanceIds=[aws.web_server.id])["Reservations"][0]["Instances"][0]
    assert (instance["InstanceType"], instance["Architecture"]) == ("t4g.nano", "arm64")
    assert instance["MetadataOptions"]["HttpTokens"] == "required"


def test_where_the_cheapest_is_not_offered_the_next_one_is_taken_in_a_zone_that_has_it(aws):
    ec2 = aws.client("ec2")
    offer = {"LocationType": "availability-zone", "InstanceType": "t3.nano"}
    with Stubber(ec2) as stubber:
        stubber.add_response(
            "describe_instance_type_offerings",
            {"InstanceTypeOfferings": [{**offer, "Location": "eu-west-1c"}, {**offer, "Location": "eu-west-1b"}]},
        )
        assert environment._cheapest_offer(aws) == ("t3.nano", "eu-west-1b")
        stubber.add_response("describe_instance_type_offerings", {"InstanceTypeOfferings": []})
        with pytest.raises(LabError, match="eu-west-1 has none of the instance types"):
            environment._cheapest_offer(aws)


def test_ssh_is_for_the_learners_address_alone(aws):
    aws.provide()
    group = aws.security_group("HTTPAndSSH")
    rules = aws.client("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]["IpPermissions"]
    ranges = {rule["FromPort"]: [each["CidrIp"] for each in rule["IpRanges"]] for rule in rules}
    assert ranges == {80: ["0.0.0.0/0"], 22: [f"{MY_ADDRESS}/32"]}


@pytest.mark.parametrize(
    ("typed", "cidr"),
    [
        ("", f"{MY_ADDRESS}/32"),
        ("198.51.100.4", "198.51.100.4/32"),
        (" 198.51.100.4/32 ", "198.51.100.4/32"),
        ("198.51.100.0/24", "198.51.100.0/24"),
    ],
)
def test_the_address_is_found_or_typed(aws, typed, cidr):
    assert environment.allowed_cidr(aws, typed) == cidr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("everyone", "'everyone' is no IPv4 address or network"),
        ("198.51.100.300", "is no IPv4 address"),
        ("198.51.100.4/24", "has host bits set"),
        ("2001:db8::1", "is no IPv4 address"),
        ("0.0.0.0/0", "would let 4,294,967,296 addresses try SSH"),
        ("198.51.0.0/15", "has host bits set"),
        ("10.0.0.0/8", "would let 16,777,216 addresses"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_is_made(aws, typed, said):
    with pytest.raises(LabError, match=said):
        aws.provide(ssh_from=typed)
    assert deployment.find_stack(aws) is None


def test_without_a_known_address_one_has_to_be_typed(aws, monkeypatch):
    monkeypatch.setattr(type(aws.cloud), "own_address", lambda self: "")
    with pytest.raises(LabError, match="type it: `labkit provide --ssh-from"):
        aws.provide()


def test_the_private_key_stays_on_this_machine_and_out_of_every_output(aws):
    card = aws.provide()
    path = home() / deployment.KEY_FILE
    secret = path.read_text()
    assert secret.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stack = json.dumps(dict(deployment.find_stack(aws)), default=str)
    for line in secret.splitlines()[1:-1]:
        assert line not in stack + str(card) + card._repr_html_()
    assert parameters(aws)["LearnerPublicKey"].startswith("ssh-ed25519 ")
    assert str(home()) not in str(card)


def test_outputs_of_the_deployment_hold_nothing_of_the_learners(aws):
    shown = str(aws.provide())
    for secret in (MY_ADDRESS, "123456789012", aws.web_server.public_ip):
        assert secret not in shown


def test_the_command_deploys(aws, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLOUD", "aws")

    settings.save(Settings(email="me@mycompany.io"))
    assert cli.main(["provide", "--ssh-from", "198.51.100.4"]) == 0
    assert "Provided environment eu-west-1 - deployed" in capsys.readouterr().out
    assert parameters(aws)["LearnerCidr"] == "198.51.100.4/32"


def test_a_stack_of_that_name_by_somebody_else_is_not_touched(aws):
    template = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    aws.client("cloudformation").create_stack(StackName=deployment.STACK, TemplateBody=template)
    with pytest.raises(LabError, match="that labkit did not deploy"):
        aws.provide()
    assert deployment.remove(aws) is False
    assert deployment.find_stack(aws)["StackStatus"] == "CREATE_COMPLETE"


def test_removing_leaves_the_bucket_and_nothing_else(aws):
    aws.provide()
    bucket = aws.bucket
    assert deployment.remove(aws) is True
    assert deployment.find_stack(aws) is None
    with pytest.raises(NotProvided):
        _ = aws.vpc
    assert [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]] == [bucket]
    assert aws.client("ec2").describe_key_pairs()["KeyPairs"] == []
    assert not (home() / deployment.KEY_FILE).exists()
    assert deployment.remove(aws) is False


def stack(status, **more):
    return {
        "StackName": deployment.STACK,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/vpc-flow-logs-lab/1",
        "CreationTime": FROZEN_AT,
        "StackStatus": status,
        "Tags": [{"Key": key, "Value": value} for key, value in deployment.STACK_TAG.items()],
        **more,
    }


def event(number, resource, status, reason="", kind="AWS::EC2::Instance"):
    return {
        "StackId": "s",
        "StackName": deployment.STACK,
        "EventId": str(number),
        "Timestamp": FROZEN_AT,
        "LogicalResourceId": resource,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


FAILED = [
    event(5, deployment.STACK, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create", "Stack"),
    event(4, "LabVPC", "CREATE_FAILED", "Resource creation cancelled", "AWS::EC2::VPC"),
    event(3, "WebServer", "CREATE_FAILED", "Your requested instance type is not supported in your Availability Zone"),
    event(2, "LabVPC", "CREATE_IN_PROGRESS", "", "AWS::EC2::VPC"),
]


def test_the_first_failed_event_is_the_reason():
    assert deployment.first_failure(FAILED) == (
        "WebServer (AWS::EC2::Instance): Your requested instance type is not supported in your Availability Zone"
    )
    assert deployment.first_failure(FAILED[-1:]) == "CloudFormation names no reason"


def told(lab, monkeypatch, stacks, events=()):
    """Has CloudFormation tell of a stack: one state a look, the last one from then on."""
    states = iter(stacks)
    last = [None]

    def described(lab, name):
        last[0] = next(states, last[0])
        return last[0]

    monkeypatch.setattr(deployment, "_described", described)
    monkeypatch.setattr(deployment, "_events", lambda lab, stack_id: list(events))


def test_a_failed_deployment_is_explained_by_its_first_failed_event(aws, monkeypatch):
    told(aws, monkeypatch, [None, None, stack("CREATE_IN_PROGRESS"), stack("ROLLBACK_COMPLETE")], FAILED)
    monkeypatch.setattr(environment, "_create", lambda lab, ssh_from: None)
    with pytest.raises(LabError) as failure:
        aws.provide()
    assert "is ROLLBACK_COMPLETE. The first thing that failed: WebServer (AWS::EC2::Instance)" in str(failure.value)
    assert "Put that right, then run the same again." in str(failure.value)


def test_a_deployment_in_progress_is_taken_up_and_its_bar_counts_resources(aws, monkeypatch, capsys):
    aws.provide()
    created = [event(1, "LabVPC", "CREATE_COMPLETE"), event(2, "WebServer", "CREATE_IN_PROGRESS")]
    told(aws, monkeypatch, [stack("CREATE_IN_PROGRESS")] * 5 + [stack("CREATE_COMPLETE")], created)
    monkeypatch.setattr(environment, "_create", lambda *_: pytest.fail("it is being made already"))
    capsys.readouterr()
    assert aws.provide().outcome == "deployed"
    assert "the stack vpc-flow-logs-lab to be made" in (shown := capsys.readouterr().err)
    assert "1 of 14, " in shown


def test_an_interrupted_deployment_says_so_and_goes_on(aws, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(aws.cloud), "wait_until", interrupt)
        with pytest.raises(LabError, match="Stopped waiting for the stack vpc-flow-logs-lab to be made"):
            aws.provide()
    assert aws.provide().outcome == "already there"


def test_a_stack_that_failed_before_is_cleared_away_first(aws, monkeypatch):
    done = []
    monkeypatch.setattr(environment, "remove", lambda lab: done.append("removed"))
    for status in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS", "ROLLBACK_FAILED"):
        environment._clear_the_way(aws, stack(status))
    environment._clear_the_way(aws, stack("CREATE_IN_PROGRESS"))
    environment._clear_the_way(aws, None)
    assert len(done) == 5


def test_in_the_sandbox_the_environment_is_found(server, lab):
    assert lab.provide().outcome == "already there"
    assert deployment.remove(lab) is False
    assert lab.vpc.name == "Lab VPC"


def test_the_clean_command_takes_down_what_the_provide_command_put_up(aws, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    settings.save(Settings(email="me@mycompany.io"))
    assert cli.main(["provide"]) == 0
    assert cli.main(["clean", "--dry-run"]) == 0
    assert "deployed stack" in capsys.readouterr().out
    assert cli.main(["clean"]) == 0
    assert "Kept, since you did not ask for --delivered-logs: deployed bucket" in capsys.readouterr().out
    assert cli.main(["clean", "--delivered-logs"]) == 0
    assert "0 left" in capsys.readouterr().out
    assert aws.client("s3").list_buckets()["Buckets"] == []
