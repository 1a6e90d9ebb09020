"""What was asked of Athena and of Logs Insights: right, asked of the wrong records, or not asked."""

import pytest

from labkit.checks.items import Verdict
from labkit.lab.errors import LabError
from labkit.phases import insights, rejects
from labkit.phases.rejects import QUESTIONS
from tests.phases.verdicts import cases, item, make_log_group, named, put_records, wrong

CASES = cases(__file__, "questions.json")
VERDICTS = {"right": Verdict.RIGHT, "wrong": Verdict.WRONG}
RECORDS, QUERY = "records in the log group VPCFlowLogs", "a query for rejected traffic"


class TestRejects:
    @pytest.mark.parametrize("case", CASES, ids=named)
    def test_a_question_is_judged_by_what_it_counts_and_by_what(self, monkeypatch, lab, case):
        asked = [case["query"]] if isinstance(case["query"], str) else case["query"]
        monkeypatch.setattr(rejects, "_finished_queries", lambda _: asked)
        found = {each.name: each for each in rejects.check(lab).items[1:]}
        assert set(found) == set(QUESTIONS)
        for name, told in found.items():
            assert told.verdict is VERDICTS.get(case.get(name), Verdict.ABSENT), name
            if told.verdict is not Verdict.RIGHT:
                assert f"GROUP BY {QUESTIONS[name][1]}" in told.hint

    def test_a_count_of_all_flows_is_told_from_one_of_rejected_flows(self, monkeypatch, lab):
        monkeypatch.setattr(rejects, "_finished_queries", lambda _: [CASES[7]["query"]])
        told = item(rejects.check(lab), "rejects by source")
        assert (told.seen, told.wanted) == ("a count of all flows, let in or not", "of those with REJECT alone")

    def test_a_query_that_failed_is_none(self, lab):
        athena = lab.client("athena")
        begun = athena.start_query_execution(
            QueryString="SELECT sourceaddress, count(*) FROM nowhere WHERE action = 'REJECT' GROUP BY 1",
            ResultConfiguration={"OutputLocation": f"s3://{lab.bucket}/athena-results/"},
        )
        lab.client("athena").get_query_execution(QueryExecutionId=begun["QueryExecutionId"])
        assert item(rejects.check(lab), "rejects by source").verdict is Verdict.ABSENT

    def test_the_samples_days_are_absent_without_a_table(self, lab):
        told = rejects.check(lab).items[0]
        assert told.name == "the sample's days in the table: 28, the first 2026-10-05"
        assert told.wanted == "a partition for each day"

    @pytest.mark.parametrize("ask", [rejects.rejects_by_source, rejects.rejects_by_port, rejects.verdicts_by_day])
    def test_a_question_before_there_is_a_table_is_refused_by_name(self, lab, ask):
        with pytest.raises(Exception, match=r"TABLE_NOT_FOUND.*vpc_flow_logs"):
            ask(lab)


@pytest.fixture(scope="module")
def group(lab):
    """The log group with a record in it."""
    make_log_group(lab)
    line = "2 123456789012 eni-1 198.51.100.7 10.0.1.10 39611 22 6 1 40 1793609000 1793609058 REJECT OK"
    put_records(lab, line, minutes_ago=1)


class TestInsights:
    def test_without_a_group_the_earlier_notebooks_are_named(self, lab):
        told = item(insights.check(lab), RECORDS)
        assert told.verdict is Verdict.ABSENT
        assert told.hint == "do notebooks 02 and 03 first"

    def test_a_group_whose_name_only_begins_so_is_none(self, lab):
        lab.client("logs").create_log_group(logGroupName="VPCFlowLogs-old")
        assert item(insights.check(lab), RECORDS).verdict is Verdict.ABSENT
        lab.client("logs").delete_log_group(logGroupName="VPCFlowLogs-old")

    def test_a_group_without_a_stream_has_to_be_waited_for(self, lab):
        lab.client("logs").create_log_group(logGroupName="VPCFlowLogs")
        told = item(insights.check(lab), RECORDS)
        assert (told.verdict, told.wanted) == (Verdict.ABSENT, "at least one stream")
        assert "5-15 minutes" in told.hint
        lab.client("logs").delete_log_group(logGroupName="VPCFlowLogs")

    @pytest.mark.usefixtures("group")
    def test_streams_are_counted_and_earn_nothing_by_themselves(self, lab):
        told = item(insights.check(lab), RECORDS)
        assert (told.seen, told.given) == ("1 stream", True)

    @pytest.mark.usefixtures("group")
    def test_nothing_asked_is_absent(self, lab):
        told = item(insights.check(lab), QUERY)
        assert told.verdict is Verdict.ABSENT
        assert "top 20 rejected sources" in told.hint

    @pytest.mark.usefixtures("group")
    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("stats count(*) by srcAddr", "stats count(*) by srcAddr"),
            ('filter action = "ACCEPT"\n  | limit 5', 'filter action = "ACCEPT" | limit 5'),
            ('filter action = "reject" | limit 5', 'filter action = "reject" | limit 5'),
            ("fields " + ", ".join(["srcAddr"] * 12), f"fields {'srcAddr, ' * 12}"[:60] + " ..."),
        ],
    )
    def test_another_question_is_present_but_wrong_and_the_latest_is_shown(self, lab, query, shown):
        insights.run_query(lab, query)
        assert wrong(insights.check(lab)) == {QUERY: shown}

    @pytest.mark.usefixtures("group")
    @pytest.mark.parametrize("query", [insights.QUERY, "filter @message like /REJECT/ | limit 1"])
    def test_the_question_in_whatever_words_is_right(self, lab, query):
        insights.run_query(lab, query)
        assert insights.check(lab).passed
        assert item(insights.check(lab), QUERY).seen == "run and complete"

    @pytest.mark.parametrize("hours", [0, -1, "24", None, float("nan")])
    def test_hours_are_a_number_above_nothing(self, lab, hours):
        with pytest.raises(LabError, match=r"hours=.*: give a number above 0, such as hours=10"):
            insights.run_query(lab, hours=hours)

    def test_frames_of_other_makes_have_no_price(self):
        import pandas as pd

        with pytest.raises(LabError, match=r"this frame of 2 rows doesn't say what was scanned: give price\(\)"):
            insights.price(pd.DataFrame({"n": [1, 2]}))
