"""One story on one sandbox: nothing asked, everything asked, and a bucket without the sample."""

import gzip
from collections import Counter
from datetime import date

import pandas as pd
import pytest

from labkit.checks.items import Verdict
from labkit.flowlog.story.files import FLOW_LOG_ID
from labkit.flowlog.story.story import Story
from labkit.lab import ledger
from labkit.phases import athena_table, delivered, rejects
from labkit.phases.rejects import QUESTIONS
from tests.phases.verdicts import verdicts


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    """The same rejects, counted by pandas."""
    records = Story.of_sample().records().to_pandas()
    moments = pd.to_datetime(records["start"], unit="s", utc=True)
    records = records.assign(
        weekday=moments.dt.day_of_week + 1, hour=moments.dt.hour, dt=moments.dt.strftime("%Y-%m-%d")
    )
    return records[records["action"] == "REJECT"]


def test_at_first_nothing_has_been_asked(lab):
    found = rejects.check(lab)
    assert verdicts(found) == [Verdict.ABSENT] * 4
    assert all(item.hint for item in found.items)


def test_the_sandbox_has_the_sample_already(lab):
    assert rejects.provide_sample(lab).outcome == "already there"
    assert FLOW_LOG_ID not in ledger.flow_log_ids(lab)


def test_a_table_without_the_samples_days_is_told_of(lab):
    athena_table.create_database(lab)
    athena_table.create_table(lab)
    athena_table.add_partition(lab, date(2026, 10, 5))
    item = rejects.check(lab).items[0]
    assert item.verdict is Verdict.ABSENT
    assert "27, the first 2026-10-06" in item.name


def test_the_solution_passes_the_check(lab):
    rejects.solve(lab)
    assert rejects.check(lab).passed
    rejects.solve(lab)
    assert rejects.check(lab).passed


def test_sources_are_counted_as_pandas_counts_them(lab, expected):
    found = rejects.rejects_by_source(lab)
    assert dict(zip(found["source"], found["rejects"], strict=True)) == Counter(expected["srcaddr"])
    assert found["rejects"].is_monotonic_decreasing


def test_ports_are_counted_as_pandas_counts_them(lab, expected):
    found = rejects.rejects_by_port(lab)
    assert dict(zip(found["port"], found["rejects"], strict=True)) == Counter(expected["dstport"])


def test_weekdays_are_counted_from_monday(lab, expected):
    found = rejects.rejects_by_weekday(lab)
    assert dict(zip(found["weekday"], found["rejects"], strict=True)) == Counter(expected["weekday"])


def test_hours_are_those_of_utc(lab, expected):
    found = rejects.rejects_by_weekday_and_hour(lab)
    counted = {(row.weekday, row.hour): row.rejects for row in found.itertuples()}
    assert counted == Counter(zip(expected["weekday"], expected["hour"], strict=True))


def test_the_swarm_can_be_left_out(lab, expected):
    swarm = expected.query("dt == '2026-10-14' and dstport in (23, 2323)")
    found = rejects.rejects_by_weekday_and_hour(lab, also=rejects.WITHOUT_SWARM)
    assert found["rejects"].sum() == len(expected) - len(swarm)
    assert len(swarm) > 3000


def test_verdicts_have_a_row_for_each_day_and_verdict(lab, expected):
    found = rejects.verdicts_by_day(lab)
    assert len(found) == 2 * 28
    rejected = found[found["action"] == "REJECT"]
    assert dict(zip(rejected["dt"], rejected["flows"], strict=True)) == Counter(expected["dt"])


def test_what_was_asked_of_the_server_leaves_its_answers_out(lab, expected):
    found = rejects.asked_of_server(lab)
    assert found.loc[found["action"] == "REJECT", "flows"].sum() == pytest.approx(len(expected), rel=0.01)
    assert set(found.loc[found["action"] == "ACCEPT", "port"]) == {22, 80, 443}


def test_all_counts_add_up_to_the_same(lab, expected):
    found = rejects.reject_counts(lab)
    assert list(found.columns) == ["source", "port", "weekday", "hour", "rejects"]
    assert found["rejects"].sum() == len(expected)


def test_a_query_in_other_words_counts_as_well():
    asked = ["select dstport from x where action = 'reject' group by destinationport", "select 1"]
    assert rejects._check_question("rejects by port", asked).verdict is Verdict.RIGHT
    assert rejects._check_question("rejects by source", asked).verdict is Verdict.ABSENT


def test_a_query_that_does_not_count_rejects_is_not_enough():
    asked = ["select sourceaddress, count(*) from vpc_flow_logs group by sourceaddress"]
    assert rejects._check_question("rejects by source", asked).verdict is Verdict.WRONG


def test_every_question_has_its_item(lab):
    assert [item.name for item in rejects.check(lab).items[1:]] == list(QUESTIONS)


def test_a_bucket_without_the_sample_is_given_it_and_loses_it_again(lab):
    s3 = lab.client("s3")
    keys = [entry["Key"] for entry in athena_table._objects(lab, delivered.folder(lab))]
    s3.delete_objects(Bucket=lab.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert rejects.provide_sample(lab).outcome == "created"
    again = [entry["Key"] for entry in athena_table._objects(lab, delivered.folder(lab))]
    assert again == keys
    body = gzip.decompress(s3.get_object(Bucket=lab.bucket, Key=again[0])["Body"].read())
    assert body.startswith(b"version account-id interface-id")
    assert delivered.delete_sample(lab) == 168


def test_cleaning_up_deletes_the_answers(lab):
    assert rejects.clean_up(lab).text().startswith("Athena's answers deleted: ")
    assert athena_table._objects(lab, athena_table.RESULTS_PREFIX) == []
