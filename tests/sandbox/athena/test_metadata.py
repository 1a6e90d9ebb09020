"""Catalogs, databases, tables and tags through Athena's API; what they are is in Glue."""

import pytest

from tests.sandbox.athena.conftest import BUCKET, Athena

CATALOG = {"CatalogName": "AwsDataCatalog"}
LOGS = {**CATALOG, "DatabaseName": "logs"}
TEAM = "arn:aws:athena:eu-west-1:123456789012:workgroup/team"
PRIMARY = "arn:aws:athena:eu-west-1:123456789012:workgroup/primary"


@pytest.fixture
def logs(athena: Athena) -> Athena:
    """A database `logs` with two tables and a view."""
    athena.lines("CREATE DATABASE logs COMMENT 'flow logs' WITH DBPROPERTIES ('owner'='network')")
    for name in ("flows", "flows_parquet"):
        athena.lines(
            f"CREATE EXTERNAL TABLE logs.{name} (srcaddr string, dstport int COMMENT 'port') PARTITIONED BY"
            " (dt string COMMENT 'day') ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
            f" LOCATION 's3://{BUCKET}/{name}/' TBLPROPERTIES ('skip.header.line.count'='1')"
        )
    athena.lines("CREATE VIEW logs.ports AS SELECT dstport FROM logs.flows")
    return athena


# --- catalogs


def test_the_one_catalog_is_glues(athena):
    assert athena.call("GetDataCatalog", Name="AwsDataCatalog")["DataCatalog"] == {
        "Name": "AwsDataCatalog",
        "Type": "GLUE",
        "Parameters": {"catalog-id": "123456789012"},
    }


@pytest.mark.parametrize("name", ["AwsDataCatalog", "awsdatacatalog", "AWSDATACATALOG"])
def test_a_catalogs_name_is_the_same_in_any_case(athena, name):
    assert athena.call("GetDatabase", CatalogName=name, DatabaseName="default")["Database"]["Name"] == "default"


NO_CATALOG = [
    ("GetDataCatalog", {"Name": "hive"}),
    ("ListDatabases", {"CatalogName": "hive"}),
    ("GetDatabase", {"CatalogName": "hive", "DatabaseName": "default"}),
    ("ListTableMetadata", {"CatalogName": "hive", "DatabaseName": "default"}),
    ("GetTableMetadata", {"CatalogName": "hive", "DatabaseName": "default", "TableName": "t"}),
]


@pytest.mark.parametrize(("operation", "params"), NO_CATALOG, ids=[operation for operation, _ in NO_CATALOG])
def test_another_catalog_is_not_found(athena, operation, params):
    assert athena.refused(operation, **params) == "InvalidRequestException: Data catalog hive is not found"


# --- databases


def test_a_database_has_its_description_and_properties(logs):
    assert logs.call("GetDatabase", **LOGS)["Database"] == {
        "Name": "logs",
        "Description": "flow logs",
        "Parameters": {"owner": "network"},
    }


def test_a_database_is_found_in_any_case(logs):
    assert logs.call("GetDatabase", **CATALOG, DatabaseName="LOGS")["Database"]["Name"] == "logs"


def test_a_database_that_is_not_there(athena):
    for operation in ("GetDatabase", "ListTableMetadata"):
        assert athena.refused(operation, **CATALOG, DatabaseName="nope") == (
            "MetadataException: Database nope not found."
        )


def test_databases_are_listed_by_name_in_pages(logs):
    logs.lines("CREATE DATABASE archive")
    first = logs.call("ListDatabases", **CATALOG, MaxResults=2)
    rest = logs.call("ListDatabases", **CATALOG, MaxResults=2, NextToken=first["NextToken"])
    assert [each["Name"] for each in first["DatabaseList"]] == ["archive", "default"]
    assert [each["Name"] for each in rest["DatabaseList"]] == ["logs"]
    assert "NextToken" not in rest


