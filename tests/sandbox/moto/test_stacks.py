import json

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.journal import Journal
from tests.sandbox.in_process import BARE, client_maker, open_host

TOPIC = "Description: A topic\nResources: {T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: made}}}"
BOMB = "a: &a [x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b]\nResources: {T: {Type: 'AWS::SNS::Topic'}}"
ALIASES = "Template error: YAML aliases are not allowed in CloudFormation templates"


@pytest.fixture
def client(host):
    return client_maker(host)


@pytest.fixture
def stacks(client):
    return client("cloudformation")


@pytest.fixture
def stored(client):
    """What stores a template in S3; returns its address."""
    s3 = client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def store(text: str, key: str = "a template.yaml") -> str:
        s3.put_object(Bucket="templates", Key=key, Body=text.encode())
        return f"https://templates.s3.eu-west-1.amazonaws.com/{key.replace(' ', '%20')}"

    return store


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    return caught.value.response["Error"]["Message"]


def code(mark) -> str:
    """A template that leaves a mark on the disk if it is loaded as moto would."""
    return (
        "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: "
        f"{{DisplayName: !!python/object/apply:os.mkdir ['{mark}']}}}}}}"
    )


def calls(stacks):
    """Every call that takes a template, but for the template."""
    named = {"StackName": "s"}
    return {
        "create_stack": (stacks.create_stack, named),
        "update_stack": (stacks.update_stack, {"StackName": "standing"}),
        "create_change_set": (stacks.create_change_set, {**named, "ChangeSetName": "c", "ChangeSetType": "CREATE"}),
        "get_template_summary": (stacks.get_template_summary, {}),
        "validate_template": (stacks.validate_template, {}),
        "estimate_template_cost": (stacks.estimate_template_cost, {}),
        "create_stack_set": (stacks.create_stack_set, {"StackSetName": "s"}),
        "update_stack_set": (stacks.update_stack_set, {"StackSetName": "set"}),
    }


@pytest.mark.parametrize(
    "name",
    [
        "create_stack", "update_stack", "create_change_set", "get_template_summary", "validate_template",
        "estimate_template_cost", "create_stack_set", "update_stack_set",
    ],
)  # fmt: skip
def test_no_template_runs_code(stacks, tmp_path, name):
    stacks.create_stack(StackName="standing", TemplateBody=TOPIC)
    stacks.create_stack_set(StackSetName="set", TemplateBody=TOPIC)
    call, parameters = calls(stacks)[name]
    mark = tmp_path / "mark"
    assert refused(call, **parameters, TemplateBody=code(mark)).startswith("Template format error: YAML not well-form")
    assert refused(call, **parameters, TemplateBody=BOMB) == ALIASES
    message = refused(call, **parameters, TemplateBody="[" * 2000 + "]" * 2000)
    assert message == "Template format error: YAML not well-formed. (line 1, column 101)"
    assert not mark.exists()


@pytest.mark.parametrize("name", ["create_stack", "create_change_set", "get_template_summary", "validate_template"])
def test_no_template_from_s3_runs_code(stacks, stored, tmp_path, name):
    call, parameters = calls(stacks)[name]
    mark = tmp_path / "mark"
    assert "not well-formed" in refused(call, **parameters, TemplateURL=stored(code(mark)))
    assert refused(call, **parameters, TemplateURL=stored(BOMB)) == ALIASES
    assert not mark.exists()


def test_no_nested_template_runs_code(stacks, stored, tmp_path):
    url = stored(code(tmp_path / "mark"))
    parent = json.dumps(
        {"Resources": {"S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}}
    )
    stacks.create_stack(StackName="parent", TemplateBody=parent)
    events = stacks.describe_stack_events(StackName="parent")["StackEvents"]
    assert any("not well-formed" in each.get("ResourceStatusReason", "") for each in events)
    assert not (tmp_path / "mark").exists()


def test_a_refused_template_leaves_no_trace_in_the_journal(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    stacks = client_maker(host)("cloudformation")
    refused(stacks.create_stack, StackName="s", TemplateBody=code(tmp_path / "mark"))
    host.close()
    assert "mark" not in (tmp_path / "journal.sqlite").read_text("latin-1")
    journal = Journal(tmp_path / "journal.sqlite")
    assert list(journal.entries()) == []
    journal.close()


def test_a_template_in_a_request_has_51_200_bytes_at_most(stacks):
    message = refused(stacks.create_stack, StackName="s", TemplateBody=TOPIC + "#" * 51_200)
    assert message.endswith(
        "at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200"
    )


def test_a_larger_template_comes_from_s3(stacks, stored):
    stacks.create_stack(StackName="s", TemplateURL=stored(f"{TOPIC}\n#{'#' * 60_000}"))
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    message = refused(stacks.create_stack, StackName="t", TemplateURL=stored(f"{TOPIC}\n{'#' * 1_000_000}"))
    assert message == "Template may not exceed 1000000 bytes in size."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.org/templates/a", "TemplateURL must be a supported URL."),
        ("https://s3.example.org/templates/a", "TemplateURL must be a supported URL."),
        ("http://[", "TemplateURL must be a supported URL."),
        (
            "https://s3.amazonaws.com/templates",
            "TemplateURL must reference a valid S3 object to which you have access.",
        ),
        ("https://s3.amazonaws.com/templates/b", "S3 error: The specified key does not exist."),
        ("https://no-such.s3.amazonaws.com/a", "S3 error: The specified bucket does not exist"),
    ],
)
def test_a_url_names_an_object_of_the_sandbox(stacks, stored, url, message):
    stored(TOPIC)
    assert refused(stacks.create_stack, StackName="s", TemplateURL=url).startswith(message)


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com/templates/a",
        "https://s3.eu-west-1.amazonaws.com/templates/a",
        "https://s3-eu-west-1.amazonaws.com/templates/a",
        "https://templates.s3.amazonaws.com/a",
        "https://templates.s3.eu-west-1.amazonaws.com/a",
        "http://127.0.0.1:4566/templates/a",
        "http://localhost:4566/templates/a",
    ],
)
def test_every_form_of_an_objects_address_is_read(stacks, stored, url):
    stored(TOPIC, "a")
    assert stacks.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::SNS::Topic"]


