import json

import pytest

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import ec2, s3
from tests.sandbox.network.vpc import BUCKET, GROUP, LEARNER, TO_BUCKET, Vpc


def fields(messages):
    """Source, destination port, action and TCP-relevant counts of default-format records."""
    return [(m.split()[3], m.split()[6], m.split()[8], m.split()[12]) for m in messages]


def test_what_a_learner_changes_changes_what_the_flow_log_says(sandbox, vpc):
    vpc.log_to_group()
    assert vpc.connect(22)["outcome"] == "connected"
    vpc.swap_groups(vpc.web)
    refused = vpc.connect(22)
    assert refused["outcome"] == "timed out"
    assert refused["why"].startswith("no inbound rule of security group HTTPOnly")
    assert refused["decided_by"] == {"type": "security group", "id": vpc.web, "rule": None, "allowed": False}
    vpc.swap_groups(vpc.ssh)
    assert vpc.connect(22)["outcome"] == "connected"
    sandbox.clock.advance(300)
    inbound = [each for each in fields(vpc.messages()) if each[0] == LEARNER]
    assert sorted(action for _, _, _, action in inbound) == ["ACCEPT", "ACCEPT", "REJECT"]
    assert (LEARNER, "22", "5", "REJECT") in inbound


def test_connect_tells_who_was_asked_for_what(vpc):
    told = vpc.connect(80, count=3)
    assert told == {
        "outcome": "connected",
        "why": told["why"],
        "decided_by": {"type": "security group", "id": vpc.ssh, "rule": told["decided_by"]["rule"], "allowed": True},
        "source": LEARNER,
        "destination": vpc.address,
        "port": 80,
        "interface_id": vpc.interface().id,
        "instance_id": vpc.server.id,
        "count": 3,
    }


def test_several_attempts_come_from_as_many_ports(sandbox, vpc):
    vpc.swap_groups(vpc.web)
    vpc.log_to_group()
    vpc.connect(22, count=20)
    sandbox.clock.advance(400)
    ports = {message.split()[5] for message in vpc.messages() if message.endswith("OK")}
    assert len(ports) == 20


def test_a_stopped_instance_answers_nobody(sandbox, vpc):
    address = vpc.address
    vpc.server.stop()
    assert vpc.connect(22, destination=address)["outcome"] == "timed out"


def test_connections_that_nobody_logs_leave_no_trace(sandbox, vpc):
    vpc.connect(22)
    flow_log = vpc.log_to_group()
    sandbox.clock.advance(360)
    assert [message.split()[-1] for message in vpc.messages()] == ["NODATA"] * 2
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    before = len(sandbox.clock._events)
    vpc.connect(22)
    sandbox.clock.advance(3600)
    assert len(sandbox.clock._events) <= before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"destination": "198.19.0.1", "source": "2001:db8::1"}, "are addresses of different IP versions"),
        ({"destination": "nowhere"}, "'nowhere' does not appear to be an IPv4 or IPv6 address"),
        ({"destination": "198.19.0.1", "protocol": "http"}, "'http' is no IP protocol"),
    ],
)
def test_connect_refuses_what_is_no_packet(vpc, params, message):
    with pytest.raises(ServiceError, match=message):
        vpc.connect(22, **params)


def test_a_region_has_its_own_network(sandbox, vpc):
    there = Vpc(sandbox, cidr="10.9.0.0/16", region="us-east-1")
    there.log_to_group()
    vpc.connect(22, source=LEARNER)
    there.connect(22, source=LEARNER)
    sandbox.clock.advance(300)
    assert len(there.messages()) == 2
    assert sandbox.network.log_format("eu-west-1", GROUP) is None
    assert sandbox.network.log_format("us-east-1", GROUP) == str(DEFAULT_FORMAT)


def test_the_format_of_a_group_s_records_is_known_even_after_the_flow_log(sandbox, vpc):
    flow_log = vpc.log_to_group(LogFormat="${srcaddr} ${dstport}")
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    assert sandbox.network.log_format("eu-west-1", GROUP) == "${srcaddr} ${dstport}"


def test_create_answers_with_ids_as_aws_makes_them(vpc):
    flow_log = vpc.log_to_s3()
    assert flow_log.startswith("fl-")
    assert len(flow_log) == 20
    int(flow_log[3:], 16)


