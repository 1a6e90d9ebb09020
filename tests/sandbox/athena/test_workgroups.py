"""Work groups: what a name may be, which settings go before which, what is left when a group is deleted.

https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html and the API reference.
"""

import pytest

from tests.sandbox.athena.conftest import BUCKET

TEAM = f"s3://{BUCKET}/team/"
MINE = f"s3://{BUCKET}/mine/"
KMS = {"EncryptionOption": "SSE_KMS", "KmsKey": "arn:aws:kms:eu-west-1:123456789012:key/1"}


def make(athena, name="team", **configuration):
    configuration.setdefault("ResultConfiguration", {"OutputLocation": TEAM})
    athena.call("CreateWorkGroup", Name=name, Configuration=configuration)


def shown(athena, name="team"):
    return athena.call("GetWorkGroup", WorkGroup=name)["WorkGroup"]


def update(athena, name="team", **params):
    athena.call("UpdateWorkGroup", WorkGroup=name, **params)


# --- what is there from the start


def test_primary_is_there_and_enforces_nothing(athena):
    primary = shown(athena, "primary")
    assert (primary["Name"], primary["State"]) == ("primary", "ENABLED")
    assert primary["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert primary["Configuration"]["ResultConfiguration"] == {}


def test_primary_can_not_be_deleted(athena):
    assert athena.refused("DeleteWorkGroup", WorkGroup="primary") == (
        "InvalidRequestException: WorkGroup primary cannot be deleted"
    )
    assert shown(athena, "primary")["State"] == "ENABLED"


def test_each_region_has_groups_of_its_own(athena):
    make(athena)
    names = [each["Name"] for each in athena.call("ListWorkGroups", region="us-east-1")["WorkGroups"]]
    assert names == ["primary"]
    assert "team" in athena.refused("GetWorkGroup", region="us-east-1", WorkGroup="team")


# --- to create one


def test_what_aws_fills_in_for_a_new_group(athena):
    athena.call("CreateWorkGroup", Name="team", Description="about us")
    group = shown(athena)
    assert (group["State"], group["Description"]) == ("ENABLED", "about us")
    configuration = group["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["RequesterPaysEnabled"] is False
    assert configuration["EngineVersion"] == {
        "SelectedEngineVersion": "AUTO",
        "EffectiveEngineVersion": "Athena engine version 3",
    }


def test_a_group_says_when_it_was_made(athena):
    before = athena.sandbox.clock.now()
    athena.sandbox.clock.advance(90)
    make(athena)
    assert (shown(athena)["CreationTime"] - before).total_seconds() == 90


@pytest.mark.parametrize("name", ["a", "Team.1_a-b", "x" * 128])
def test_names_have_letters_digits_dots_dashes_and_underscores(athena, name):
    make(athena, name)
    assert shown(athena, name)["Name"] == name


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 129, "ü"])
def test_another_name_is_refused(athena, name):
    refusal = athena.refused("CreateWorkGroup", Name=name)
    assert refusal.startswith("InvalidRequestException: 1 validation error detected: Value ")
    assert "at 'name' failed to satisfy constraint" in refusal
    assert "[a-zA-Z0-9._-]{1,128}" in refusal


def test_a_name_is_given_once(athena):
    make(athena)
    assert athena.refused("CreateWorkGroup", Name="team") == ("InvalidRequestException: WorkGroup is already created")
    make(athena, "Team")  # names are told apart by case
    assert len(athena.call("ListWorkGroups")["WorkGroups"]) == 3


LIMITS = [
    ({"BytesScannedCutoffPerQuery": 9_999_999}, "value greater than or equal to 10000000"),
    ({"ResultConfiguration": {"EncryptionConfiguration": {"EncryptionOption": "AES"}}}, "enum value set"),
    ({"ResultConfiguration": {"ExpectedBucketOwner": "12345"}}, "length greater than or equal to 12"),
    ({"ResultConfiguration": {"AclConfiguration": {"S3AclOption": "PUBLIC_READ"}}}, "enum value set"),
]


@pytest.mark.parametrize(("configuration", "rule"), LIMITS, ids=[rule for _, rule in LIMITS])
def test_a_configuration_keeps_to_the_models_limits(athena, configuration, rule):
    refusal = athena.refused("CreateWorkGroup", Name="team", Configuration=configuration)
    assert refusal.startswith("InvalidRequestException: ")
    assert rule in refusal
    assert "not found" in athena.refused("GetWorkGroup", WorkGroup="team")


def test_a_description_has_at_most_1024_characters(athena):
    athena.call("CreateWorkGroup", Name="long", Description="x" * 1024)
    refusal = athena.refused("CreateWorkGroup", Name="longer", Description="x" * 1025)
    assert "length less than or equal to 1024" in refusal


# --- to list and change them