def test_an_older_version_of_a_template_is_read(stacks, stored, client):
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket="templates", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="templates", Key="a", Body=TOPIC.encode())["VersionId"]
    url = stored("Resources: {B: {Type: 'AWS::S3::Bucket'}}", "a")
    assert stacks.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::S3::Bucket"]
    summary = stacks.get_template_summary(TemplateURL=f"{url}?versionId={version}")
    assert summary["ResourceTypes"] == ["AWS::SNS::Topic"]


@pytest.mark.parametrize("policy", ["[" * 2000, "no policy", "[]"])
def test_a_stack_policy_that_is_none_is_refused(stacks, policy):
    message = refused(stacks.create_stack, StackName="s", TemplateBody=TOPIC, StackPolicyBody=policy)
    assert message == "Error validating stack policy: Invalid policy"
    stacks.create_stack(StackName="s", TemplateBody=TOPIC)
    message = refused(stacks.set_stack_policy, StackName="s", StackPolicyBody=policy)
    assert message == "Error validating stack policy: Invalid policy"


def test_dates_in_a_policy_need_no_quotes(stacks, client):
    statement = "[{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: 'sts:AssumeRole'}]"
    policy = f"{{Version: 2012-10-17, Statement: {statement}}}"
    role = f"{{Type: 'AWS::IAM::Role', Properties: {{RoleName: r, AssumeRolePolicyDocument: {policy}}}}}"
    template = f"AWSTemplateFormatVersion: 2010-09-09\nResources: {{R: {role}}}"
    stacks.create_stack(StackName="s", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    role = client("iam").get_role(RoleName="r")["Role"]
    assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    assert stacks.validate_template(TemplateBody=template)["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


ROLE = "Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {Statement: []}"


@pytest.mark.parametrize(
    ("name", "needed"), [("", "CAPABILITY_IAM"), (", RoleName: named", "CAPABILITY_NAMED_IAM")], ids=["any", "named"]
)
def test_a_template_that_makes_permissions_needs_to_be_told_that_it_may(stacks, stored, client, name, needed):
    template = f"Resources: {{R: {{{ROLE}{name}}}}}}}"
    stacks.create_stack(StackName="standing", TemplateBody=TOPIC)
    for call, parameters in (
        (stacks.create_stack, {"StackName": "s", "TemplateBody": template}),
        (stacks.create_stack, {"StackName": "s", "TemplateURL": stored(template)}),
        (stacks.update_stack, {"StackName": "standing", "TemplateBody": template}),
        (stacks.create_stack_set, {"StackSetName": "s", "TemplateBody": template}),
    ):
        with pytest.raises(ClientError, match=rf"Requires capabilities : \[{needed}\]") as caught:
            call(**parameters)
        assert caught.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"
    assert client("iam").list_roles()["Roles"] == []
    stacks.create_stack(StackName="s", TemplateBody=template, Capabilities=[needed])
    assert len(client("iam").list_roles()["Roles"]) == 1


def test_a_template_with_a_transform_is_refused(stacks):
    template = f"Transform: AWS::Serverless-2016-10-31\n{TOPIC}"
    message = refused(stacks.create_stack, StackName="s", TemplateBody=template)
    assert message == "The sandbox runs no macros and transforms, such as AWS::Serverless-2016-10-31."


def test_a_template_is_validated_by_what_it_says(stacks):
    template = (
        f"Parameters: {{A: {{Type: String, Default: 1, Description: d}}, B: {{Type: String, NoEcho: true}}}}\n{TOPIC}"
    )
    answer = stacks.validate_template(TemplateBody=template)
    assert answer["Description"] == "A topic"
    assert answer["Parameters"] == [
        {"ParameterKey": "A", "DefaultValue": "1", "NoEcho": False, "Description": "d"},
        {"ParameterKey": "B", "NoEcho": True},
    ]
    assert answer["Capabilities"] == []


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::Lambda::Function", "AWS::CodeBuild::Project", "AWS::No::Such"])
def test_a_stack_of_what_the_sandbox_does_not_make_is_refused(stacks, client, kind):
    template = f"Resources: {{T: {{Type: 'AWS::SNS::Topic'}}, X: {{Type: '{kind}', Properties: {{ServiceToken: a}}}}}}"
    message = refused(stacks.create_stack, StackName="s", TemplateBody=template)
    assert message.startswith(f"Template format error: Unrecognized resource types: [{kind}].")
    assert "docs/sandbox.md" in message
    assert client("sns").list_topics()["Topics"] == []


def test_the_metadata_of_cdk_makes_nothing(stacks):
    template = f"{TOPIC[:-1]}, M: {{Type: 'AWS::CDK::Metadata', Properties: {{Analytics: a}}}}}}"
    stacks.create_stack(StackName="s", TemplateBody=template)
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