def test_describe_shows_what_was_asked_for(vpc):
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Name", "Value": "lab"}]}]
    shown = vpc.flow_log(vpc.log_to_s3(TagSpecifications=tags, MaxAggregationInterval=600, TrafficType="REJECT"))
    assert shown == {
        "CreationTime": shown["CreationTime"],
        "DeliverLogsStatus": "SUCCESS",
        "FlowLogId": shown["FlowLogId"],
        "FlowLogStatus": "ACTIVE",
        "ResourceId": vpc.id,
        "TrafficType": "REJECT",
        "LogDestinationType": "s3",
        "LogDestination": f"arn:aws:s3:::{BUCKET}",
        "LogFormat": str(DEFAULT_FORMAT),
        "Tags": [{"Key": "Name", "Value": "lab"}],
        "MaxAggregationInterval": 600,
        "DestinationOptions": {
            "FileFormat": "plain-text",
            "HiveCompatiblePartitions": False,
            "PerHourPartition": False,
        },
    }
    assert shown["CreationTime"].isoformat() == "2026-11-02T09:00:00+00:00"


def test_tags_of_a_flow_log_are_changed_like_those_of_any_resource(vpc):
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Name", "Value": "lab"}]}]
    flow_log = vpc.log_to_s3(TagSpecifications=tags)
    vpc.ec2.create_tags([flow_log], {"stage": "test"})
    vpc.ec2.delete_tags([flow_log], {"Name": None})
    assert vpc.flow_log(flow_log)["Tags"] == [{"Key": "stage", "Value": "test"}]
    (listed,) = vpc.ec2.describe_tags({"resource-id": [flow_log]})
    assert (listed["resource_type"], listed["key"]) == ("vpc-flow-log", "stage")
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    assert vpc.ec2.describe_tags({"resource-id": [flow_log]}) == []


def test_the_interval_is_ten_minutes_unless_told_otherwise(vpc):
    flow_log = vpc.log_to_group(MaxAggregationInterval=600)
    assert vpc.flow_log(flow_log)["MaxAggregationInterval"] == 600


@pytest.mark.parametrize("resource", ["VPC", "Subnet", "NetworkInterface"])
def test_a_flow_log_may_be_of_a_vpc_a_subnet_or_an_interface(sandbox, vpc, resource):
    ids = {"VPC": vpc.id, "Subnet": vpc.subnet.id, "NetworkInterface": vpc.interface().id}
    other = vpc.add_instance([vpc.ssh], subnet=vpc.add_subnet("10.0.2.0/24"))
    vpc.log_to_group(ResourceType=resource, ResourceIds=[ids[resource]])
    vpc.connect(22)
    vpc.connect(22, destination=str(vpc.interface(other).public_address))
    sandbox.clock.advance(300)
    streams = {event["logStreamName"] for event in vpc.events()}
    expected = {f"{vpc.interface().id}-all"} | ({f"{vpc.interface(other).id}-all"} if resource == "VPC" else set())
    assert streams == expected


def test_the_same_flow_log_twice_is_refused(vpc):
    vpc.log_to_s3()
    with pytest.raises(
        ServiceError, match=r"FlowLogAlreadyExists: Error\. There is an existing Flow Log with the same"
    ):
        vpc.log_to_s3()


def test_another_traffic_type_or_folder_is_another_flow_log(vpc):
    made = [
        vpc.log_to_s3(),
        vpc.log_to_s3(TrafficType="REJECT"),
        vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}/x/"),
    ]
    assert len(set(made)) == 3


def test_a_client_token_makes_a_request_idempotent(vpc):
    assert vpc.log_to_s3(ClientToken="once") == vpc.log_to_s3(ClientToken="once")


def test_one_wrong_resource_among_several_does_not_stop_the_others(vpc):
    vpc.log_to_s3()
    result = vpc.create_flow_logs(ResourceIds=[vpc.id, "vpc-0123456789abcdef0"], TrafficType="ACCEPT", **TO_BUCKET)
    assert len(result["FlowLogIds"]) == 1
    assert result["Unsuccessful"] == [
        {
            "ResourceId": "vpc-0123456789abcdef0",
            "Error": {
                "Code": "InvalidVpcID.NotFound",
                "Message": "The vpc ID 'vpc-0123456789abcdef0' does not exist",
            },
        }
    ]


def test_a_bucket_that_does_not_exist_is_told_as_unsuccessful(vpc):
    result = vpc.create_flow_logs(LogDestinationType="s3", LogDestination="arn:aws:s3:::nowhere")
    assert result["FlowLogIds"] == []
    error = {"Code": "400", "Message": "LogDestination: nowhere does not exist."}
    assert result["Unsuccessful"] == [{"ResourceId": vpc.id, "Error": error}]


