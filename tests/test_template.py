"""infra/lab_environment.yaml: clean by cfn-lint, and as closed as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[1] / "infra" / "lab_environment.yaml"


@pytest.fixture(scope="module")
def template():
    return cfn_yaml.load(str(TEMPLATE))


def test_cfn_lint_finds_nothing_in_any_region_of_the_form():
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-1", "us-east-1", "--", TEMPLATE]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_bucket_is_encrypted_private_and_outlives_the_stack(template):
    bucket = template["Resources"]["VPCFlowLogsBucket"]
    rules = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["AES256"]
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert bucket["DeletionPolicy"] == "Retain"


def test_nobody_gets_in_by_ssh_unless_named(template):
    parameter = template["Parameters"]["LearnerCidr"]
    assert parameter["Default"] == "192.0.2.1/32", "an address that documentation alone uses"
    groups = [each for each in template["Resources"].values() if each["Type"] == "AWS::EC2::SecurityGroup"]
    ssh = [rule for group in groups for rule in group["Properties"]["SecurityGroupIngress"] if rule["FromPort"] == 22]
    assert [rule["CidrIp"] for rule in ssh] == [{"Ref": "LearnerCidr"}]


@pytest.mark.parametrize(
    ("cidr", "is_one"),
    [
        ("203.0.113.7/32", True),
        ("10.0.0.0/8", True),
        ("0.0.0.0/0", True),
        ("256.0.0.1/32", False),
        ("203.0.113.7", False),
        ("203.0.113.7/33", False),
        ("203.0.113/24", False),
        ("; rm -rf /", False),
    ],
)
def test_the_addresses_have_to_be_in_cidr_notation(template, cidr, is_one):
    assert bool(re.fullmatch(template["Parameters"]["LearnerCidr"]["AllowedPattern"], cidr)) is is_one


def test_the_instance_is_of_the_cheapest_sort_with_the_public_image_and_session_tokens(template):
    parameters, server = template["Parameters"], template["Resources"]["WebServer"]["Properties"]
    assert parameters["InstanceType"]["Default"] == "t4g.nano"
    assert parameters["LatestAmiId"]["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    assert re.fullmatch(
        r"/aws/service/ami-amazon-linux-latest/al2023-ami-\S+-arm64", parameters["LatestAmiId"]["Default"]
    )
    assert server["MetadataOptions"]["HttpTokens"] == "required"
    assert "dnf" not in str(server["UserData"]["Fn::Base64"]), "it is killed where there is half a GB of memory"


def test_no_output_and_no_default_holds_a_secret(template):
    assert not re.search("password|secret|private", str(template["Outputs"]), re.IGNORECASE)
    assert template["Parameters"]["LearnerPublicKey"]["Default"] == ""
    assert not re.search("password", TEMPLATE.read_text(), re.IGNORECASE)


def test_deliveries_are_let_in_from_this_account_alone(template):
    statements = template["Resources"]["VPCFlowLogsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    for statement in statements:
        assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
