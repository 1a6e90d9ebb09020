"""A CIDR block that is none is refused, and packets go on."""

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.in_process import client_maker


@pytest.mark.parametrize(
    ("block", "code"), [({}, "MissingParameter"), ({"Ipv6CidrBlock": "a"}, "InvalidParameterValue")]
)
def test_a_subnet_takes_no_block_that_is_none(host, block, code):
    ec2 = client_maker(host)("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    with pytest.raises(ClientError, match=code):
        ec2.associate_subnet_cidr_block(SubnetId=subnet, **block)
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock="2001:db8::/64")
    ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnet)
    host.advance({"seconds": 60})


@pytest.mark.parametrize(("block", "code"), [({}, "MissingParameter"), ({"CidrBlock": "a"}, "InvalidParameterValue")])
def test_a_vpc_keeps_no_block_that_is_refused(host, block, code):
    ec2 = client_maker(host)("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    with pytest.raises(ClientError, match=code):
        ec2.associate_vpc_cidr_block(VpcId=vpc["VpcId"], **block)
    assert ec2.describe_vpcs()["Vpcs"] == [vpc]
