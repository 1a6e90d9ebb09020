"""The table over the delivered records: built safely, filled day by day, checked for the faults it can have."""

from datetime import date
from types import SimpleNamespace

import pytest
from pyathena.error import OperationalError

from labkit.checks.items import Verdict
from labkit.lab.errors import LabError
from labkit.phases import athena_table

FIRST, LAST = date(2026, 10, 5), date(2026, 11, 1)
COLUMNS = ["version", "account", "interfaceid", "sourceaddress", "destinationaddress", "sourceport", "destinationport"]
COLUMNS += ["protocol", "numpackets", "numbytes", "starttime", "endtime", "action", "logstatus"]
COUNT = "SELECT count(*) AS records FROM vpc_flow_logs"


def stand_in(**changes):
    """As much of a lab as a statement is built of."""
    values = {"bucket": "my-vpcflowlogsbucket", "account_id": "123456789012", "region": "eu-central-1"}
    return SimpleNamespace(**(values | changes))


class TestStatements:
    def test_locations_follow_bucket_account_and_region(self):
        records = "s3://my-vpcflowlogsbucket/AWSLogs/123456789012/vpcflowlogs/eu-central-1/"
        assert athena_table.records_location(stand_in()) == records
        assert athena_table.records_location(stand_in(), FIRST) == f"{records}2026/10/05/"
        assert athena_table.results_location(stand_in()) == "s3://my-vpcflowlogsbucket/athena-results/"

    def test_table_has_the_records_fields_in_order_and_is_partitioned_by_day(self):
        statement = athena_table.create_table_statement(stand_in())
        columns = [line.split()[0] for line in statement.splitlines() if line.startswith("  ")]
        assert columns == COLUMNS
        assert "PARTITIONED BY (dt string)" in statement
        assert "LOCATION 's3://my-vpcflowlogsbucket/AWSLogs/123456789012/vpcflowlogs/eu-central-1/'" in statement
        assert statement.endswith("""TBLPROPERTIES ("skip.header.line.count"="1")""")

    def test_several_days_are_one_statement(self):
        statement = athena_table.add_partition_statement(stand_in(), [FIRST, LAST])
        assert statement.startswith(
            "ALTER TABLE default.vpc_flow_logs ADD IF NOT EXISTS\n  PARTITION (dt='2026-10-05')"
        )
        assert statement.endswith("vpcflowlogs/eu-central-1/2026/11/01/'")
        assert statement.count("PARTITION (") == 2

    @pytest.mark.parametrize(
        ("what", "changes"),
        [
            ("bucket", {"bucket": "x'); DROP TABLE t; --"}),
            ("bucket", {"bucket": "Capitals"}),
            ("account", {"account_id": "12345678901"}),
            ("region", {"region": "eu-west-1' OR '1'='1"}),
        ],
    )
    def test_a_value_that_could_leave_its_quotes_is_refused_by_name(self, what, changes):
        with pytest.raises(LabError, match=f"can't be the {what} of an S3 location"):
            athena_table.create_table_statement(stand_in(**changes))


