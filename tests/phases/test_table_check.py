"""What the check says of a table that a learner made in Athena's console, and of its partitions and its folder."""

from datetime import date, datetime

import pandas as pd
import pytest

from labkit.checks.check import check
from labkit.lab.errors import LabError
from labkit.phases import athena_table
from labkit.phases.athena_table import DATABASE, TABLE
from labkit.show.cell_errors import lines
from tests.phases.verdicts import absent, cases, item, named, wrong

KEY = "Athena table"
NAME = f"table {DATABASE}.{TABLE}"
CASES = cases(__file__, "athena_table.json")
DAY = date(2026, 10, 5)


@pytest.fixture(scope="module", autouse=True)
def database(lab):
    athena_table.create_database(lab)


@pytest.fixture
def no_table(lab):
    """No table before the test, and none after it."""
    yield
    athena_table.connect(lab).cursor().execute(f"DROP TABLE IF EXISTS {DATABASE}.{TABLE}")


@pytest.fixture
def table(lab, no_table):
    athena_table.create_table(lab)


def run(lab, statement):
    athena_table.connect(lab).cursor().execute(statement)


@pytest.mark.usefixtures("no_table")
@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_table_is_judged_by_what_it_says_of_the_files(lab, case):
    before, after = case["change"]
    statement = athena_table.create_table_statement(lab)
    assert before in statement
    run(lab, statement.replace(before, after) if before else statement)
    found = check(KEY)
    told = item(found, NAME)
    if "seen" not in case:
        assert NAME not in wrong(found)
        return
    assert case["seen"] in told.seen
    assert told.wanted.endswith(case["wanted"])
    assert NAME in wrong(found)
    assert "DROP TABLE default.vpc_flow_logs; the records stay" in told.hint


def test_without_a_table_there_are_no_partitions_either(lab):
    found = check(KEY)
    assert absent(found) == [NAME, "partitions"]
    assert "create_table" in item(found, NAME).hint


@pytest.mark.usefixtures("no_table")
@pytest.mark.parametrize("name", ["vpcflowlogs", "vpc_flow_log", "flow_logs"])
def test_a_table_of_another_name_is_none(lab, name):
    run(lab, athena_table.create_table_statement(lab).replace(TABLE, name))
    assert NAME in absent(check(KEY))
    run(lab, f"DROP TABLE {name}")


@pytest.mark.usefixtures("no_table")
def test_a_table_in_another_database_is_none(lab):
    run(lab, "CREATE DATABASE IF NOT EXISTS mine")
    run(lab, athena_table.create_table_statement(lab).replace(f"{DATABASE}.{TABLE}", f"mine.{TABLE}"))
    assert NAME in absent(check(KEY))
    run(lab, f"DROP TABLE mine.{TABLE}")


@pytest.mark.usefixtures("table")
class TestPartitions:
    def add(self, lab, day, folder):
        place = f"{athena_table.records_location(lab)}{folder}"
        run(lab, f"ALTER TABLE {DATABASE}.{TABLE} ADD PARTITION (dt='{day}') LOCATION '{place}'")

    def test_are_absent_in_a_new_table_which_answers_with_no_rows_then(self, lab):
        found = check(KEY)
        assert absent(found) == ["partitions"]
        assert "no partition, no rows" in item(found, "partitions").hint
        assert athena_table.query(lab, f"SELECT * FROM {TABLE}").empty

    @pytest.mark.parametrize(
        ("day", "folder", "wanted"),
        [
            ("2026-10-05", "2026/10/06/", "at s3://"),
            ("2026-10-05", "2026/10/", "at s3://"),
            ("2026-10-05", "", "at s3://"),
            ("2026-10-05", "2026/05/10/", "at s3://"),
            ("2026/10/05", "2026/10/05/", "a day as 2026-10-05"),
            ("20261005", "2026/10/05/", "a day as 2026-10-05"),
            ("05-10-2026", "2026/10/05/", "a day as 2026-10-05"),
            ("2026-10-5", "2026/10/05/", "a day as 2026-10-05"),
        ],
    )
    def test_of_another_place_or_with_another_kind_of_day_are_present_but_wrong(self, lab, day, folder, wanted):
        self.add(lab, day, folder)
        told = item(check(KEY), "partitions")
        assert told.seen.startswith(f"dt={day}")
        assert told.wanted.startswith(wanted)
        assert f"DROP PARTITION (dt='{day}')" in told.hint

    def test_of_which_one_is_wrong_are_told_by_that_one(self, lab):
        athena_table.add_partitions(lab, [DAY, date(2026, 10, 7)])
        self.add(lab, "2026-10-06", "2026/10/07/")
        assert wrong(check(KEY))["partitions"].startswith("dt=2026-10-06 at ")

    def test_are_right_with_and_without_a_slash_at_the_end(self, lab):
        self.add(lab, "2026-10-05", "2026/10/05")
        self.add(lab, "2026-10-06", "2026/10/06/")
        assert item(check(KEY), "partitions").seen == "2 days"

    def test_one_day_is_one_day(self, lab):
        athena_table.add_partition(lab, DAY)
        assert item(check(KEY), "partitions").seen == "1 day"

    def test_that_the_hint_has_dropped_can_be_added_again(self, lab):
        self.add(lab, "2026-10-05", "2026/10/06/")
        run(lab, f"ALTER TABLE {DATABASE}.{TABLE} DROP PARTITION (dt='2026-10-05')")
        athena_table.add_partition(lab, DAY)
        assert "partitions" not in wrong(check(KEY))

    @pytest.mark.parametrize("day", ["2026-10-05", DAY, datetime(2026, 10, 5, 12)])
    def test_take_a_day_however_it_is_written(self, lab, day):
        assert athena_table.add_partition(lab, day).id == "dt=2026-10-05"
        assert list(athena_table.partitions(lab)) == ["2026-10-05"]

    @pytest.mark.parametrize("day", ["5 October", "2026/10/05", "2026-13-01", "", 20261005, None, "2026-10-05'); --"])
    def test_refuse_what_is_no_day_and_add_nothing(self, lab, day):
        with pytest.raises(LabError, match=r"is no day: give one as '2026-10-05', or as date\(2026, 10, 5\)"):
            athena_table.add_partition(lab, day)
        with pytest.raises(LabError, match="is no day"):
            athena_table.add_partitions(lab, [DAY, day])
        assert athena_table.partitions(lab) == {}

    @pytest.mark.parametrize("day", [DAY, "2026-10-05"])
    def test_of_several_days_want_a_list_and_no_single_day(self, lab, day):
        with pytest.raises(LabError, match=r"is a single day: give a list of days, or call add_partition"):
            athena_table.add_partitions(lab, day)

    def test_are_added_in_order_whatever_order_they_are_given_in(self, lab):
        card = athena_table.add_partitions(lab, ["2026-10-07", DAY])
        assert (card.id, card.details["Days"]) == ("dt=2026-10-05 to 2026-10-07", "2")

    def test_some_of_which_are_known_count_as_made_now(self, lab):
        athena_table.add_partition(lab, DAY)
        assert athena_table.add_partitions(lab, [DAY, "2026-10-06"]).outcome == "created"
        assert athena_table.add_partitions(lab, ["2026-10-06"]).outcome == "already there"