def test_groups_are_listed_by_name_in_pages(athena):
    for name in ("zeta", "alpha", "beta"):
        make(athena, name)
    first = athena.call("ListWorkGroups", MaxResults=3)
    rest = athena.call("ListWorkGroups", MaxResults=3, NextToken=first["NextToken"])
    assert [each["Name"] for each in first["WorkGroups"]] == ["alpha", "beta", "primary"]
    assert [each["Name"] for each in rest["WorkGroups"]] == ["zeta"]
    assert "NextToken" not in rest


@pytest.mark.parametrize("count", [0, 51])
def test_a_page_has_between_1_and_50_groups(athena, count):
    assert "at 'maxResults' failed to satisfy constraint" in athena.refused("ListWorkGroups", MaxResults=count)


def test_a_token_that_was_not_handed_out_is_refused(athena):
    assert athena.refused("ListWorkGroups", NextToken="nonsense") == "InvalidRequestException: Invalid NextToken"


def test_an_update_leaves_what_it_does_not_name(athena):
    make(athena, PublishCloudWatchMetricsEnabled=True, BytesScannedCutoffPerQuery=10_000_000)
    update(athena, Description="new")
    configuration = shown(athena)["Configuration"]
    assert shown(athena)["Description"] == "new"
    assert configuration["PublishCloudWatchMetricsEnabled"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000
    assert configuration["ResultConfiguration"] == {"OutputLocation": TEAM}


def test_an_update_can_take_the_limit_of_bytes_away(athena):
    make(athena, BytesScannedCutoffPerQuery=10_000_000)
    update(athena, ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    assert "BytesScannedCutoffPerQuery" not in shown(athena)["Configuration"]


REMOVALS = [
    ("RemoveEncryptionConfiguration", "EncryptionConfiguration", KMS),
    ("RemoveExpectedBucketOwner", "ExpectedBucketOwner", "123456789012"),
    ("RemoveAclConfiguration", "AclConfiguration", {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"}),
]


@pytest.mark.parametrize(("removal", "key", "value"), REMOVALS, ids=[key for _, key, _ in REMOVALS])
def test_a_setting_of_results_can_be_removed(athena, removal, key, value):
    make(athena, ResultConfiguration={"OutputLocation": TEAM, key: value})
    assert shown(athena)["Configuration"]["ResultConfiguration"][key] == value
    update(athena, ConfigurationUpdates={"ResultConfigurationUpdates": {removal: True}})
    assert shown(athena)["Configuration"]["ResultConfiguration"] == {"OutputLocation": TEAM}


def test_to_update_a_group_that_is_not_there(athena):
    assert athena.refused("UpdateWorkGroup", WorkGroup="nope", Description="x") == (
        "InvalidRequestException: WorkGroup is not found. WorkGroup name: nope"
    )


def test_a_disabled_group_runs_nothing_until_it_is_enabled(athena):
    make(athena)
    update(athena, State="DISABLED")
    assert athena.refused("StartQueryExecution", QueryString="SELECT 1", WorkGroup="team") == (
        "InvalidRequestException: WorkGroup team is disabled"
    )
    assert athena.call("ListQueryExecutions", WorkGroup="team")["QueryExecutionIds"] == []
    update(athena, State="ENABLED")
    assert athena.rows("SELECT 1", WorkGroup="team") == [["1"]]


# --- whose settings count: https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html


def test_enforced_settings_go_before_those_of_a_request(athena):
    settings = {"OutputLocation": TEAM, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    make(athena, ResultConfiguration=settings, EnforceWorkGroupConfiguration=True)
    asked = {"OutputLocation": MINE, "EncryptionConfiguration": KMS, "ExpectedBucketOwner": "123456789012"}
    done = athena.run("SELECT 1", WorkGroup="team", ResultConfiguration=asked)
    assert done.execution["ResultConfiguration"] == {**settings, "OutputLocation": f"{TEAM}{done.id}.csv"}


def test_settings_of_a_request_go_before_those_that_are_not_enforced(athena):
    settings = {"OutputLocation": TEAM, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    make(athena, ResultConfiguration=settings, EnforceWorkGroupConfiguration=False)
    done = athena.run("SELECT 1", WorkGroup="team", ResultConfiguration={"OutputLocation": MINE})
    assert done.output == f"{MINE}{done.id}.csv"
    by_itself = athena.run("SELECT 1", WorkGroup="team", ResultConfiguration={})
    assert by_itself.execution["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert by_itself.output.startswith(TEAM)


CTAS = f"CREATE TABLE made WITH (external_location = '{MINE}made/') AS SELECT 1 AS a"


def test_an_enforced_location_leaves_none_for_create_table_as(athena):
    make(athena, EnforceWorkGroupConfiguration=True)
    assert athena.refused("StartQueryExecution", QueryString=CTAS, WorkGroup="team") == (
        "InvalidRequestException: The Create Table As Select query failed because it was submitted with an"
        " 'external_location' property to an Athena Workgroup that enforces a centralized output location for all"
        " queries. Please remove the 'external_location' property and resubmit the query."
    )
    assert athena.call("ListQueryExecutions", WorkGroup="team")["QueryExecutionIds"] == []
    done = athena.run("CREATE TABLE made AS SELECT 1 AS a", WorkGroup="team")
    assert done.output == f"{TEAM}tables/{done.id}"


def test_a_location_that_is_not_enforced_gives_way_to_create_table_as(athena):
    make(athena, EnforceWorkGroupConfiguration=False)
    assert athena.run(CTAS, WorkGroup="team").state == "SUCCEEDED"
    assert athena.rows("SELECT count(*) FROM made WHERE \"$path\" LIKE '%/mine/made/%'") == [["1"]]


def test_primary_can_be_given_a_location(athena):
    updates = {"ResultConfigurationUpdates": {"OutputLocation": TEAM}, "EnforceWorkGroupConfiguration": True}
    update(athena, "primary", ConfigurationUpdates=updates)
    assert athena.run("SELECT 1", ResultConfiguration={"OutputLocation": MINE}).output.startswith(TEAM)


# --- to delete one


def test_a_group_with_a_saved_query_is_not_empty(athena):
    make(athena)
    athena.call("CreateNamedQuery", Name="n", Database="default", QueryString="SELECT 1", WorkGroup="team")
    assert athena.refused("DeleteWorkGroup", WorkGroup="team") == ("InvalidRequestException: WorkGroup is not empty")
    assert len(athena.call("ListNamedQueries", WorkGroup="team")["NamedQueryIds"]) == 1


def test_what_a_group_held_goes_with_it(athena):
    make(athena)
    athena.call("CreateNamedQuery", Name="n", Database="default", QueryString="SELECT 1", WorkGroup="team")
    athena.lines("PREPARE p1 FROM SELECT 1", WorkGroup="team")
    ran = athena.run("SELECT 1", WorkGroup="team").id
    kept = athena.run("SELECT 1").id
    athena.call("DeleteWorkGroup", WorkGroup="team", RecursiveDeleteOption=True)
    make(athena)
    assert athena.call("ListNamedQueries", WorkGroup="team")["NamedQueryIds"] == []
    assert athena.call("ListQueryExecutions", WorkGroup="team")["QueryExecutionIds"] == []
    assert athena.call("ListPreparedStatements", WorkGroup="team")["PreparedStatements"] == []
    assert "was not found" in athena.refused("GetQueryExecution", QueryExecutionId=ran)
    assert athena.call("ListQueryExecutions")["QueryExecutionIds"] == [kept]


def test_tags_go_with_their_group(athena):
    athena.call("CreateWorkGroup", Name="team", Tags=[{"Key": "a", "Value": "b"}])
    athena.call("DeleteWorkGroup", WorkGroup="team")
    athena.call("CreateWorkGroup", Name="team")
    arn = "arn:aws:athena:eu-west-1:123456789012:workgroup/team"
    assert athena.call("ListTagsForResource", ResourceARN=arn)["Tags"] == []


def test_to_delete_a_group_that_is_not_there(athena):
    assert athena.refused("DeleteWorkGroup", WorkGroup="nope", RecursiveDeleteOption=True) == (
        "InvalidRequestException: WorkGroup is not found. WorkGroup name: nope"
    )


# --- the limit of bytes


def test_the_limit_counts_all_that_a_query_scans(athena):
    """https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html"""
    for name in "tu":
        athena.numbers(name, "1\n" * 300)
    make(athena, BytesScannedCutoffPerQuery=1000)
    assert athena.run("SELECT count(*) FROM t", WorkGroup="team").state == "SUCCEEDED"
    done = athena.run("SELECT count(*) FROM t, u", WorkGroup="team")
    assert (done.state, done.execution["Status"]["AthenaError"]["ErrorType"]) == ("CANCELLED", 1008)
    assert "not finish successfully. Final query state: CANCELLED" in athena.refused(
        "GetQueryResults", QueryExecutionId=done.id
    )


# --- engine versions


def test_engine_versions_come_in_pages_too(athena):
    first = athena.call("ListEngineVersions", MaxResults=1)
    rest = athena.call("ListEngineVersions", MaxResults=1, NextToken=first["NextToken"])
    versions = [*first["EngineVersions"], *rest["EngineVersions"]]
    assert [each["SelectedEngineVersion"] for each in versions] == ["AUTO", "Athena engine version 3"]
    assert {each["EffectiveEngineVersion"] for each in versions} == {"Athena engine version 3"}
    assert "at 'maxResults'" in athena.refused("ListEngineVersions", MaxResults=11)
