import json
from datetime import UTC, datetime, timedelta

import pytest

from labkit.flowlog import reader
from labkit.flowlog.s3_keys import parse_key
from labkit.sandbox import moto_state
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from tests.sandbox.calls import client_call
from tests.sandbox.network.vpc import BUCKET, GROUP, LEARNER, TO_BUCKET, Vpc

FOLDER = "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/11/02/"


def files():
    return [stored.key for stored in s3.list_objects(BUCKET)]


def records(key):
    return reader.read(s3.get_object(BUCKET, key)).to_pylist()


def test_a_file_holds_five_minutes_and_comes_within_ten(sandbox, vpc):
    flow_log = vpc.log_to_s3()
    vpc.connect(22)
    sandbox.clock.advance(539)
    assert files() == []
    sandbox.clock.advance(1)
    (key,) = files()
    assert key.startswith(f"{FOLDER}123456789012_vpcflowlogs_eu-west-1_{flow_log}_20261102T0900Z_")
    assert key.endswith(".log.gz")
    found = records(key)
    assert {row["log_status"] for row in found} == {"OK", "NODATA"}
    assert all(1_793_610_000 <= row["end"] < 1_793_610_300 for row in found)
    own = vpc.private_address
    assert {row["srcaddr"] for row in found if row["action"]} == {LEARNER, own}


def test_files_of_later_minutes_are_files_of_their_own(sandbox, vpc):
    vpc.log_to_s3()
    sandbox.clock.advance(2000)
    times = [parse_key(key).time for key in files()]
    assert [time.strftime("%H:%M") for time in times] == ["09:00", "09:05", "09:10", "09:15", "09:20"]
    stored = s3.list_objects(BUCKET)
    assert all(each.last_modified == time + timedelta(minutes=9) for each, time in zip(stored, times, strict=True))


@pytest.mark.parametrize(
    ("options", "folder", "suffix"),
    [
        ({"FileFormat": "plain-text"}, FOLDER, ".log.gz"),
        ({"FileFormat": "parquet"}, FOLDER, ".log.parquet"),
        ({"PerHourPartition": True}, f"{FOLDER}09/", ".log.gz"),
        (
            {"HiveCompatiblePartitions": True, "PerHourPartition": True, "FileFormat": "parquet"},
            "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/"
            "year=2026/month=11/day=02/hour=09/",
            ".log.parquet",
        ),
    ],
)
def test_the_destination_options_lay_out_the_files(sandbox, vpc, options, folder, suffix):
    vpc.log_to_s3(DestinationOptions=options)
    vpc.connect(22)
    sandbox.clock.advance(600)
    (key,) = files()
    assert key.startswith(folder)
    assert key.endswith(suffix)
    assert {row["dstport"] for row in records(key)} > {22}


def test_a_folder_of_the_bucket_comes_first(sandbox, vpc):
    vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}/my-logs/")
    sandbox.clock.advance(600)
    assert [key.startswith(f"my-logs/{FOLDER}") for key in files()] == [True]


def test_events_come_about_five_minutes_later_with_the_time_of_their_start(sandbox, vpc):
    vpc.log_to_group()
    sandbox.clock.advance(10)
    vpc.connect(22)
    sandbox.clock.advance(289)
    with pytest.raises(ServiceError):
        vpc.events()
    sandbox.clock.advance(1)
    inbound, outbound = vpc.events()
    assert inbound["timestamp"] == 1_793_610_010_000
    assert inbound["ingestionTime"] == 1_793_610_300_000
    assert {inbound["logStreamName"], outbound["logStreamName"]} == {f"{vpc.interface().id}-all"}
    assert {inbound["message"].split()[3], outbound["message"].split()[3]} == {
        LEARNER,
        vpc.private_address,
    }


@pytest.mark.parametrize(
    ("traffic", "actions"), [("ALL", {"ACCEPT", "REJECT"}), ("ACCEPT", {"ACCEPT"}), ("REJECT", {"REJECT"})]
)
def test_a_flow_log_takes_what_its_traffic_type_says(sandbox, vpc, traffic, actions):
    vpc.log_to_group(TrafficType=traffic)
    vpc.connect(22)
    vpc.connect(443)
    sandbox.clock.advance(300)
    assert {message.split()[12] for message in vpc.messages()} == actions
    assert {event["logStreamName"] for event in vpc.events()} == {f"{vpc.interface().id}-{traffic.lower()}"}


