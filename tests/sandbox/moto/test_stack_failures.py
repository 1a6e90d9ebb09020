import json

import pytest

from tests.sandbox.in_process import BARE, client_maker, open_host
from tests.sandbox.seen import Viewer

TOPIC = "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: kept}}}\nOutputs: {O: {Value: !Ref T}}"
HALF = (
    "Resources: {A: {Type: 'AWS::SNS::Topic', Properties: {TopicName: half}}, "
    "B: {Type: 'AWS::SQS::Queue', DependsOn: A, Properties: {QueueName: 'no name!'}}}"
)
WHY = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"


@pytest.fixture
def make(host):
    return client_maker(host)


@pytest.fixture
def stacks(make):
    return make("cloudformation")


@pytest.fixture
def topics(make):
    return lambda: [each["TopicArn"].split(":")[-1] for each in make("sns").list_topics()["Topics"]]


def events(stacks, name):
    found = stacks.describe_stack_events(StackName=name)["StackEvents"][::-1]
    return [(each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason")) for each in found]


def status(stacks, name):
    return stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def test_a_stack_that_fails_halfway_is_rolled_back_and_says_why(stacks, topics):
    stacks.create_stack(StackName="s", TemplateBody=HALF)
    assert topics() == []
    assert status(stacks, "s") == "ROLLBACK_COMPLETE"
    assert events(stacks, "s") == [
        ("s", "CREATE_IN_PROGRESS", "User Initiated"),
        ("B", "CREATE_FAILED", WHY),
        ("s", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [B]. Rollback requested by user."),
        ("s", "ROLLBACK_COMPLETE", None),
    ]
    assert stacks.describe_stack_resources(StackName="s")["StackResources"] == []
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


def test_a_change_set_that_fails_is_rolled_back(stacks, topics):
    stacks.create_change_set(StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=HALF)
    stacks.execute_change_set(StackName="s", ChangeSetName="c")
    assert (status(stacks, "s"), topics()) == ("ROLLBACK_COMPLETE", [])


def test_a_stack_made_by_a_change_set_has_outputs(stacks):
    stacks.create_change_set(StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TOPIC)
    stacks.execute_change_set(StackName="s", ChangeSetName="c")
    (output,) = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert output == {"OutputKey": "O", "OutputValue": "arn:aws:sns:eu-west-1:123456789012:kept"}


@pytest.mark.parametrize("by_change_set", [False, True])
def test_an_update_that_fails_goes_back_to_the_template_before(stacks, topics, by_change_set):
    stacks.create_stack(StackName="s", TemplateBody=TOPIC)
    if by_change_set:
        stacks.create_change_set(StackName="s", ChangeSetName="c", ChangeSetType="UPDATE", TemplateBody=HALF)
        stacks.execute_change_set(StackName="s", ChangeSetName="c")
    else:
        stacks.update_stack(StackName="s", TemplateBody=HALF)
    assert (status(stacks, "s"), topics()) == ("UPDATE_ROLLBACK_COMPLETE", ["kept"])
    assert ("B", "UPDATE_FAILED", WHY) in events(stacks, "s")
    assert "kept" in stacks.get_template(StackName="s")["TemplateBody"]


def test_what_a_template_names_again_is_made_again(stacks, topics):
    stacks.create_stack(StackName="s", TemplateBody=TOPIC)
    stacks.update_stack(StackName="s", TemplateBody="Resources: {U: {Type: 'AWS::SNS::Topic'}}")
    stacks.update_stack(StackName="s", TemplateBody=TOPIC)
    assert topics() == ["kept"]


def test_a_stack_fails_with_the_one_in_it(stacks, make, topics):
    s3 = make("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="templates", Key="half", Body=HALF.encode())
    url = "https://templates.s3.eu-west-1.amazonaws.com/half"
    inner = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    stacks.create_stack(StackName="outer", TemplateBody=json.dumps({"Resources": {"Inner": inner}}))
    assert [each["StackName"] for each in stacks.describe_stacks()["Stacks"]] == ["outer"]
    assert (status(stacks, "outer"), topics()) == ("ROLLBACK_COMPLETE", [])
    assert any(WHY in (reason or "") for _, _, reason in events(stacks, "outer"))


def test_a_stack_that_can_not_be_deleted_stays(stacks, make):
    stacks.create_stack(
        StackName="s", TemplateBody="Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: full}}}"
    )
    make("s3").put_object(Bucket="full", Key="k", Body=b"")
    stacks.delete_stack(StackName="s")
    assert status(stacks, "s") == "DELETE_FAILED"
    make("s3").delete_object(Bucket="full", Key="k")
    stacks.delete_stack(StackName="s")
    assert (stacks.describe_stacks()["Stacks"], make("s3").list_buckets()["Buckets"]) == ([], [])


def test_looking_at_a_deleted_stack_makes_nothing(stacks, topics):
    stack_id = stacks.create_stack(StackName="s", TemplateBody=TOPIC)["StackId"]
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stack_resources(StackName=stack_id)["StackResources"] == []
    assert topics() == []


def test_stacks_that_failed_are_as_they_were_after_a_restart(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    stacks = client_maker(host)("cloudformation")
    stacks.create_stack(StackName="updated", TemplateBody=TOPIC)
    stacks.update_stack(StackName="updated", TemplateBody=HALF)
    stacks.create_stack(StackName="failed", TemplateBody=HALF)
    before = Viewer(host).view(), events(stacks, "failed"), events(stacks, "updated")
    host.close()
    host = open_host(tmp_path / "journal.sqlite", BARE)
    stacks = client_maker(host)("cloudformation")
    assert (Viewer(host).view(), events(stacks, "failed"), events(stacks, "updated")) == before
    host.close()