def test_databases_by_their_names_alone(logs):
    """AttributesToGet: "The only valid value is NAME"; an empty list asks for everything."""
    assert logs.call("ListDatabases", **CATALOG, AttributesToGet=["NAME"])["DatabaseList"] == [
        {"Name": "default"},
        {"Name": "logs"},
    ]
    everything = logs.call("ListDatabases", **CATALOG, AttributesToGet=[])["DatabaseList"]
    assert everything == logs.call("ListDatabases", **CATALOG)["DatabaseList"]
    assert everything[1]["Description"] == "flow logs"
    assert "at 'attributesToGet" in logs.refused("ListDatabases", **CATALOG, AttributesToGet=["OWNER"])


# --- tables


def test_a_table_as_the_api_shows_it(logs):
    table = logs.call("GetTableMetadata", **LOGS, TableName="FLOWS")["TableMetadata"]
    assert (table["Name"], table["TableType"]) == ("flows", "EXTERNAL_TABLE")
    assert table["CreateTime"] == logs.sandbox.clock.now()
    assert table["Columns"] == [
        {"Name": "srcaddr", "Type": "string"},
        {"Name": "dstport", "Type": "int", "Comment": "port"},
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string", "Comment": "day"}]


def test_a_tables_parameters_tell_how_it_is_stored(logs):
    """As in the example output of `aws athena get-table-metadata`."""
    parameters = logs.call("GetTableMetadata", **LOGS, TableName="flows")["TableMetadata"]["Parameters"]
    assert parameters["EXTERNAL"] == "TRUE"
    assert parameters["inputformat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert parameters["outputformat"] == "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    assert parameters["location"] == f"s3://{BUCKET}/flows/"
    assert parameters["serde.serialization.lib"] == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    assert parameters["serde.param.field.delim"] == " "
    assert parameters["skip.header.line.count"] == "1"
    assert parameters["transient_lastDdlTime"] == "1793610000"


def test_a_view_as_the_api_shows_it(logs):
    table = logs.call("GetTableMetadata", **LOGS, TableName="ports")["TableMetadata"]
    assert (table["TableType"], table["Columns"]) == ("VIRTUAL_VIEW", [{"Name": "dstport", "Type": "int"}])
    assert table["PartitionKeys"] == []


def test_a_table_that_is_not_there(logs):
    assert logs.refused("GetTableMetadata", **LOGS, TableName="nope") == (
        "MetadataException: Table nope not found in database logs."
    )
    refusal = logs.refused("GetTableMetadata", **CATALOG, DatabaseName="nope", TableName="flows")
    assert refusal.startswith("MetadataException: ")


EXPRESSIONS = [
    ("flows", ["flows"]),
    ("flows.*", ["flows", "flows_parquet"]),
    (".*parquet|ports", ["flows_parquet", "ports"]),
    ("FLOWS", ["flows"]),
    ("low", []),
    ("", ["flows", "flows_parquet", "ports"]),
]


@pytest.mark.parametrize(("expression", "names"), EXPRESSIONS, ids=[each for each, _ in EXPRESSIONS])
def test_tables_whose_names_an_expression_fits(logs, expression, names):
    """Expression: "A regex filter that pattern-matches table names"."""
    found = logs.call("ListTableMetadata", **LOGS, Expression=expression)["TableMetadataList"]
    assert [each["Name"] for each in found] == names


def test_an_expression_that_is_none_is_refused(logs):
    refusal = logs.refused("ListTableMetadata", **LOGS, Expression="*ports")
    assert refusal == "InvalidRequestException: Invalid expression: *ports"


def test_tables_are_listed_in_pages(logs):
    first = logs.call("ListTableMetadata", **LOGS, MaxResults=2)
    rest = logs.call("ListTableMetadata", **LOGS, MaxResults=2, NextToken=first["NextToken"])
    names = [each["Name"] for page in (first, rest) for each in page["TableMetadataList"]]
    assert names == ["flows", "flows_parquet", "ports"]
    assert "NextToken" not in rest


def test_tables_by_name_and_type_alone(logs):
    """AttributesToGet: "the request must include NAME" and "doesn't accept an empty list"."""
    names = logs.call("ListTableMetadata", **LOGS, AttributesToGet=["NAME"])["TableMetadataList"]
    assert names == [{"Name": "flows"}, {"Name": "flows_parquet"}, {"Name": "ports"}]
    both = logs.call("ListTableMetadata", **LOGS, AttributesToGet=["NAME", "TABLE_TYPE"])["TableMetadataList"]
    assert both[2] == {"Name": "ports", "TableType": "VIRTUAL_VIEW"}
    assert "NAME" in logs.refused("ListTableMetadata", **LOGS, AttributesToGet=["TABLE_TYPE"])
    assert "at 'attributesToGet'" in logs.refused("ListTableMetadata", **LOGS, AttributesToGet=[])


@pytest.mark.parametrize("operation", ["ListDatabases", "ListTableMetadata"])
@pytest.mark.parametrize("count", [0, 51])
def test_a_page_has_between_1_and_50_entries(athena, operation, count):
    where = LOGS if operation == "ListTableMetadata" else CATALOG
    assert "at 'maxResults' failed" in athena.refused(operation, **where, MaxResults=count)


def test_a_dropped_table_is_gone_from_the_api(logs):
    logs.lines("DROP VIEW logs.ports")
    logs.lines("DROP TABLE logs.flows")
    assert [each["Name"] for each in logs.call("ListTableMetadata", **LOGS)["TableMetadataList"]] == ["flows_parquet"]


# --- tags


def test_a_tag_given_again_has_the_new_value(athena):
    athena.call("TagResource", ResourceARN=PRIMARY, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a"}])
    athena.call("TagResource", ResourceARN=PRIMARY, Tags=[{"Key": "b", "Value": "2"}])
    tags = athena.call("ListTagsForResource", ResourceARN=PRIMARY)["Tags"]
    assert tags == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]


def test_a_key_that_is_not_there_is_no_error_to_untag(athena):
    athena.call("TagResource", ResourceARN=PRIMARY, Tags=[{"Key": "a", "Value": "1"}])
    athena.call("UntagResource", ResourceARN=PRIMARY, TagKeys=["a", "never"])
    assert athena.call("ListTagsForResource", ResourceARN=PRIMARY)["Tags"] == []


def test_a_catalog_can_be_tagged(athena):
    arn = "arn:aws:athena:eu-west-1:123456789012:datacatalog/AwsDataCatalog"
    athena.call("TagResource", ResourceARN=arn, Tags=[{"Key": "team", "Value": "network"}])
    assert athena.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "network"}]