def test_an_interface_without_traffic_says_so_each_interval(sandbox, vpc):
    vpc.log_to_group()
    sandbox.clock.advance(600)
    lines = [message.split() for message in vpc.messages()]
    assert [line[10:] for line in lines[:2]] == [
        ["1793610000", "1793610059", "-", "NODATA"],
        ["1793610060", "1793610119", "-", "NODATA"],
    ]
    assert len(lines) == 6


def test_an_older_instance_is_aggregated_for_ten_minutes(sandbox):
    vpc = Vpc(sandbox, type="t2.micro")
    sandbox.network.set_background(0)
    vpc.log_to_group(MaxAggregationInterval=600)
    vpc.log_to_s3(MaxAggregationInterval=600)
    for _ in range(4):
        vpc.connect(443)
        sandbox.clock.advance(120)
    sandbox.clock.advance(360)
    assert len(vpc.events()) == 4
    assert len({parse_key(key).time for key in files()}) == 2
    assert sum(len(records(key)) for key in files()) == 4


def test_a_flow_log_made_within_a_minute_sees_nothing_of_before(sandbox, vpc):
    vpc.log_to_group()
    vpc.connect(443)
    sandbox.clock.advance(20)
    vpc.log_to_group(LogGroupName="later")
    vpc.connect(444)
    sandbox.clock.advance(300)
    assert {message.split()[6] for message in vpc.messages("later") if message.endswith("OK")} == {"444"}
    assert {message.split()[6] for message in vpc.messages() if message.endswith("OK")} == {"443", "444"}


def test_several_flow_logs_tell_the_same(sandbox, vpc):
    vpc.log_to_s3()
    vpc.log_to_group()
    vpc.connect(22)
    vpc.connect(443)
    sandbox.clock.advance(540)
    (key,) = files()
    assert [reader.read_lines([m]).to_pylist()[0] for m in vpc.messages()] == records(key)


def test_a_custom_format_is_what_both_destinations_get(sandbox, vpc):
    chosen = "${flow-direction} ${dstport} ${tcp-flags} ${version}"
    vpc.log_to_s3(LogFormat=chosen)
    vpc.log_to_group(LogFormat=chosen)
    vpc.connect(443)
    sandbox.clock.advance(540)
    assert vpc.messages()[0] == "ingress 443 2 5"
    assert records(files()[0])[0] == {"flow_direction": "ingress", "dstport": 443, "tcp_flags": 2, "version": 5}


def test_a_deleted_flow_log_delivers_nothing_more(sandbox, vpc):
    flow_log = vpc.log_to_s3()
    vpc.connect(22)
    sandbox.clock.advance(120)
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    sandbox.clock.advance(3600)
    assert files() == []


def test_deliveries_may_be_late(sandbox, vpc):
    vpc.log_to_group()
    vpc.log_to_s3()
    sandbox.network.disturb_delivery(delay_seconds=1800)
    vpc.connect(443)
    sandbox.clock.advance(1800)
    assert files() == []
    sandbox.clock.advance(600)
    assert len(files()) == 1
    assert sum(message.endswith("OK") for message in vpc.messages()) == 1


def test_lost_records_are_told_by_skipdata(sandbox, vpc):
    vpc.log_to_group()
    sandbox.network.disturb_delivery(lost=1.0)
    vpc.connect(443)
    sandbox.clock.advance(60)
    sandbox.network.disturb_delivery()
    sandbox.clock.advance(300)
    assert [message.split()[3:] for message in vpc.messages()] == [
        ["-"] * 7 + ["1793610000", "1793610059", "-", "SKIPDATA"],
        ["-"] * 7 + ["1793610060", "1793610119", "-", "NODATA"],
    ]


def story(seed):
    """What a small day of a lab leaves behind, in a sandbox of its own."""
    sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), seed=seed)
    try:
        with sandbox.change():
            vpc = Vpc(sandbox)
        vpc.log_to_s3()
        vpc.log_to_group()
        vpc.connect(22, count=3)
        sandbox.clock.advance(900)
        return [(key, s3.get_object(BUCKET, key)) for key in files()], vpc.messages()
    finally:
        sandbox.close()


def test_the_same_seed_leaves_the_same_bytes():
    assert story(3) == story(3)
    assert story(3) != story(4)


def test_a_missing_log_group_is_made_with_the_first_records(sandbox, vpc):
    flow_log = vpc.log_to_group()
    assert vpc.flow_log(flow_log)["DeliverLogsStatus"] == "SUCCESS"
    vpc.connect(22)
    sandbox.clock.advance(300)
    groups = client_call(sandbox, "logs", "DescribeLogGroups")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [GROUP]


