"""What a template asks for is there when its stack is, and gone when its stack is."""

import json

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.moto_state import cloudformation
from tests.sandbox.in_process import client_maker

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJt0cXM3hhVrFXbvRhbPaxRXpwcCmJxJSNvLH8fYJTeM lab"
NETWORK = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": True},
    },
    "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Route": {
        "Type": "AWS::EC2::Route",
        "Properties": {
            "RouteTableId": {"Ref": "Routes"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": "Gateway"},
        },
    },
    "Association": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "Routes"}},
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "SSH",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "203.0.113.0/24"}],
        },
    },
    "Server": {
        "Type": "AWS::EC2::Instance",
        "Properties": {
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.micro",
            "SubnetId": {"Ref": "Subnet"},
            "PrivateIpAddress": "10.0.1.25",
            "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
            "Tags": [{"Key": "Name", "Value": "Server"}],
        },
    },
}


@pytest.fixture
def make(host):
    return client_maker(host)


@pytest.fixture
def ids(host, make):
    """The physical ids of a stack of a small network, by their names in the template."""
    cloudformation.create_stack("123456789012", "eu-west-1", "network", json.dumps({"Resources": NETWORK}))
    return {name: cloudformation.physical_id("123456789012", "eu-west-1", "network", name) for name in NETWORK}


def test_an_instance_has_the_address_the_groups_and_the_tags_that_it_was_given(make, ids):
    (instance,) = make("ec2").describe_instances(InstanceIds=[ids["Server"]])["Reservations"][0]["Instances"]
    assert (instance["PrivateIpAddress"], instance["InstanceType"]) == ("10.0.1.25", "t3.micro")
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [ids["Group"]]
    assert instance["PublicIpAddress"].startswith("198.19."), "as its subnet gives one"
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert (tags["Name"], tags["aws:cloudformation:stack-name"]) == ("Server", "network")


def test_a_subnet_lies_in_a_zone_of_its_region_and_has_its_route_table(make, ids):
    ec2 = make("ec2")
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["Subnet"]])["Subnets"]
    assert (subnet["AvailabilityZone"], subnet["MapPublicIpOnLaunch"]) == ("eu-west-1a", True)
    filters = [{"Name": "association.subnet-id", "Values": [ids["Subnet"]]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    assert table["RouteTableId"] == ids["Routes"]
    assert {route["GatewayId"] for route in table["Routes"]} == {"local", ids["Gateway"]}


def test_what_the_network_of_a_template_lets_through_gets_through(host, make, ids):
    (instance,) = make("ec2").describe_instances(InstanceIds=[ids["Server"]])["Reservations"][0]["Instances"]
    address = instance["PublicIpAddress"]
    with host.sandbox.change():
        connect = host.sandbox.network.connect
        assert connect(destination=address, port=22)["outcome"] == "connected"
        assert connect(destination=address, port=22, source="198.51.100.7")["outcome"] == "timed out"


def test_a_stack_takes_everything_with_it(make, ids):
    make("cloudformation").delete_stack(StackName="network")
    ec2 = make("ec2")
    assert ids["Vpc"] not in [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    assert ec2.describe_internet_gateways()["InternetGateways"] == []
    assert ids["Routes"] not in [table["RouteTableId"] for table in ec2.describe_route_tables()["RouteTables"]]
    assert not cloudformation.stack_exists("123456789012", "eu-west-1", "network")


def test_a_key_pair_is_imported_and_goes_with_its_stack(make):
    properties = {"KeyName": "lab", "PublicKeyMaterial": PUBLIC_KEY, "Tags": [{"Key": "for", "Value": "ssh"}]}
    template = json.dumps({"Resources": {"Key": {"Type": "AWS::EC2::KeyPair", "Properties": properties}}})
    make("cloudformation").create_stack(StackName="keys", TemplateBody=template)
    (pair,) = make("ec2").describe_key_pairs(KeyNames=["lab"])["KeyPairs"]
    assert {tag["Key"]: tag["Value"] for tag in pair["Tags"]}["for"] == "ssh"
    make("cloudformation").delete_stack(StackName="keys")
    with pytest.raises(ClientError, match=r"InvalidKeyPair\.NotFound"):
        make("ec2").describe_key_pairs(KeyNames=["lab"])


BUCKET_AND_POLICY = {
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "template-bucket"}},
    "Policy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": {"Fn::Sub": "arn:aws:s3:::${Bucket}/AWSLogs/${AWS::AccountId}/*"},
                },
            },
        },
    },
}


def test_a_bucket_policy_is_put_with_its_references_resolved_and_goes_with_its_stack(make):
    template = json.dumps({"Resources": BUCKET_AND_POLICY})
    make("cloudformation").create_stack(StackName="buckets", TemplateBody=template)
    policy = json.loads(make("s3").get_bucket_policy(Bucket="template-bucket")["Policy"])
    assert policy["Statement"]["Resource"] == "arn:aws:s3:::template-bucket/AWSLogs/123456789012/*"
    make("cloudformation").delete_stack(StackName="buckets")
    assert make("s3").list_buckets()["Buckets"] == []


def test_a_policy_of_a_bucket_that_stays_is_taken_off(make):
    make("s3").create_bucket(Bucket="own", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    policy = json.loads(json.dumps(BUCKET_AND_POLICY["Policy"]).replace('{"Ref": "Bucket"}', '"own"'))
    policy["Properties"]["PolicyDocument"]["Statement"]["Resource"] = "arn:aws:s3:::own/*"
    make("cloudformation").create_stack(StackName="policy", TemplateBody=json.dumps({"Resources": {"Policy": policy}}))
    assert make("s3").get_bucket_policy(Bucket="own")["Policy"]
    make("cloudformation").delete_stack(StackName="policy")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        make("s3").get_bucket_policy(Bucket="own")


def test_a_log_group_of_a_template_is_one_that_events_can_be_put_into(make):
    group = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": "from-template", "RetentionInDays": 7, "Tags": [{"Key": "a", "Value": "b"}]},
    }
    template = json.dumps({"Resources": {"Group": group}})
    make("cloudformation").create_stack(StackName="logs", TemplateBody=template)
    (made,) = make("logs").describe_log_groups()["logGroups"]
    assert (made["logGroupName"], made["retentionInDays"]) == ("from-template", 7)
    tags = make("logs").list_tags_for_resource(resourceArn=made["logGroupArn"])["tags"]
    assert tags["a"] == "b"
    make("logs").create_log_stream(logGroupName="from-template", logStreamName="s")
    make("cloudformation").delete_stack(StackName="logs")
    assert make("logs").describe_log_groups()["logGroups"] == []


def test_a_stack_whose_flow_log_can_not_be_made_fails_in_its_words(make):
    flow_log = {
        "Type": "AWS::EC2::FlowLog",
        "Properties": {
            "ResourceType": "VPC",
            "ResourceId": "vpc-0",
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::nowhere",
        },
    }
    template = json.dumps({"Resources": {"Log": flow_log}})
    make("cloudformation").create_stack(StackName="broken", TemplateBody=template)
    events = make("cloudformation").describe_stack_events(StackName="broken")["StackEvents"]
    (failed,) = (each for each in events if each["ResourceStatus"] == "CREATE_FAILED")
    assert "The vpc ID 'vpc-0' does not exist" in failed["ResourceStatusReason"]
    assert make("ec2").describe_flow_logs()["FlowLogs"] == []
