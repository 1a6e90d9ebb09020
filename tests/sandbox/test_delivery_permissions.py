"""Who may deliver what where: roles, and the policies of buckets."""

import json
from pathlib import Path

import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from tests.sandbox.network.vpc import BUCKET, GROUP, TO_BUCKET, Vpc

DOCUMENTED = json.loads((Path(__file__).parent / "delivery_permissions.json").read_text())
WRITE, ACL_CHECK = "AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"


@pytest.fixture
def role(vpc):
    """The role that flow logs to the log group are given; nothing was delivered with it yet."""
    return vpc.role


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def put(vpc, bucket_policy):
    """Gives the bucket a policy; the bucket is made where it is missing."""
    vpc.make_bucket()
    s3.set_bucket_policy(BUCKET, bucket_policy)


def statements():
    return json.loads(s3.bucket_policy(BUCKET))["Statement"]


@pytest.mark.parametrize("case", DOCUMENTED["trust_policies"], ids=lambda case: case["name"])
def test_flow_logs_assume_a_role_whose_trust_policy_lets_them(sandbox, vpc, role, case):
    role.assume_role_policy_document = policy(case["statement"])
    flow_log = vpc.log_to_group()
    vpc.connect(22)
    sandbox.clock.advance(300)
    assert vpc.delivery_status(flow_log) == (("SUCCESS", None) if case["delivers"] else ("FAILED", "Access error"))


@pytest.mark.parametrize("case", DOCUMENTED["role_policies"], ids=lambda case: case["name"])
def test_a_role_delivers_to_the_log_groups_that_its_policy_names(sandbox, vpc, role, case):
    role.put_policy("logs", policy(case["statement"]))
    flow_log = vpc.log_to_group()
    vpc.connect(22)
    sandbox.clock.advance(300)
    assert (vpc.delivery_status(flow_log)[0] == "SUCCESS") is case["delivers"]
    assert (len(vpc.messages()) if case["delivers"] else 0) == 2 * case["delivers"]


@pytest.mark.parametrize("case", DOCUMENTED["bucket_policies"], ids=lambda case: case["name"])
def test_files_are_put_where_the_bucket_s_policy_lets_log_delivery_put_them(sandbox, vpc, case):
    flow_log = vpc.log_to_s3()
    put(vpc, policy(case["statement"]))
    sandbox.clock.advance(540)
    assert (vpc.delivery_status(flow_log)[0] == "SUCCESS") is case["delivers"]
    assert bool(s3.list_objects(BUCKET)) is case["delivers"]


@pytest.mark.parametrize("case", DOCUMENTED["denials"], ids=lambda case: case["name"])
def test_what_a_bucket_denies_keeps_a_flow_log_from_being_made(vpc, case):
    put(vpc, policy(DOCUMENTED["bucket_policies"][0]["statement"], case["statement"]))
    made = vpc.create_flow_logs(**TO_BUCKET)
    message = f"Access Denied for LogDestination: {BUCKET}. Please check LogDestination permission"
    refused = [each["Error"]["Message"] for each in made["Unsuccessful"]]
    assert refused == ([] if case["delivers"] else [message])


def test_a_role_that_expires_stops_delivering_then(sandbox, vpc, role):
    until = {"DateLessThan": {"aws:CurrentTime": "2026-11-02T09:06:00Z"}}
    role.put_policy("logs", policy({"Effect": "Allow", "Action": "logs:*", "Resource": "*", "Condition": until}))
    flow_log = vpc.log_to_group()
    sandbox.clock.advance(330)
    assert vpc.delivery_status(flow_log) == ("SUCCESS", None)
    sandbox.clock.advance(330)
    assert vpc.delivery_status(flow_log) == ("FAILED", "Access error")
    assert len(vpc.messages()) == 1


