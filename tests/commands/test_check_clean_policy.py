"""labkit check, clean and policy, as one types them."""

import json

import pytest

from labkit import cli
from labkit.lab.settings import Settings, save
from labkit.notebook import Lab
from labkit.phases import flow_logs
from tests.conftest import lend


@pytest.fixture
def at_home(server, lab, tmp_path):
    """The shared sandbox, started anew, is the one that runs in LABKIT_HOME."""
    lend(server, tmp_path / "home")
    return lab


@pytest.fixture
def quiet_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    monkeypatch.delenv("LABKIT_AWS_ACCOUNT", raising=False)


def test_check_prints_what_is_missing_and_fails_until_it_is_there(at_home, capsys):
    assert cli.main(["check", "flow log to S3"]) == 1
    assert "absent" in capsys.readouterr().out
    flow_logs.publish_to_s3(at_home, at_home.bucket)
    assert cli.main(["check", "1"]) == 0
    assert "Check: flow log to S3 - done" in capsys.readouterr().out


def test_clean_lists_removes_and_proves(at_home, capsys):
    flow_log = flow_logs.publish_to_s3(at_home, at_home.bucket)
    assert cli.main(["clean", "--dry-run"]) == 0
    assert flow_log.id in capsys.readouterr().out
    assert flow_logs.find_flow_logs(at_home) != []
    assert cli.main(["clean"]) == 0
    assert "0 left; everything that was provided is still there." in capsys.readouterr().out
    assert flow_logs.find_flow_logs(at_home) == []


@pytest.mark.parametrize("name", ["nonsense", "11", "flow log"])
def test_an_unknown_phase_is_a_malformed_call(name, capsys, quiet_home):
    with pytest.raises(SystemExit) as end:
        cli.main(["check", name])
    assert end.value.code == 2
    assert f'there is no phase "{name}"; choose one of "flow log to S3"' in capsys.readouterr().err


def test_settings_that_cannot_be_used_are_said_in_a_sentence(quiet_home, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLOUD", "azure")
    assert cli.main(["policy"]) == 1
    assert "LABKIT_CLOUD: 'azure' is no cloud of the lab" in capsys.readouterr().err


def printed_policy(capsys):
    assert cli.main(["policy"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_policy_needs_no_cloud_and_follows_the_settings(quiet_home, monkeypatch, capsys):
    monkeypatch.setattr(Lab, "open", lambda: pytest.fail("the policy asks no cloud"))
    save(Settings(region="us-east-1", bucket="my-bucket", aws_account="123456789012"))
    text = json.dumps(printed_policy(capsys))
    assert "arn:aws:s3:::my-bucket/AWSLogs/*" in text
    assert "arn:aws:logs:us-east-1:123456789012:log-group:VPCFlowLogs" in text
    assert "eu-west-1" not in text
    assert "{" not in "".join(json.loads(text)["Statement"][0]["Resource"])


def test_without_a_bucket_or_account_the_policy_fits_the_labs_names(quiet_home, capsys):
    text = json.dumps(printed_policy(capsys))
    assert "arn:aws:s3:::*vpcflowlogsbucket*" in text
    assert "arn:aws:sns:eu-west-1:*:Default_CloudWatch_Alarms_Topic" in text


def test_no_statement_allows_every_action_and_what_has_no_resource_has_its_region(quiet_home, capsys):
    for statement in printed_policy(capsys)["Statement"]:
        assert all(":" in action and not action.endswith("*") for action in statement["Action"])
        if statement["Resource"] == ["*"] and "Condition" not in statement:
            assert set(statement["Action"]) <= {"iam:ListAccountAliases", "iam:ListRoles", "s3:ListAllMyBuckets"}