class TestFolder:
    @pytest.mark.parametrize("name", ["answer.csv", "answer.csv.metadata", "notes.txt", "x.log", "Unsaved/a.csv"])
    def test_with_something_that_is_no_record_is_present_but_wrong(self, lab, name):
        key = f"{athena_table.records_location(lab, DAY).removeprefix(f's3://{lab.bucket}/')}{name}"
        lab.client("s3").put_object(Bucket=lab.bucket, Key=key, Body=b"x")
        told = item(check(KEY), "the table's folder")
        lab.client("s3").delete_object(Bucket=lab.bucket, Key=key)
        assert told.seen == "1 files that aren't records"
        assert "athena-results/" in told.hint

    def test_with_records_alone_is_right_and_was_so_from_the_start(self, lab):
        told = item(check(KEY), "the table's folder")
        assert (told.seen, told.given) == ("records only", True)

    def test_of_answers_beside_it_does_not_matter(self, lab):
        lab.client("s3").put_object(Bucket=lab.bucket, Key="athena-results/a.csv", Body=b"x")
        assert "the table's folder" not in wrong(check(KEY))


class TestQuery:
    def test_of_a_table_that_is_not_there_ends_in_what_to_run(self, lab):
        with pytest.raises(Exception, match="TABLE_NOT_FOUND") as refusal:
            athena_table.query(lab, f"SELECT * FROM {TABLE}")
        assert "lab.catch_up(...)" in lines(refusal.value)[1]

    def test_that_is_refused_writes_no_traceback_beside_the_sentence(self, lab, capfd):
        with pytest.raises(Exception, match="mismatched input"):
            athena_table.query(lab, "SELEC 1")
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("sql", ["", "   ", None])
    def test_of_nothing_is_refused(self, lab, sql):
        with pytest.raises(Exception, match=r"(?i)empty|mismatched|length"):
            athena_table.query(lab, sql)

    def test_is_priced_by_what_it_scanned_ten_megabytes_at_least(self, lab):
        answer = athena_table.query(lab, "SELECT 1 AS one")
        assert str(athena_table.price(answer)) == "Scanned 0 bytes. On AWS: $0.00005, the price of 10 MB, the least."

    def test_over_ten_megabytes_has_no_least(self):
        answer = pd.DataFrame({"n": [1]})
        answer.attrs = {"bytes_scanned": 2 * 1024**3, "usd": 0.01}
        assert str(athena_table.price(answer)) == "Scanned 2,147,483,648 bytes. On AWS: $0.01."

    def test_frames_of_other_makes_have_no_price(self):
        with pytest.raises(LabError, match=r"this frame of 1 rows doesn't say what was scanned"):
            athena_table.price(pd.DataFrame({"n": [1]}))


def test_clean_up_says_how_many_answers_went(lab):
    athena_table.create_table(lab)
    said = str(athena_table.clean_up(lab))
    assert said.startswith(f"Table {DATABASE}.{TABLE}: dropped. Answers deleted: ")