def test_a_managed_policy_counts_as_an_inline_one_does(sandbox, vpc, role):
    iam = moto_state.backend("iam", sandbox.account_id, "aws")
    role.delete_policy("logs")
    assert vpc.delivery_status(vpc.log_to_group()) == ("FAILED", "Access error")
    document = policy({"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
    managed = iam.create_policy("", "/", document, "logs", {})
    iam.attach_role_policy(managed.arn, "Deliver")
    assert vpc.delivery_status(vpc.log_to_group(TrafficType="REJECT")) == ("SUCCESS", None)


def test_the_statements_that_a_bucket_gets_are_the_guide_s(vpc):
    vpc.log_to_s3()
    write, acl_check = statements()
    source = {"ArnLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:123456789012:*"}}
    account = {"aws:SourceAccount": "123456789012"}
    assert write == {
        "Sid": WRITE,
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/123456789012/*",
        "Condition": {"StringEquals": {**account, "s3:x-amz-acl": "bucket-owner-full-control"}, **source},
    }
    assert acl_check == {
        "Sid": ACL_CHECK,
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:GetBucketAcl",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": {"StringEquals": account, **source},
    }


@pytest.mark.parametrize(
    ("destination", "options", "resource"),
    [
        ("/", {}, "AWSLogs/123456789012/*"),
        ("/optional/folder/", {}, "optional/folder/AWSLogs/123456789012/*"),
        ("", {"HiveCompatiblePartitions": True}, "AWSLogs/aws-account-id=123456789012/*"),
        ("/f", {"HiveCompatiblePartitions": True, "PerHourPartition": True}, "f/AWSLogs/aws-account-id=123456789012/*"),
    ],
)
def test_the_statement_names_the_folder_that_files_go_to(vpc, destination, options, resource):
    vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}{destination}", DestinationOptions=options)
    assert statements()[0]["Resource"] == f"arn:aws:s3:::{BUCKET}/{resource}"


def test_statements_for_another_folder_get_ids_of_their_own(vpc):
    vpc.log_to_s3()
    for folder in ("a", "b"):
        vpc.log_to_s3(LogDestination=f"arn:aws:s3:::{BUCKET}/{folder}")
    assert [each["Sid"] for each in statements()] == [
        WRITE, ACL_CHECK, f"{WRITE}1", f"{ACL_CHECK}1", f"{WRITE}2", f"{ACL_CHECK}2",
    ]  # fmt: skip


@pytest.mark.parametrize("document", ["{}", '{"Version": "2012-10-17"}', '{"Statement": []}'])
def test_a_policy_without_statements_gets_them(vpc, document):
    put(vpc, document)
    flow_log = vpc.log_to_s3()
    assert [each["Sid"] for each in statements()] == [WRITE, ACL_CHECK]
    assert vpc.delivery_status(flow_log) == ("SUCCESS", None)


def test_a_single_statement_is_joined_by_those_for_delivery(vpc):
    own = {"Sid": "Own", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
    put(vpc, json.dumps({"Version": "2012-10-17", "Statement": own}))
    vpc.log_to_s3()
    assert [each["Sid"] for each in statements()] == ["Own", WRITE, ACL_CHECK]


def test_a_bucket_that_lets_one_region_deliver_gets_statements_for_the_other(sandbox, vpc):
    vpc.log_to_s3()
    Vpc(sandbox, cidr="10.9.0.0/16", region="us-east-1").log_to_s3()
    sources = [each["Condition"]["ArnLike"]["aws:SourceArn"] for each in statements()]
    regions = [source.split(":")[3] for source in sources]
    assert regions == ["eu-west-1", "eu-west-1", "us-east-1", "us-east-1"]


def test_a_bucket_s_policy_says_nothing_of_log_groups_nor_a_role_of_buckets(sandbox, vpc, role):
    role.delete_policy("logs")
    to_bucket, to_group = vpc.log_to_s3(), vpc.log_to_group()
    s3.set_bucket_policy(BUCKET, s3.bucket_policy(BUCKET))
    sandbox.clock.advance(600)
    assert vpc.delivery_status(to_bucket) == ("SUCCESS", None)
    assert vpc.delivery_status(to_group) == ("FAILED", "Access error")


def test_the_error_message_is_shown_only_while_there_is_one(vpc, role):
    good = vpc.log_to_group()
    assert "DeliverLogsErrorMessage" not in vpc.flow_log(good)
    role.delete_policy("logs")
    bad = vpc.log_to_group(LogGroupName=f"{GROUP}-2")
    assert vpc.flow_log(bad)["DeliverLogsErrorMessage"] == "Access error"
    failed = vpc.call("DescribeFlowLogs", Filter=[{"Name": "deliver-log-status", "Values": ["FAILED"]}])["FlowLogs"]
    assert [each["FlowLogId"] for each in failed] == [bad]


def test_a_flow_log_that_can_not_deliver_is_active_all_the_same(vpc, role):
    role.delete_policy("logs")
    flow_log = vpc.log_to_group()
    assert vpc.flow_log(flow_log)["FlowLogStatus"] == "ACTIVE"
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        vpc.events()
