"""Every exercise: the author's solution, run on its notebook's phase, solves the task.

`make solutions` runs the instructor's copies whole, in kernels, and proves that none of their cells fails; it takes
minutes and is no part of `make test`. These run the solutions alone, with the cells that they build on, in this
process: in seconds, and each is held to what its task asks for.
"""

import ast
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO

import pytest

from labkit.checks.hints import RUNGS, hints
from labkit.checks.items import Verdict
from labkit.lab import progress
from labkit.lab.syllabus import PHASES
from labkit.notebook import Lab
from tests.sandbox.in_process import open_lab
from tests.test_build_notebooks import build

SOURCES = {phase.key: build.read_source(phase) for phase in PHASES}
EXERCISES = [
    pytest.param(key, place, id=f"{key}: {exercise['task']}")
    for key, source in SOURCES.items()
    for place, exercise in enumerate(source.exercises)
]
EVERY_COMMAND, GOAL_ONLY, SPECIFICATION = range(3)


def names_in(source, context):
    """The names that a cell stores, or those that it loads."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}
    if context is ast.Store:
        found |= {alias.asname or alias.name for node in nodes for alias in getattr(node, "names", []) if alias}
        found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return found


def needed(source):
    """The solutions, and the cells whose names they use: what else a notebook shows is run elsewhere."""
    kept, wanted = [], set()
    for cell in reversed([cell for cell in source.cells if cell.cell_type == "code"]):
        stored = names_in(cell.source, ast.Store)
        if build.tag_of(cell) == "solution" or stored & wanted:
            kept.insert(0, cell)
            wanted = (wanted - stored) | names_in(cell.source, ast.Load)
    return kept


class Run:
    """A notebook's solutions, run in this process on a phase that is done, with the cells that they build on."""

    def __init__(self):
        self.names = {"display": lambda *_: None}
        self.printed = ""
        """What catching up said, in the notebook's first cell."""
        self.check = None
        """What the phase's check found when the author had done it, and what that look changed."""
        self.changed = ()
        self.results = []
        """What the solutions ended in, one for each exercise."""

    def cell(self, source):
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<cell>", "exec"), self.names)
        return eval(compile(ast.Expression(last.value), "<cell>", "eval"), self.names) if last else None

    def notebook(self, source, lab):
        opening, *rest = needed(source)
        printed = StringIO()
        with redirect_stdout(printed):
            self.cell(opening.source)
        self.printed = printed.getvalue()
        source.phase.module.solve(lab)
        mark, start = lab.calls.mark(), lab.now()
        self.check = source.phase.module.check(lab)
        self.changed = ([call.as_cli() for call in lab.calls.calls[mark:] if not call.reads], lab.now() - start)
        for cell in rest:
            ended_in = self.cell(cell.source)
            if build.tag_of(cell) == "solution":
                self.results.append(ended_in)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All notebooks, in their order and in one sandbox, with their solutions."""
    runs = {}
    with open_lab(tmp_path_factory.mktemp("lab")) as lab, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_LEARNER", "author")
        patch.chdir(build.PROJECT / "notebooks")
        patch.setattr(Lab, "open", lambda **_: lab)
        patch.setattr("labkit.show.pictures._image", lambda _: b"")  # what is on a picture is told by its words
        for key, source in SOURCES.items():
            runs[key] = Run()
            runs[key].notebook(source, lab)
        yield runs


@pytest.fixture
def solved(runs):
    """What the solution of an exercise ended in: `solved("alarm", GOAL_ONLY)`."""
    return lambda key, place: runs[key].results[place]


@pytest.mark.parametrize("key", SOURCES)
def test_every_notebook_has_three_exercises_and_each_solution_runs(runs, key):
    assert len(SOURCES[key].exercises) == len(runs[key].results) == 3


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.label)
class TestPhase:
    def test_opens_by_catching_up_with_what_comes_before_which_the_author_has_done(self, runs, phase):
        told = [f"{each.label} ... already done" for each in PHASES[: phase.number - 1]]
        assert runs[phase.key].printed.splitlines() == told

    def test_is_right_in_every_item_when_the_author_has_done_it(self, runs, phase):
        for item in runs[phase.key].check.items:
            assert (item.verdict, item.wanted, item.hint) == (Verdict.RIGHT, "", ""), item

    def test_is_looked_at_without_a_change_or_a_moment_passing(self, runs, phase):
        assert runs[phase.key].changed == ([], timedelta())


class TestFlowLogToS3:
    def test_the_list_has_the_one_flow_log_and_its_bucket(self, solved):
        ((flow_log_id, destination),) = solved("flow log to S3", EVERY_COMMAND)
        assert flow_log_id.startswith("fl-")
        assert "vpcflowlogsbucket" in destination

    def test_no_delivery_has_failed(self, solved):
        assert solved("flow log to S3", GOAL_ONLY) == ("SUCCESS", "no error")

    def test_a_record_is_said_aloud_and_so_is_one_without_traffic(self, runs, solved):
        say = runs["flow log to S3"].names["say"]
        accepted = "2 123456789012 eni-1 192.0.2.7 10.0.1.10 50000 443 6 25 9000 1793609000 1793609058 ACCEPT OK"
        silent = "2 123456789012 eni-1 - - - - - - - 1793609000 1793609058 - NODATA"
        assert say(accepted) == "192.0.2.7 to port 443: 25 packets in 58 s, let in"
        assert say(silent) == "no traffic"
        assert solved("flow log to S3", SPECIFICATION).endswith(("let in", "turned away"))


class TestFlowLogToCloudWatch:
    def test_the_group_forgets_after_14_days(self, solved):
        assert solved("flow log to CloudWatch", EVERY_COMMAND) == 14

    def test_the_role_may_write_and_read_nothing(self, solved):
        (statement,) = solved("flow log to CloudWatch", GOAL_ONLY)
        verbs = {action.removeprefix("logs:") for action in statement["Action"]}
        assert {"CreateLogStream", "PutLogEvents"} <= verbs
        assert all(verb.startswith(("Create", "Describe", "Put")) for verb in verbs)

    def test_there_is_one_line_for_each_kind_of_destination(self, solved):
        lines = sorted(solved("flow log to CloudWatch", SPECIFICATION).values())
        assert lines[0].startswith("bucket ")
        assert lines[1] == "log group VPCFlowLogs"


class TestTraffic:
    def test_a_port_that_the_group_does_not_list_times_out(self, solved):
        assert solved("traffic", EVERY_COMMAND).outcome == "timed out"

    def test_a_knock_takes_seconds_and_some_packets(self, solved):
        knocks = solved("traffic", GOAL_ONLY)
        assert list(knocks.columns) == ["srcaddr", "packets", "seconds"]
        assert len(knocks) >= 1
        assert (knocks["seconds"] >= 0).all()

    def test_the_visitors_book_has_times_visitors_and_verdicts_in_order(self, solved):
        book = solved("traffic", SPECIFICATION)
        assert list(book.columns) == ["when", "who", "verdict"]
        assert book["when"].is_monotonic_increasing
        assert set(book["verdict"]) == {"let in", "turned away"}


class TestMetricFilter:
    def test_what_is_let_in_is_line_3(self, solved):
        assert solved("metric filter", EVERY_COMMAND).matches == (3,)

    def test_the_neighbour_is_line_2(self, solved):
        assert solved("metric filter", GOAL_ONLY).matches == (2,)

    def test_udp_below_1024_is_the_added_line_alone(self, solved):
        assert solved("metric filter", SPECIFICATION).matches == (1,)


class TestAlarm:
    def test_the_diary_has_sentences_of_changes_the_latest_first(self, solved):
        diary = solved("alarm", EVERY_COMMAND)
        assert all(words.startswith("Alarm updated from ") for _, words in diary)
        assert [at for at, _ in diary] == sorted((at for at, _ in diary), reverse=True)
        assert any(words.endswith("to ALARM") for _, words in diary)

    def test_the_drill_sends_a_mail(self, solved):
        mail = solved("alarm", GOAL_ONLY).mails[-1]
        assert mail.subject.startswith('ALARM: "SSH Rejects"')

    def test_after_the_less_nervous_one_the_labs_alarm_is_back(self, runs, solved):
        card = solved("alarm", SPECIFICATION)
        assert (card.outcome, runs["alarm"].names["changed"]["DatapointsToAlarm"]) == ("changed", 2)


class TestLogsInsights:
    def test_port_80_leads_what_is_let_in(self, solved):
        rows = solved("Logs Insights", EVERY_COMMAND)
        assert rows.iloc[0, 0] == 80

    def test_a_scanner_tries_more_than_one_port(self, solved):
        rows = solved("Logs Insights", GOAL_ONLY)
        assert (rows["ports"] > 1).all()
        assert rows["ports"].is_monotonic_decreasing

    def test_who_comes_back_has_a_first_and_a_last_time(self, solved):
        rows = solved("Logs Insights", SPECIFICATION)
        assert (rows["attempts"] > 1).all()
        assert (rows["last"] >= rows["first"]).all()


class TestAthenaTable:
    def test_the_last_days_that_it_knows(self, solved):
        rows = solved("Athena table", EVERY_COMMAND)
        assert len(rows) == 3
        assert rows.iloc[:, 0].str.startswith("dt=2026-1").all()

    def test_a_week_of_visitors_has_seven_days(self, solved):
        rows = solved("Athena table", GOAL_ONLY)
        assert list(rows["dt"]) == [f"2026-10-{day:02d}" for day in range(5, 12)]
        assert (rows["accepted"] > 0).all()

    def test_the_busiest_doors_are_ten_below_1024_the_busiest_first(self, solved):
        rows = solved("Athena table", SPECIFICATION)
        assert len(rows) <= 10
        assert (rows["destinationport"] < 1024).all()
        assert rows["records"].is_monotonic_decreasing
        assert (rows["sources"] <= rows["records"]).all()


class TestRejects:
    def test_tcp_udp_and_pings_are_rejected(self, solved):
        assert {6, 17, 1} <= set(solved("rejects", EVERY_COMMAND).iloc[:, 0])

    def test_work_begins_at_eight_on_friday_and_at_nine_on_monday_in_utc(self, solved):
        rows = solved("rejects", GOAL_ONLY)
        assert rows.groupby("dt")["hour"].min().to_dict() == {"2026-10-23": 8, "2026-10-26": 9}

    def test_the_botnet_stays_for_one_hour_in_which_visitors_come_as_before(self, solved):
        text = solved("rejects", SPECIFICATION).text()
        assert "REJECT most, 14 Oct 14:00 3,663" in text
        assert "ACCEPT fewest, 14 Oct 05:00 30" in text


class TestInvestigation:
    def test_guessers_are_counted_by_source(self, solved):
        assert "source" in solved("investigation", EVERY_COMMAND).columns

    def test_the_hours_are_those_of_the_most_guesses(self, solved):
        rows = solved("investigation", GOAL_ONLY)
        assert len(rows) <= 5
        assert rows["guesses"].is_monotonic_decreasing

    def test_the_alarm_would_have_rung_and_the_office_stays_out_of_it(self, solved):
        tried = solved("investigation", SPECIFICATION)
        assert tried.matches
        assert all(fields["source"] != "203.0.113.10" for fields in tried.extracted.values())


class TestCleanUp:
    def test_six_files_a_day_for_four_weeks_stay(self, solved):
        assert solved("clean up", EVERY_COMMAND) == 6 * 28

    def test_the_mess_is_removed(self, solved):
        assert "Log group VPCFlowLogs: deleted" in str(solved("clean up", GOAL_ONLY))

    def test_the_forgetful_are_told_what_is_left(self, runs, solved):
        assert solved("clean up", SPECIFICATION) is None
        assert callable(runs["clean up"].names["assert_clean"])


@pytest.mark.parametrize(("key", "place"), EXERCISES)
class TestHintsOfAnExercise:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LABKIT_HOME", str(tmp_path))

    def test_are_three_a_nudge_the_passage_and_the_way_to_do_it(self, key, place):
        ladder = hints(key).ladders[place]
        assert len(ladder.rungs) == len(RUNGS) == 3
        nudge, passage, way = ladder.rungs
        assert (nudge.code, passage.code) == ("", "")
        assert nudge.text.split()
        assert way.code == SOURCES[key].exercises[place]["solution"]

    def test_come_in_the_sources_order_and_say_more_each_time(self, key, place):
        nudge, passage, way = hints(key).ladders[place].rungs
        assert [nudge.text, passage.text] == SOURCES[key].exercises[place]["hints"]
        assert len({rung.plain() for rung in (nudge, passage, way)}) == 3
        assert way.code not in nudge.text + passage.text

    def test_point_to_a_passage_that_there_is(self, key, place):
        passage = hints(key).ladders[place].rungs[1].text
        assert any(word in passage for word in ("tep ", "otebook ", "`")), passage

    def test_are_kept_one_by_one_as_they_are_asked_for(self, key, place):
        ladder = hints(key).ladders[place]
        button, _ = ladder.button().children
        for taken in range(1, 4):
            button.click()
            assert progress.load().of(key).hints == [f"{ladder.name} {number}" for number in range(1, taken + 1)]

    def test_leave_the_button_usable_after_the_last_which_hides_and_shows_them(self, key, place):
        button, shown = hints(key).ladders[place].button().children
        for _ in range(3):
            button.click()
        names, displays = [], []
        for _ in range(3):
            names.append(button.description)
            displays.append(shown.layout.display)
            button.click()
        assert names == ["Hide the hints", "Show the hints again", "Hide the hints"]
        assert displays == [None, "none", ""]
        assert not button.disabled
        assert len(progress.load().of(key).hints) == 3
