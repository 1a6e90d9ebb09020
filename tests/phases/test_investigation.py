"""One story on one sandbox: no case, an open case, wrong and right notes, a second case, and none again."""

from datetime import date

import pytest

from labkit.checks.items import Verdict
from labkit.flowlog.story.case import Case
from labkit.lab.errors import LabError
from labkit.notebook import Lab
from labkit.phases import athena_table, insights, investigation
from labkit.phases.findings import true_findings
from tests.phases.verdicts import verdicts

CASE = Case(7, date(2026, 11, 1))


@pytest.fixture(autouse=True)
def own_case(monkeypatch):
    """The learner's own case is number 7, whoever runs the tests."""
    monkeypatch.setattr(Lab, "case_number", CASE.number)


def test_without_a_case_the_check_asks_for_one(lab):
    (item,) = investigation.check(lab).items
    assert item.verdict is Verdict.ABSENT
    assert "open_case" in item.hint


def test_a_note_needs_a_case(lab):
    with pytest.raises(LabError, match=r"case 7 is not open: run open_case\(lab, number=7\)"):
        investigation.file_note(lab, intruder="192.0.2.1")


@pytest.mark.parametrize("number", [-1, 10_000])
def test_a_case_has_a_number_of_four_digits_at_most(lab, number):
    with pytest.raises(LabError, match=rf"{number} is no number of a case: choose one from 0 to 9999"):
        investigation.open_case(lab, number)


def test_opening_a_case_says_where_the_evidence_is(lab):
    card = investigation.open_case(lab)
    assert (card.id, card.outcome) == ("7", "created")
    assert card.details["Day"] == "Sunday, 2026-11-01"
    assert "case_7" in card.details["Flow log records"]


def test_opening_it_again_changes_nothing(lab):
    before = list(investigation._keys(lab))
    assert investigation.open_case(lab).outcome == "already there"
    assert list(investigation._keys(lab)) == before


def test_athena_reads_the_records_of_the_case(lab):
    found = athena_table.query(lab, "SELECT count(*) AS records, count(DISTINCT sourceport) AS ports FROM case_7")
    assert found["records"][0] == CASE.records.num_rows


def test_insights_reads_the_log_of_logins(lab):
    query = "filter @message like /Accepted password/ | parse @message 'for * from * port' as name, source"
    found = insights.run_query(
        lab, query + " | display name, source", log_group="investigation/case-7/logins", hours=48
    )
    assert found.to_dict("records") == [{"name": CASE.account, "source": CASE.incident.intruder}]


def test_every_login_is_in_the_log_group(lab):
    found = insights.run_query(lab, "stats count(*) as logins", log_group="investigation/case-7/logins", hours=48)
    assert found["logins"][0] == len(CASE.logins())


def test_the_questions_name_what_file_note_takes(lab):
    text = investigation.questions().text()
    assert all(f"{name}=" in text for name in true_findings(CASE))


def test_a_case_without_a_note_is_half_done(lab):
    assert verdicts(investigation.check(lab)) == [Verdict.RIGHT, Verdict.ABSENT]
    with pytest.raises(LabError, match="no incident note yet"):
        investigation.read_filed_note(lab)


def test_a_finding_that_no_note_has_is_refused_with_those_it_has(lab):
    with pytest.raises(LabError, match="no place for 'culprit'; give it one of first_let_in, intruder"):
        investigation.file_note(lab, culprit="192.0.2.1")


def test_wrong_missing_and_right_findings_are_told_apart(lab):
    investigation.file_note(lab, intruder="198.51.100.26", account=CASE.account)
    assert verdicts(investigation.check(lab)) == [
        Verdict.RIGHT,
        Verdict.RIGHT,
        Verdict.ABSENT,
        Verdict.WRONG,
        Verdict.RIGHT,
        Verdict.ABSENT,
        Verdict.ABSENT,
        Verdict.ABSENT,
    ]


def test_the_check_tells_no_answer(lab):
    text = investigation.check(lab).text()
    kept_to_itself = {name: value for name, value in true_findings(CASE).items() if name != "account"}
    assert [name for name, value in kept_to_itself.items() if value in text] == []


def test_a_note_written_by_hand_counts(lab):
    note = f"Found at night\n- Intruder: {CASE.incident.intruder}\n"
    lab.client("s3").put_object(Bucket=lab.bucket, Key="investigation/case-7/incident-note.md", Body=note.encode())
    assert verdicts(investigation.check(lab))[3] is Verdict.RIGHT
    assert investigation.read_filed_note(lab) == note


def test_the_solution_passes_the_check(lab):
    investigation.solve(lab)
    assert investigation.check(lab).passed
    assert f"- Intruder: {CASE.incident.intruder}\n" in investigation.read_filed_note(lab)


def test_any_case_that_is_solved_will_do(lab):
    investigation.open_case(lab, 8)
    assert investigation.check(lab).passed


def test_a_table_of_a_case_does_not_touch_the_labs_own(lab):
    file = investigation._case_file(lab, 8)
    statement = investigation.create_table_statement(lab, file)
    assert "default.case_8 (" in statement
    assert "PARTITIONED" not in statement
    assert f"LOCATION 's3://{lab.bucket}/investigation/case-8/AWSLogs/" in statement


def test_cleaning_up_leaves_nothing_of_any_case(lab):
    assert investigation.clean_up(lab).text().startswith("Cases removed: 2, with ")
    assert list(investigation._keys(lab)) == []
    assert investigation._log_groups(lab) == []
    tables = lab.client("glue").get_tables(DatabaseName="default")["TableList"]
    assert [table["Name"] for table in tables if table["Name"].startswith("case_")] == []
    assert investigation.clean_up(lab).text() == "Cases removed: 0, with 0 objects."


def test_after_cleaning_up_the_check_asks_for_a_case_again(lab):
    assert verdicts(investigation.check(lab)) == [Verdict.ABSENT]
