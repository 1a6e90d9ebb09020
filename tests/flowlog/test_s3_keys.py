from datetime import UTC, datetime, timedelta, timezone

import pytest

from labkit.flowlog.s3_keys import FileName, S3Layout, parse_key

TIME = datetime(2018, 6, 20, 16, 20, tzinfo=UTC)
NAME = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456"
HIVE = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2018/month=06/day=20/"


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        (S3Layout(), f"AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/{NAME}.log.gz"),
        (S3Layout(per_hour=True), f"AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/16/{NAME}.log.gz"),
        (S3Layout(hive_compatible=True), f"{HIVE}{NAME}.log.gz"),
        (S3Layout(hive_compatible=True, per_hour=True), f"{HIVE}hour=16/{NAME}.log.gz"),
        (
            S3Layout("my-logs/", "parquet"),
            f"my-logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/{NAME}.log.parquet",
        ),
        (S3Layout("/a/b"), f"a/b/AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/{NAME}.log.gz"),
    ],
)
def test_a_file_lies_where_aws_documents_it(layout, key):
    assert layout.key("123456789012", "us-east-1", "fl-1234abcd", TIME, "fe123456") == key


def test_folder_and_file_are_named_in_utc():
    local = datetime(2018, 6, 21, 1, 20, tzinfo=timezone(timedelta(hours=9)))
    assert (
        S3Layout()
        .key("123456789012", "us-east-1", "fl-1234abcd", local, "fe123456")
        .endswith(f"2018/06/20/{NAME}.log.gz")
    )


def test_the_root_of_a_flow_logs_files_has_no_date():
    assert S3Layout("x").folder("123456789012", "eu-west-1") == "x/AWSLogs/123456789012/vpcflowlogs/eu-west-1/"


@pytest.mark.parametrize("file_format", ["plain-text", "parquet"])
def test_the_name_of_a_file_is_understood(file_format):
    key = S3Layout("p", file_format).key("123456789012", "us-east-1", "fl-1234abcd", TIME, "fe123456")
    assert parse_key(key) == FileName("123456789012", "us-east-1", "fl-1234abcd", TIME, "fe123456", file_format)


@pytest.mark.parametrize("key", ["AWSLogs/", "athena-results/1.csv", f"{NAME}.csv", f"{NAME}.log.gz.metadata", ""])
def test_another_object_is_no_flow_log_file(key):
    assert parse_key(key) is None