def test_a_dry_run_makes_nothing(vpc):
    with pytest.raises(ServiceError, match="DryRunOperation") as refusal:
        vpc.log_to_s3(DryRun=True)
    assert refusal.value.status == 412
    assert vpc.call("DescribeFlowLogs")["FlowLogs"] == []


def test_deleting_an_unknown_flow_log_names_it_and_deletes_none(vpc):
    flow_log = vpc.log_to_s3()
    message = r"\[TotalCount: 1\] fl-0123456789abcdef0"
    with pytest.raises(ServiceError, match=f"InvalidFlowLogId.NotFound: These flow log ids .* not found: {message}"):
        vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log, "fl-0123456789abcdef0"])
    assert len(vpc.call("DescribeFlowLogs")["FlowLogs"]) == 1
    assert vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log]) == {"Unsuccessful": []}
    assert vpc.call("DescribeFlowLogs")["FlowLogs"] == []


@pytest.mark.parametrize("operation", ["DescribeFlowLogs", "DeleteFlowLogs"])
@pytest.mark.parametrize("flow_log_id", ["foo", "fl-12", "vpc-0123456789abcdef0", "fl-0123456789ABCDEF0"])
def test_what_can_be_no_id_of_a_flow_log_is_told_from_one_that_is_gone(vpc, operation, flow_log_id):
    message = f"InvalidParameterValue: 1 validation error detected: Value '{flow_log_id}' at 'flowLogId' has an invalid"
    with pytest.raises(ServiceError, match=message):
        vpc.call(operation, FlowLogIds=[flow_log_id])


def test_a_security_group_must_exist_in_the_interface_s_vpc(sandbox, vpc):
    other = Vpc(sandbox, cidr="10.7.0.0/16")
    for group_id, message in [("sg-0123", "does not exist"), (other.web, "belong to different networks")]:
        with pytest.raises(ServiceError, match=message):
            vpc.call("ModifyInstanceAttribute", InstanceId=vpc.server.id, Groups=[group_id])
        with pytest.raises(ServiceError, match=message):
            vpc.call("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=vpc.interface().id, Groups=[group_id])


def test_an_instance_and_its_interface_keep_the_same_groups(sandbox, vpc):
    account, interface = sandbox.account_id, vpc.interface().id
    ec2.set_instance_groups(account, "eu-west-1", vpc.server.id, [vpc.web])
    assert [group.id for group in vpc.ec2.get_network_interface(interface).group_set] == [vpc.web]
    ec2.set_interface_groups(account, "eu-west-1", interface, [vpc.ssh, vpc.web])
    assert [group.id for group in vpc.server.security_groups] == [vpc.ssh, vpc.web]


def test_a_resource_has_250_flow_logs_at_most(sandbox):
    vpc = Vpc(sandbox)
    vpc.log_to_s3()
    folders = {"Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:PutObject"}
    s3.set_bucket_policy(BUCKET, json.dumps({"Statement": [{**folders, "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}))
    for number in range(249):
        vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}/{number}")
    with pytest.raises(ServiceError, match="FlowLogsLimitExceeded"):
        vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}/one-more")
    vpc.log_to_s3(ResourceType="Subnet", ResourceIds=[vpc.subnet.id])


def test_a_bucket_policy_that_has_no_room_for_the_statements_is_an_error(sandbox):
    vpc = Vpc(sandbox)
    flow_log = vpc.log_to_s3()
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    full = {
        "Sid": "x" * 20_000,
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    s3.set_bucket_policy(BUCKET, json.dumps({"Version": "2012-10-17", "Statement": [full]}))
    with pytest.raises(ServiceError, match="LogDestinationPermissionIssueException"):
        vpc.log_to_s3()
    assert vpc.call("DescribeFlowLogs")["FlowLogs"] == []


def test_a_flow_log_shows_the_tags_that_instances_have_when_the_interval_ends(vpc):
    specifications = [{"ResourceType": "instance", "TagKeys": ["Name", "stage"]}]
    flow_log = vpc.log_to_group(
        LogFormat="${instance-id} ${instance-tag} ${instance-tag-2}", TagFieldSpecifications=specifications
    )
    assert vpc.flow_log(flow_log)["TagFieldSpecifications"] == specifications
    vpc.ec2.create_tags([vpc.server.id], {"Name": "Web Server"})
    vpc.sandbox.clock.advance(60)
    vpc.ec2.create_tags([vpc.server.id], {"stage": "test"})
    vpc.sandbox.clock.advance(300)
    assert vpc.messages()[:2] == [f"{vpc.server.id} Web%20Server -", f"{vpc.server.id} Web%20Server test"]