def test_many_tags_come_in_pages_of_75_or_more(athena):
    tags = [{"Key": f"key{number:02}", "Value": "x"} for number in range(80)]
    athena.call("TagResource", ResourceARN=PRIMARY, Tags=tags)
    first = athena.call("ListTagsForResource", ResourceARN=PRIMARY, MaxResults=75)
    rest = athena.call("ListTagsForResource", ResourceARN=PRIMARY, MaxResults=75, NextToken=first["NextToken"])
    assert [*first["Tags"], *rest["Tags"]] == tags
    assert "at 'maxResults'" in athena.refused("ListTagsForResource", ResourceARN=PRIMARY, MaxResults=74)


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource", "ListTagsForResource"])
def test_a_resource_that_is_not_there_has_no_tags(athena, operation):
    more = {"TagResource": {"Tags": [{"Key": "a"}]}, "UntagResource": {"TagKeys": ["a"]}}.get(operation, {})
    assert athena.refused(operation, ResourceARN=TEAM, **more) == (
        f"ResourceNotFoundException: Resource {TEAM} is not found"
    )


TAG_LIMITS = [({"Key": ""}, "tags.1.member.key"), ({"Key": "x" * 129}, "tags.1.member.key"),
              ({"Key": "a", "Value": "x" * 257}, "tags.1.member.value")]  # fmt: skip


@pytest.mark.parametrize(("tag", "place"), TAG_LIMITS, ids=["no key", "long key", "long value"])
def test_keys_have_at_most_128_characters_and_values_256(athena, tag, place):
    assert f"at '{place}' failed" in athena.refused("TagResource", ResourceARN=PRIMARY, Tags=[tag])
