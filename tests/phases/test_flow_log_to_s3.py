"""The flow log to S3: each way in which a learner gets it wrong is told, with what was seen and what is wanted."""

import pytest
from botocore.exceptions import ClientError

from labkit.checks.check import check
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.phases import flow_log_to_s3, flow_logs
from labkit.show.cell_errors import lines
from tests.phases.verdicts import absent, cases, item, make_flow_log, named, wrong

KEY = "flow log to S3"
CASES = cases(__file__, "flow_log_to_s3.json")
FACTS = [
    "all traffic",
    "aggregated over 1 minute",
    "format of the records",
    "files in the bucket",
    "active",
    "delivering",
]


def filled_in(lab, value):
    """A value with the learner's own bucket and the default format in its place."""
    if not isinstance(value, str):
        return value
    backwards = LogFormat(tuple(reversed(DEFAULT_FORMAT.fields)))
    words = {"{bucket}": lab.bucket, "{default}": str(DEFAULT_FORMAT), "{reversed}": str(backwards)}
    for word, own in words.items():
        value = value.replace(word, own)
    return value


@pytest.fixture
def make(lab):
    """Makes a flow log as the lab's, but for what is given; it is gone after the test."""
    ids = []

    def make(**differing):
        ids.append(make_flow_log(lab, **{name: filled_in(lab, value) for name, value in differing.items()}))
        return ids[-1]

    yield make
    if ids:
        lab.client("ec2").delete_flow_logs(FlowLogIds=ids)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_is_wrong_is_named_and_not_taken_for_the_labs(lab, make, case):
    theirs = make(**case["made"])
    found = check(KEY)
    assert (wrong(found), absent(found)) == (case["wrong"], [])
    first = item(found, next(iter(case["wrong"])))
    assert first.wanted == case["wanted"]
    assert case["hint"] in first.hint
    if set(case["made"]) != {"MaxAggregationInterval"}:
        card = flow_log_to_s3.solve(lab)
        assert (card.outcome, card.id != theirs, check(KEY).passed) == ("created", True, True)
        lab.client("ec2").delete_flow_logs(FlowLogIds=[card.id])


def test_a_right_one_has_each_of_its_facts_checked(make):
    flow_log_id = make()
    found = check(KEY)
    assert found.passed
    assert [each.name for each in found.items[1:]] == FACTS
    assert found.items[0].seen == flow_log_id


def test_a_right_one_beside_a_wrong_one_is_enough(make):
    make(TrafficType="REJECT")
    good = make()
    found = check(KEY)
    assert found.passed
    assert found.items[0].seen == good


def test_of_two_wrong_ones_the_nearer_is_told(make):
    make(TrafficType="REJECT", MaxAggregationInterval=600)
    nearer = make(MaxAggregationInterval=600)
    found = check(KEY)
    assert found.items[0].seen == nearer
    assert wrong(found) == {"aggregated over 1 minute": "600 s"}


@pytest.mark.parametrize("kind", ["Subnet", "NetworkInterface"])
def test_a_flow_log_of_a_part_of_the_vpc_is_of_the_wrong_resource(lab, make, kind):
    subnets = lab.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [lab.vpc.id]}])["Subnets"]
    resource = subnets[0]["SubnetId"] if kind == "Subnet" else lab.web_server.interface_id
    flow_log_id = make(ResourceType=kind, ResourceIds=[resource])
    (only,) = check(KEY).items
    assert only.seen == f"{flow_log_id} records {resource}"
    assert only.wanted == lab.vpc.id
    assert lab.vpc.name in only.hint


def test_a_bucket_that_only_begins_alike_is_another_one(lab, make):
    other = f"{lab.bucket}-too"
    lab.client("s3").create_bucket(Bucket=other, CreateBucketConfiguration={"LocationConstraint": lab.region})
    make(LogDestination=f"arn:aws:s3:::{other}")
    assert absent(check(KEY)) == [f"flow log of the lab VPC to the bucket {lab.bucket}"]


def test_a_flow_log_to_cloudwatch_logs_is_none_to_s3(lab):
    flow_logs.publish_to_cloudwatch(lab)
    assert len(absent(check(KEY))) == 1
    flow_logs.delete_flow_logs(lab, flow_logs.Destination("cloud-watch-logs", flow_logs.LOG_GROUP))


def test_of_two_that_aws_takes_for_the_same_the_first_has_to_go(lab, make):
    make(MaxAggregationInterval=600)
    with pytest.raises(ClientError) as refusal:
        flow_log_to_s3.solve(lab)
    said, step = lines(refusal.value)
    assert "FlowLogAlreadyExists" in said
    assert "delete it, as the last hint of `check(...)` shows" in step


@pytest.fixture
def policy(lab):
    """The bucket's policy; it is put back after the test."""
    s3 = lab.client("s3")
    policy = s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]
    yield policy
    s3.put_bucket_policy(Bucket=lab.bucket, Policy=policy)


@pytest.mark.usefixtures("policy")
def test_a_delivery_in_trouble_is_told_in_awss_words_with_where_to_look(lab, make, let_pass):
    make()
    lab.client("s3").delete_bucket_policy(Bucket=lab.bucket)
    let_pass(15)
    found = check(KEY)
    assert wrong(found) == {"delivering": "Access error"}
    assert "explain_bucket_policy(lab)" in item(found, "delivering").hint


def test_a_bucket_without_a_policy_is_explained(lab, policy):
    s3 = lab.client("s3")
    s3.delete_bucket_policy(Bucket=lab.bucket)
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        flow_logs.explain_bucket_policy(lab)
    s3.put_bucket_policy(Bucket=lab.bucket, Policy=policy)
    assert flow_logs.explain_bucket_policy(lab).rows


@pytest.mark.usefixtures("policy")
def test_a_statement_that_denies_and_one_with_a_list_are_said_in_words(lab):
    s3 = lab.client("s3")
    arn = f"arn:aws:s3:::{lab.bucket}"
    statements = f"""[
        {{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["{arn}", "{arn}/*"],
          "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}}}},
        {{"Sid": "two", "Effect": "Allow", "Principal": {{"Service": "delivery.logs.amazonaws.com"}},
          "Action": ["s3:PutObject", "s3:GetBucketAcl"], "Resource": "{arn}/*",
          "Condition": {{"ArnLike": {{"aws:SourceArn": "arn:aws:logs:*"}}}}}}]"""
    s3.put_bucket_policy(Bucket=lab.bucket, Policy=f'{{"Version": "2012-10-17", "Statement": {statements}}}')
    deny, allow = flow_logs.explain_bucket_policy(lab).rows
    both = f"{lab.bucket}, {lab.bucket}/*"
    assert deny == ("", "*", "not s3:*", both, "aws:SecureTransport is false")
    assert allow[1:3] == ("delivery.logs.amazonaws.com", "s3:PutObject, s3:GetBucketAcl")
    assert allow[4] == "aws:SourceArn is like arn:aws:logs:*"
