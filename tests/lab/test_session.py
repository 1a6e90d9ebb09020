import re
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

import labkit
from labkit.checks.check import Check
from labkit.checks.items import absent, right
from labkit.lab import progress, session, settings
from labkit.lab.cloud import AwsCloud, SandboxCloud, WaitedInVain
from labkit.lab.errors import LabError
from labkit.lab.session import WaitInterrupted
from labkit.lab.settings import Settings, SettingsError
from labkit.lab.syllabus import PHASES
from labkit.notebook import Lab
from labkit.sandbox import process
from tests.conftest import lend


class StillCloud:
    """A cloud of which only the time is asked; waiting for it takes its own time."""

    name = "still"

    def __init__(self):
        self.time = datetime(2026, 11, 2, 9, tzinfo=UTC)
        self.timeouts = []

    def now(self):
        return self.time

    def wait_until(self, condition, *, timeout, what, **_):
        self.timeouts.append(timeout)
        passed = 0.0
        while not condition():
            passed += 90
            self.time += timedelta(seconds=90)
        return passed


@pytest.fixture
def still_lab(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "still"))
    return Lab(Settings(), StillCloud())


@pytest.fixture
def own_home(running_server, tmp_path, monkeypatch):
    """A LABKIT_HOME of its own, in which the shared sandbox is the one that runs."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    monkeypatch.setattr(session.Lab, "last_opened", None)
    lend(running_server, tmp_path)
    return tmp_path


def test_opening_takes_the_kept_settings_and_the_sandbox_that_runs(own_home):
    settings.save(Settings(region="us-east-1"))
    lab = Lab.open()
    assert (lab.region, lab.cloud.name, lab.account_id) == ("us-east-1", "sandbox", "123456789012")
    assert repr(lab) == "Lab on sandbox in us-east-1"
    assert Lab.current() is lab


def test_changes_hold_for_one_lab_alone(own_home):
    assert Lab.open(region="eu-west-2").region == "eu-west-2"
    assert Lab.open().region == "eu-west-1"
    with pytest.raises(SettingsError, match="'mars-1' is no AWS region"):
        Lab.open(region="mars-1")


def test_a_kernel_that_was_restarted_opens_the_same_lab_again(own_home):
    first = Lab.open()
    assert Lab.current() is first
    Lab._current = None
    assert Lab.current().vpc == first.vpc


def test_clients_are_made_once(own_home):
    lab = Lab.open()
    assert lab.client("ec2") is lab.client("ec2")
    assert lab.client("ec2").meta.region_name == lab.region


def test_using_other_settings_goes_over_to_them_in_place(own_home):
    lab = Lab.open()
    before = lab.vpc
    lab.use(Settings(region="eu-west-2"))
    assert lab.region == lab.client("ec2").meta.region_name == "eu-west-2"
    assert lab.vpc != before


def test_settings_that_cannot_be_used_leave_the_lab_as_it_is(own_home):
    lab = Lab.open()
    with pytest.raises(LabError, match="not-there"):
        lab.use(Settings(bucket="not-there"))
    assert lab.settings == Settings()
    assert "vpcflowlogsbucket" in lab.bucket


def test_the_form_knows_the_bucket_that_was_found(own_home):
    lab = Lab.open()
    assert lab.bucket in str(lab.settings_form())


def test_the_form_opens_where_the_bucket_of_the_settings_is_not_there_and_offers_those_that_are(own_home):
    lab = Lab.open(bucket="gone-since-then")
    form = lab.settings_form()
    form.build()
    assert form.fields["bucket"].value == "gone-since-then"
    assert form.fields["bucket"].options == (Lab.open().bucket,)
    form.fields["region"].value = "eu-west-2"
    assert [name for name in form.fields["bucket"].options if "vpcflowlogsbucket" in name] != []


@pytest.mark.parametrize(
    ("expect", "timeout"), [("5-15 min", 2700), ("30 s", 90), ("1 h", 10800), ("1-2 min", 360), ("60 min", 10800)]
)
def test_a_wait_is_given_up_after_three_times_the_expected(still_lab, expect, timeout):
    still_lab.wait_until(lambda: True, expect=expect)
    assert still_lab.cloud.timeouts == [timeout]


@pytest.mark.parametrize("expect", ["soon", "5", "min", "5-15", "5 minutes", ""])
def test_an_expectation_that_is_none_is_refused(still_lab, expect):
    with pytest.raises(ValueError, match=re.escape(f"expect={expect!r}: write how long")):
        still_lab.wait_until(lambda: True, expect=expect)


def test_a_wait_says_what_came_and_when(still_lab):
    due = still_lab.now() + timedelta(minutes=6)
    waited = still_lab.wait_until(lambda: still_lab.now() >= due, what="the first log stream")
    assert str(waited) == "Waited for the first log stream: there after 6 min (expected 5-15 min)."
    assert str(still_lab.wait_until(lambda: True, what="it")) == "Waited for it: there at once."


def test_a_wait_in_vain_is_a_lab_error():
    assert issubclass(WaitedInVain, LabError)


class FakePhase:
    """A phase that is done once it is solved, or never."""

    def __init__(self, *, ready=False, solvable=True):
        self.ready, self.solvable, self.solved = ready, solvable, 0

    def check(self, lab):
        return Check("fake", (right("it") if self.ready else absent("it", hint="Do it."),))

    def solve(self, lab):
        self.solved += 1
        self.ready = self.solvable


@pytest.fixture
def fakes(monkeypatch):
    monkeypatch.setattr("labkit.phases.course.keep_first", lambda _: None)
    modules = {phase.module_name: FakePhase() for phase in PHASES}
    monkeypatch.setattr("labkit.lab.syllabus.import_module", lambda name: modules[name.rpartition(".")[2]])
    return modules


def test_catching_up_solves_what_is_not_done_in_order_and_says_so_on_the_way(still_lab, fakes, capsys):
    fakes["flow_log_to_cloudwatch"].ready = True
    caught_up = still_lab.catch_up(before="metric filter")
    assert capsys.readouterr().out.splitlines() == [
        "01 flow log to S3 ... done now, for you",
        "02 flow log to CloudWatch ... already done",
        "03 traffic ... done now, for you",
    ]
    assert str(caught_up) == "Ready for 04 metric filter."
    assert [name for name, phase in fakes.items() if phase.solved] == ["flow_log_to_s3", "traffic"]


def test_there_is_nothing_to_catch_up_with_before_the_first_phase(still_lab, fakes, capsys):
    assert str(still_lab.catch_up(before=1)) == "Ready for 01 flow log to S3."
    assert capsys.readouterr().out == ""


def test_what_was_caught_up_with_counts_as_skipped_and_what_was_done_as_earned(still_lab, fakes):
    fakes["flow_log_to_cloudwatch"].ready = True
    still_lab.catch_up(before="traffic")
    kept = progress.load()
    assert (kept.of("flow log to S3").skipped, kept.of("flow log to S3").points(10)) == (True, 0)
    assert (kept.of("flow log to CloudWatch").skipped, kept.of("flow log to CloudWatch").points(10)) == (False, 10)
    assert kept.at_work_on == "traffic"


def test_skipping_does_a_phase_and_what_comes_before_it(still_lab, fakes, capsys):
    assert str(still_lab.skip("traffic")) == "03 traffic: done now, for you."
    assert [name for name, phase in fakes.items() if phase.solved] == [
        "flow_log_to_s3",
        "flow_log_to_cloudwatch",
        "traffic",
    ]
    assert progress.load().of("traffic").skips == 1


def test_skipping_what_is_done_leaves_it_as_it_is(still_lab, fakes):
    for phase in fakes.values():
        phase.ready = True
    assert str(still_lab.skip("traffic")) == "03 traffic: already done."
    assert progress.load().of("traffic").skips == 0


def test_a_phase_that_cannot_be_caught_up_with_shows_its_check(still_lab, fakes):
    fakes["flow_log_to_s3"].solvable = False
    with pytest.raises(
        LabError,
        match=r"catch up with 01 flow log to S3. See what is missing, then run the cell again.\n(.|\n)*✗ it: absent",
    ):
        still_lab.catch_up(before=3)
    assert fakes["flow_log_to_cloudwatch"].solved == 0


def test_what_aws_was_asked_can_be_asked_for(lab):
    assert str(Lab(lab.settings, lab.cloud).asked()) == "AWS was asked nothing yet."
    for name in ("a", "b", "b"):
        lab.client("logs").describe_log_groups(logGroupNamePrefix=name)
    lab.client("ec2").describe_regions()
    line = "aws logs describe-log-groups --log-group-name-prefix"
    assert lab.asked("logs", last=2).lines == (f"{line} a", f"{line} b")
    assert lab.asked().lines == ("aws ec2 describe-regions",)
    lab.client("logs").create_log_group(logGroupName="c")
    lab.client("ec2").describe_regions()
    assert lab.asked(changes=True).lines == ("aws logs create-log-group --log-group-name c",)


def test_resetting_puts_the_sandbox_back_and_keeps_the_points(lab):
    lab.client("logs").create_log_group(logGroupName="mine")
    progress.note_check("alarm", 4, 4)
    progress.note_skip("traffic")
    assert "as it was in its first minute" in str(lab.reset())
    assert lab.client("logs").describe_log_groups()["logGroups"] == []
    assert lab.vpc.name == "Lab VPC"
    kept = progress.load()
    assert (kept.of("alarm").points(10), kept.of("traffic").skipped, kept.of("traffic").skips) == (10, False, 1)


def test_a_real_account_is_not_reset():
    with pytest.raises(LabError, match="notebook 10 or `labkit clean`"):
        Lab(Settings(), AwsCloud()).reset()


def test_a_lab_error_is_shown_as_its_sentence_alone():
    assert LabError("The sandbox doesn't answer.")._render_traceback_() == ["LabError: The sandbox doesn't answer."]


def test_a_notebook_takes_its_names_from_labkit():
    from labkit import Lab as lab_class
    from labkit import check, in_console, quiz

    assert lab_class is Lab
    assert all(map(callable, (check, in_console, quiz)))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = labkit.nonsense


def test_a_stale_home_starts_no_second_sandbox_and_needs_no_repair(own_home, running_server):
    (own_home / "made.json").write_text("{ half a fi")
    lab = Lab.open()
    assert isinstance(lab.cloud, SandboxCloud)
    assert process.find(own_home).pid == running_server.pid


def test_aws_without_a_network_is_said_in_a_sentence_with_the_way_back(own_home, monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com")

    monkeypatch.setattr("botocore.endpoint.Endpoint.make_request", unreachable)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings.save(Settings(cloud="aws", email="me@mycompany.io"))
    with pytest.raises(LabError, match="see that there is a network") as refusal:
        Lab.open()
    assert 'settings.change(cloud="sandbox")' in str(refusal.value)
    settings.change(cloud="sandbox")


def test_without_a_network_the_sandbox_opens_as_ever(own_home, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    lab = Lab.open()
    assert lab.vpc.name == "Lab VPC"
    assert lab.cloud.now().year == 2026


class Interrupting(StillCloud):
    """A cloud on which every wait is interrupted."""

    def wait_until(self, condition, *, timeout, what, **_):
        raise KeyboardInterrupt


def test_an_interrupted_wait_is_a_sentence_and_no_traceback():
    lab = Lab(Settings(), Interrupting())
    with pytest.raises(WaitInterrupted) as stop:
        lab.wait_until(lambda: False, what="the first log stream")
    assert str(stop.value).startswith("Stopped waiting for the first log stream. Nothing is lost: run the cell again")
    assert stop.value._render_traceback_() == [f"WaitInterrupted: {stop.value}"]


def test_what_was_made_and_is_not_seen_yet_is_looked_for_again():
    cloud = StillCloud()
    cloud.settling_seconds = 120.0
    looks = iter([None, None, "alarm", "alarm"])
    assert Lab(Settings(), cloud).settled(lambda: next(looks), "the alarm") == "alarm"


def test_where_nothing_has_to_settle_what_is_not_there_is_said_at_once():
    cloud = StillCloud()
    cloud.settling_seconds = 0.0
    with pytest.raises(LabError, match="The alarm was made, but is not there: run this cell again"):
        Lab(Settings(), cloud).settled(lambda: None, "the alarm")