class TestOnTheSandbox:
    """One story, told in order: table, partitions, queries, litter, clean-up."""

    def test_nothing_is_there_at_first(self, lab):
        verdicts = {item.name: item.verdict for item in athena_table.check(lab).items}
        assert verdicts["table default.vpc_flow_logs"] is Verdict.ABSENT
        assert verdicts["partitions"] is Verdict.ABSENT

    def test_the_sample_days_are_found_in_the_bucket(self, lab):
        days = athena_table.delivered_days(lab)
        assert (len(days), days[0], days[-1]) == (28, FIRST, LAST)

    def test_partitions_want_a_day(self, lab):
        with pytest.raises(LabError, match="there is no day to add"):
            athena_table.add_partitions(lab, [])

    def test_actions_can_be_run_twice(self, lab):
        outcomes = [athena_table.create_table(lab).outcome for _ in range(2)]
        outcomes += [athena_table.add_partition(lab, FIRST).outcome for _ in range(2)]
        outcomes += [athena_table.add_partitions(lab, [FIRST, LAST]).outcome for _ in range(2)]
        assert outcomes == ["created", "already there"] * 3

    def test_without_if_not_exists_a_second_run_fails(self, lab):
        statement = athena_table.add_partition_statement(lab, [FIRST]).replace(" IF NOT EXISTS", "")
        with pytest.raises(OperationalError, match="AlreadyExistsException"):
            athena_table.query(lab, statement)

    def test_a_query_answers_with_typed_columns_and_says_what_it_read(self, lab):
        answer = athena_table.query(lab, f"{COUNT} WHERE dt = '{FIRST}'")
        both = athena_table.query(lab, COUNT)
        assert answer["records"].dtype.kind in "iu" or str(answer["records"].dtype) == "Int64"
        assert 0 < answer["records"][0] < both["records"][0]
        assert 0 < answer.attrs["bytes_scanned"] < both.attrs["bytes_scanned"]

    def test_the_labs_query_shows_rejected_tcp_with_its_weekday(self, lab):
        rows = athena_table.query(lab, athena_table.QUERY)
        assert len(rows) == 100
        assert set(rows["action"]) == {"REJECT"}
        assert set(rows["protocol"]) == {6}
        assert set(rows["day"]) <= {date.fromisoformat(dt).isoweekday() for dt in rows["dt"]}
        assert list(rows["sourceaddress"]) == sorted(rows["sourceaddress"])

    def test_answers_are_put_beside_the_records(self, lab):
        assert athena_table.check(lab).passed
        listed = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="athena-results/")["Contents"]
        assert any(entry["Key"].endswith(".csv") for entry in listed)

    def test_a_misspelt_column_is_named_in_athenas_words(self, lab):
        with pytest.raises(OperationalError, match=r"COLUMN_NOT_FOUND.*sourceadress"):
            athena_table.query(lab, "SELECT sourceadress FROM vpc_flow_logs")

    def test_litter_among_the_records_is_noticed(self, lab):
        day = athena_table.records_location(lab, FIRST).removeprefix(f"s3://{lab.bucket}/")
        lab.client("s3").put_object(Bucket=lab.bucket, Key=f"{day}answer.csv", Body=b'"records"\n"1"\n')
        folder = athena_table.check(lab).items[-1]
        assert folder.verdict is Verdict.WRONG
        assert "1 files" in folder.seen
        lab.client("s3").delete_object(Bucket=lab.bucket, Key=f"{day}answer.csv")
        assert athena_table.check(lab).passed

    def test_a_partition_of_another_day_is_noticed(self, lab):
        wrong = athena_table.add_partition_statement(lab, [date(2026, 10, 6)]).replace("2026/10/06", "2026/10/07")
        athena_table.query(lab, wrong)
        item = athena_table.check(lab).items[1]
        assert item.verdict is Verdict.WRONG
        assert "dt=2026-10-06" in item.seen
        athena_table.query(lab, "ALTER TABLE default.vpc_flow_logs DROP PARTITION (dt='2026-10-06')")

    def test_clean_up_drops_the_table_and_leaves_the_records(self, lab):
        assert "dropped" in str(athena_table.clean_up(lab))
        assert "already gone" in str(athena_table.clean_up(lab))
        assert not athena_table.check(lab).passed
        assert len(athena_table.delivered_days(lab)) == 28
        assert "Contents" not in lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="athena-results/")

    def test_a_table_of_another_region_is_present_but_wrong(self, lab):
        elsewhere = athena_table.create_table_statement(lab).replace("/eu-west-1/", "/us-east-1/")
        athena_table.query(lab, elsewhere)
        table = athena_table.check(lab).items[0]
        assert table.verdict is Verdict.WRONG
        assert "us-east-1" in table.seen
        assert "DROP TABLE" in table.hint

    def test_a_table_that_the_lab_did_not_make_stays(self, lab):
        assert "stays, the lab did not make it" in str(athena_table.clean_up(lab))
        assert athena_table.find_table(lab) is not None

    def test_solve_makes_it_pass(self, lab):
        athena_table.query(lab, f"DROP TABLE {athena_table.TABLE}")
        athena_table.solve(lab)
        assert athena_table.check(lab).passed
