import botocore.session
import pytest
from boto3 import Session

from labkit.sandbox import moto_state
from tests.sandbox.network.vpc import Vpc


@pytest.mark.parametrize("service", ["ec2", "cloudwatch", "s3", "iam", "ssm", "states"])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_regions_are_listed_as_botocore_lists_them(service, partition):
    listed = Session().get_available_regions(service, partition_name=partition)
    assert listed == botocore.session.get_session().get_available_regions(service, partition)


def test_regions_that_are_none_are_listed_where_asked_for():
    assert "us-east-1-fips" in Session().get_available_regions("ec2", allow_non_regional=True) or (
        "fips-us-east-1" in Session().get_available_regions("ec2", allow_non_regional=True)
    )


def test_a_service_that_nobody_knows_has_no_regions():
    assert Session().get_available_regions("nonsense") == []


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
@pytest.mark.parametrize("location_type", ["region", "availability-zone", "availability-zone-id"])
def test_each_region_offers_its_instance_types(sandbox, region, location_type):
    ec2 = moto_state.backend("ec2", sandbox.account_id, region)
    offered = ec2.describe_instance_type_offerings(location_type, {"instance-type": ["t3.nano"]})
    assert offered
    assert {each["LocationType"] for each in offered} == {location_type}
    assert all(region[:2] in each["Location"] for each in offered)
    assert ec2.describe_instance_type_offerings(location_type, {"instance-type": ["t3.giant"]}) == []


def test_a_region_that_offers_nothing_has_no_offerings(sandbox):
    ec2 = moto_state.backend("ec2", sandbox.account_id, "eu-west-1")
    ec2_of_nowhere = type("", (), {"region_name": "mars-north-1"})()
    assert type(ec2).describe_instance_type_offerings(ec2_of_nowhere, "region") == []


def test_an_instance_of_an_offered_type_runs(sandbox):
    assert Vpc(sandbox, type="t3.micro").interface().running
