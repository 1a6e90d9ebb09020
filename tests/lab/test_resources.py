"""What was provided, found by tag and name; and what is missing, named with how to get it."""

from dataclasses import replace

import pytest

from labkit.lab.errors import LabError
from labkit.lab.resources import list_buckets
from labkit.notebook import Lab


def fresh(lab, **changes):
    """The same lab with nothing remembered, and other settings if wanted."""
    return Lab(replace(lab.settings, **changes), lab.cloud)


def test_the_provided_environment_is_found(lab):
    ec2 = lab.client("ec2")
    assert (lab.vpc.name, lab.vpc.cidr) == ("Lab VPC", "10.0.0.0/16")
    assert not ec2.describe_vpcs(VpcIds=[lab.vpc.id])["Vpcs"][0]["IsDefault"]
    server = lab.web_server
    assert (server.name, server.private_ip, server.security_groups) == ("Web Server", "10.0.1.10", ("HTTPAndSSH",))
    interface = ec2.describe_network_interfaces(NetworkInterfaceIds=[server.interface_id])["NetworkInterfaces"][0]
    assert interface["Association"]["PublicIp"] == server.public_ip
    assert "vpcflowlogsbucket" in lab.bucket
    assert lab.delivery_role.arn.endswith(f"role/{lab.delivery_role.name}")
    assert lab.security_group("HTTPOnly").name == "HTTPOnly"
    assert lab.account_id == "123456789012"


def test_the_table_of_what_was_provided_names_it_all(lab):
    text = str(lab.provided())
    for name in (lab.vpc.id, lab.web_server.id, lab.bucket, lab.delivery_role.arn, lab.security_group("HTTPOnly").id):
        assert name in text


def test_another_region_has_an_environment_of_its_own(lab):
    other = fresh(lab, region="us-east-1")
    assert other.vpc.id != lab.vpc.id
    assert other.bucket != lab.bucket
    assert other.client("s3").get_bucket_location(Bucket=other.bucket)["LocationConstraint"] is None
    with pytest.raises(LabError, match="is in eu-west-1, the lab in us-east-1"):
        _ = fresh(lab, region="us-east-1", bucket=lab.bucket).bucket


def test_a_bucket_of_the_settings_goes_before_the_provided_one(lab):
    lab.client("s3").create_bucket(Bucket="my-own-bucket", CreateBucketConfiguration={"LocationConstraint": lab.region})
    assert fresh(lab, bucket="my-own-bucket").bucket == "my-own-bucket"
    with pytest.raises(
        LabError, match=r"'not-there-at-all' of the settings isn't there. Choose another in notebook 00"
    ):
        _ = fresh(lab, bucket="not-there-at-all").bucket


def test_a_second_bucket_that_fits_is_ambiguous(lab):
    lab.client("s3").create_bucket(
        Bucket="another-vpcflowlogsbucket", CreateBucketConfiguration={"LocationConstraint": lab.region}
    )
    with pytest.raises(LabError, match=r"more than one bucket with 'vpcflowlogsbucket' in its name.*choose one in"):
        _ = fresh(lab).bucket


def test_the_buckets_of_the_region_are_listed_the_provided_one_first(lab):
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="an-archive", CreateBucketConfiguration={"LocationConstraint": lab.region})
    elsewhere = fresh(lab, region="eu-west-2").client("s3")
    elsewhere.create_bucket(
        Bucket="an-archive-elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    assert list_buckets(lab) == (lab.bucket, "an-archive")


def test_what_is_missing_is_named_with_how_to_get_it(lab):
    ec2, iam = lab.client("ec2"), lab.client("iam")
    role = lab.delivery_role.name
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    iam.delete_role(RoleName=role)
    with pytest.raises(LabError, match="no role with 'DeliverVPCFlowLogsRole' in its name in eu-west-1"):
        _ = fresh(lab).delivery_role
    ec2.stop_instances(InstanceIds=[lab.web_server.id])
    with pytest.raises(LabError, match="start it, with one"):
        _ = lab.web_server
    ec2.delete_tags(Resources=[lab.vpc.id], Tags=[{"Key": "Name"}])
    with pytest.raises(LabError, match=r"no VPC with the Name tag 'Lab VPC' in eu-west-1. .*`labkit sandbox reset`"):
        _ = fresh(lab).vpc


def test_the_permissions_of_the_role_are_read_as_iam_has_them(lab):
    iam, role = lab.client("iam"), lab.delivery_role.name
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert "logs:PutLogEvents" in document["Statement"][0]["Action"]