def test_without_a_role_nothing_is_delivered_until_it_is_there(sandbox, vpc):
    flow_log = vpc.log_to_group()
    vpc.role.delete_policy("logs")
    vpc.connect(443)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == ("FAILED", "Access error")
    vpc.role.put_policy("logs", '{"Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}')
    vpc.connect(444)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == ("SUCCESS", None)
    assert {message.split()[6] for message in vpc.messages() if message.endswith("OK")} == {"444"}


def test_a_role_that_flow_logs_may_not_assume_is_an_access_error_at_once(sandbox, vpc):
    vpc.log_to_group()
    vpc.role.assume_role_policy_document = json.dumps(
        {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}
    )
    assert vpc.delivery_status(vpc.log_to_group(TrafficType="REJECT")) == ("FAILED", "Access error")
    missing = f"arn:aws:iam::{sandbox.account_id}:role/Nobody"
    assert vpc.delivery_status(vpc.log_to_group(TrafficType="ACCEPT", DeliverLogsPermissionArn=missing))[0] == "FAILED"


def test_a_role_that_may_not_make_log_groups_needs_one(sandbox, vpc):
    vpc.log_to_group()
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    vpc.role.put_policy("logs", json.dumps({"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}))
    flow_log = vpc.log_to_group(TrafficType="REJECT")
    assert vpc.delivery_status(flow_log) == ("FAILED", "Access error")
    client_call(sandbox, "logs", "CreateLogGroup", logGroupName=GROUP)
    vpc.connect(443)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == ("SUCCESS", None)


def test_a_bucket_gets_the_statements_that_it_lacks(vpc):
    vpc.log_to_s3()
    statements = json.loads(s3.bucket_policy(BUCKET))["Statement"]
    assert [each["Sid"] for each in statements] == ["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"]
    vpc.log_to_s3(TrafficType="REJECT")
    assert json.loads(s3.bucket_policy(BUCKET))["Statement"] == statements


def test_the_statements_join_those_that_are_there(vpc):
    vpc.make_bucket()
    own = {"Sid": "Own", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    s3.set_bucket_policy(BUCKET, json.dumps({"Version": "2012-10-17", "Statement": [own]}))
    vpc.log_to_s3()
    statements = json.loads(s3.bucket_policy(BUCKET))["Statement"]
    assert [each["Sid"] for each in statements] == ["Own", "AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"]


def test_a_bucket_that_denies_delivery_is_told_as_unsuccessful(vpc):
    vpc.make_bucket()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    s3.set_bucket_policy(BUCKET, json.dumps({"Statement": [deny]}))
    result = vpc.create_flow_logs(**TO_BUCKET)
    (refused,) = result["Unsuccessful"]
    message = f"Access Denied for LogDestination: {BUCKET}. Please check LogDestination permission"
    assert refused["Error"] == {"Code": "400", "Message": message}


def test_a_bucket_that_loses_its_policy_or_goes_is_an_access_error(sandbox, vpc):
    flow_log = vpc.log_to_s3()
    policy = s3.bucket_policy(BUCKET)
    s3.set_bucket_policy(BUCKET, "{}")
    sandbox.clock.advance(540)
    assert (vpc.delivery_status(flow_log), files()) == (("FAILED", "Access error"), [])
    s3.set_bucket_policy(BUCKET, policy)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == ("SUCCESS", None)
    assert len(files()) == 1
    for key in files():
        s3.delete_object(BUCKET, key)
    moto_state.backend("s3", sandbox.account_id, "aws").delete_bucket(BUCKET)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == ("FAILED", "Access error")


def test_a_ping_that_the_network_acl_lets_in_but_not_out_is_two_records(sandbox, vpc):
    """AWS's own example: a security group admits ICMP, a network ACL denies it on the way out.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html
    """
    vpc.allow(vpc.ssh, "icmp", -1, -1, "203.0.113.0/24")
    vpc.deny(50, egress=True, protocol="1")
    vpc.log_to_group()
    assert vpc.connect(0, protocol="icmp")["outcome"] == "timed out"
    sandbox.clock.advance(300)
    own = vpc.private_address
    lines = [message.split()[3:10] + message.split()[12:] for message in vpc.messages()]
    assert lines == [
        [LEARNER, own, "0", "0", "1", "4", "336", "ACCEPT", "OK"],
        [own, LEARNER, "0", "0", "1", "4", "336", "REJECT", "OK"],
    ]
