from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "time", ["20181320T1620Z", "20180632T1620Z", "20180620T2420Z", "20180620T1660Z", "00000620T1620Z"]
)
def test_digits_that_are_no_moment_are_no_file_s_name(time):
    assert parse_key(f"AWSLogs/{NAME.replace('20180620T1620Z', time)}.log.gz") is None


@pytest.mark.parametrize(
    "name",
    [
        NAME.replace("123456789012", "12345678901"),
        NAME.replace("vpcflowlogs", "elasticloadbalancing"),
        NAME.replace("fl-1234abcd", "1234abcd"),
        NAME.replace("fl-1234abcd", "fl-1234ABCD"),
        NAME.replace("fe123456", "fe12345"),
        NAME.replace("fe123456", "fe1234567"),
        NAME.replace("Z_", "_"),
        f"x{NAME}",
    ],
)
def test_a_name_that_is_built_otherwise_is_another_service_s(name):
    assert parse_key(f"{HIVE}{name}.log.gz") is None


layouts = st.builds(
    S3Layout,
    st.lists(st.from_regex("[a-zA-Z0-9_.=-]{1,8}", fullmatch=True), max_size=3).map("/".join),
    st.sampled_from(["plain-text", "parquet"]),
    st.booleans(),
    st.booleans(),
)
regions = st.sampled_from(["us-east-1", "eu-west-1", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "mx-central-1"])
moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)


@given(layouts, st.from_regex("[0-9]{12}", fullmatch=True), regions, moments, st.integers(0, 2**32 - 1))
def test_whatever_the_layout_the_name_of_a_file_says_whose_it_is_and_when(layout, account_id, region, moment, number):
    key = layout.key(account_id, region, "fl-0123456789abcdef0", moment, f"{number:08x}")
    name = parse_key(key)
    assert (name.account_id, name.region, name.time) == (account_id, region, moment)
    assert (name.flow_log_id, name.digest, name.file_format) == (
        "fl-0123456789abcdef0", f"{number:08x}", layout.file_format,
    )  # fmt: skip
    assert key.startswith(layout.folder(account_id, region))
    assert key.startswith(layout.folder(account_id, region, moment))


@given(layouts, moments)
def test_the_folders_of_a_day_tell_the_day_and_those_of_an_hour_the_hour(layout, moment):
    folder = layout.folder("123456789012", "eu-west-1", moment)
    parts = folder.removesuffix("/").split("/")[-4 if layout.per_hour else -3 :]
    values = [part.partition("=")[2] if layout.hive_compatible else part for part in parts]
    names = ["year", "month", "day", "hour"]
    expected = [f"{moment:%Y}", f"{moment:%m}", f"{moment:%d}", f"{moment:%H}"]
    assert values == expected[: len(values)]
    if layout.hive_compatible:
        assert [part.partition("=")[0] for part in parts] == names[: len(parts)]
