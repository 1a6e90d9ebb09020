import json
from pathlib import Path

import pyarrow as pa
import pytest

from labkit.flowlog.fields import BY_COLUMN, BY_NAME, FIELDS

DOCUMENTED = json.loads((Path(__file__).parent / "documented_fields.json").read_text())


def test_the_fields_are_those_aws_documents_in_the_same_order():
    assert [[field.name, field.version, field.parquet_type] for field in FIELDS] == DOCUMENTED


def test_no_field_has_the_version_that_transit_gateway_records_use():
    assert {field.version for field in FIELDS} == {2, 3, 4, 5, 7, 8, 9, 10, 11}


@pytest.mark.parametrize(
    ("name", "column", "insights_name"),
    [
        ("account-id", "account_id", "accountId"),
        ("interface-id", "interface_id", "interfaceId"),
        ("srcaddr", "srcaddr", "srcAddr"),
        ("dstaddr", "dstaddr", "dstAddr"),
        ("srcport", "srcport", "srcPort"),
        ("dstport", "dstport", "dstPort"),
        ("start", "start", "startTime"),
        ("end", "end", "endTime"),
        ("log-status", "log_status", "logStatus"),
        ("bytes", "bytes", "bytes"),
        ("pkt-src-aws-service", "pkt_src_aws_service", "pktSrcAwsService"),
        ("ecs-task-definition-arn", "ecs_task_definition_arn", "ecsTaskDefinitionArn"),
    ],
)
def test_a_field_has_a_column_and_a_name_in_insights(name, column, insights_name):
    assert (BY_NAME[name].column, BY_NAME[name].insights_name) == (column, insights_name)
    assert BY_COLUMN[column] is BY_NAME[name]


def test_parquet_types_are_arrow_types_of_the_same_width():
    assert {field.parquet_type: field.arrow_type for field in FIELDS} == {
        "STRING": pa.string(),
        "INT_32": pa.int32(),
        "INT_64": pa.int64(),
    }
