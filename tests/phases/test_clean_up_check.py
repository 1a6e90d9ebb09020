"""The clean-up's check: whatever of the lab's is left is told by its kind, and by nothing else."""

import pytest

from labkit.checks.check import check
from labkit.checks.items import Verdict
from labkit.lab import ledger
from labkit.lab.ledger import TAGS
from labkit.phases import alarm, athena_table, clean_up, flow_logs, investigation, metric_filter
from labkit.phases.clean_up import KINDS
from labkit.phases.inventory import take_inventory
from tests.phases.verdicts import wrong

KEY = "clean up"


def leave_alarm(lab):
    topic = alarm.create_topic(lab).id
    alarm.create_alarm(lab)
    lab.client("sns").delete_topic(TopicArn=topic)


def leave_filter(lab):
    lab.client("logs").create_log_group(logGroupName="VPCFlowLogs")  # by hand: it is none of the lab's
    metric_filter.create_metric_filter(lab)


def leave_case_files(lab):
    ledger.note(lab, "case", "3")
    lab.client("s3").put_object(Bucket=lab.bucket, Key="investigation/case-3/incident-note.md", Body=b"x")


def leave_delivered(lab):
    flow_log = flow_logs.publish_to_s3(lab, lab.bucket).id
    folder = f"AWSLogs/{lab.account_id}/vpcflowlogs/{lab.region}/2026/11/02"
    name = f"{lab.account_id}_vpcflowlogs_{lab.region}_{flow_log}_20261102T0900Z_12345678.log.gz"
    lab.client("s3").put_object(Bucket=lab.bucket, Key=f"{folder}/{name}", Body=b"")
    flow_logs.delete_flow_logs(lab, flow_logs.Destination("s3", lab.bucket))


def leave_results(lab):
    athena_table.connect(lab)
    lab.client("s3").put_object(Bucket=lab.bucket, Key="athena-results/answer.csv", Body=b"x")


def leave_table(lab):
    athena_table.create_database(lab)
    athena_table.create_table(lab)
    for entry in lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="athena-results/").get("Contents", []):
        lab.client("s3").delete_object(Bucket=lab.bucket, Key=entry["Key"])


LEAVE = {
    "alarm": leave_alarm,
    "SNS topic": alarm.create_topic,
    "metric filter": leave_filter,
    "flow log": lambda lab: flow_logs.publish_to_s3(lab, lab.bucket),
    "log group": flow_logs.create_log_group,
    "Athena table": leave_table,
    "query results": leave_results,
    "case files": leave_case_files,
    "delivered logs": leave_delivered,
}


@pytest.fixture
def clean(lab):
    """Whatever a test leaves is removed after it, by hand too."""
    yield
    clean_up.remove_everything(lab, made_by_hand=True)
    assert check(KEY).passed


@pytest.mark.parametrize("kind", LEAVE)
def test_one_thing_left_is_one_item_wrong_and_goes_the_next_time(lab, kind):
    LEAVE[kind](lab)
    found, before = check(KEY), take_inventory(lab)
    assert wrong(found) == {f"no {kind} left": "1 there"}
    (told,) = [item for item in found.items if item.verdict is Verdict.WRONG]
    assert told.wanted == "none"
    assert "remove_everything(lab), or `labkit clean`" in told.hint
    clean_up.remove_everything(lab, made_by_hand=kind == "metric filter")  # whose log group was made by hand
    proof = clean_up.prove(lab, before)
    assert (proof.before.made != (), proof.left) == (True, ())
    assert "0 left" in proof.text()


@pytest.mark.usefixtures("clean")
def test_a_subscription_that_waits_is_left_and_the_proof_says_for_how_long(lab):
    alarm.subscribe_email(lab)
    assert wrong(check(KEY)) == {"no SNS topic left": "1 there", "no subscription left": "1 there"}
    text = clean_up.prove(lab, take_inventory(lab)).text()
    assert "an unconfirmed one can't be removed; AWS forgets it after two days" in text


@pytest.mark.usefixtures("clean")
def test_there_is_an_item_for_every_kind_that_the_inventory_knows_which_counts(lab):
    found = check(KEY)
    assert [item.name for item in found.items] == [f"no {kind} left" for kind in KINDS]
    for number in (3, 4):
        investigation.open_case(lab, number)
    flow_logs.publish_to_s3(lab, lab.bucket)
    assert {thing.kind for thing in take_inventory(lab).made} <= set(KINDS)
    told = wrong(check(KEY))
    assert told["no log group left"] == told["no Athena table left"] == "2 there"


@pytest.mark.usefixtures("clean")
def test_things_of_others_under_the_labs_names_are_no_leftovers(lab):
    lab.client("logs").create_log_group(logGroupName="VPCFlowLogs")
    lab.client("sns").create_topic(Name=alarm.TOPIC_NAME)
    assert check(KEY).passed
    lab.client("sns").tag_resource(
        ResourceArn=alarm.find_topic(lab), Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()]
    )
    assert wrong(check(KEY)) == {"no SNS topic left": "1 there"}


def test_what_each_phase_removes_is_said_in_the_order_of_the_removal(lab):
    for leave in LEAVE.values():
        leave(lab)
    rows = clean_up.remove_everything(lab).rows
    assert [phase for phase, _ in rows] == [
        "05 alarm",
        "04 metric filter",
        "03 traffic",
        "02 flow log to CloudWatch",
        "01 flow log to S3",
        "09 investigation",
        "06 Logs Insights",
        "07 Athena table",
        "08 rejects",
        "delivered logs",
    ]
    assert not any("FAILED" in told for _, told in rows)


@pytest.mark.usefixtures("clean")
def test_delivered_logs_stay_where_they_are_to_stay(lab):
    leave_delivered(lab)
    clean_up.remove_everything(lab, delivered_logs=False)
    assert wrong(check(KEY)) == {"no delivered logs left": "1 there"}


@pytest.mark.usefixtures("clean")
def test_removing_may_be_interrupted_and_run_again(lab, monkeypatch):
    alarm.create_alarm(lab)
    flow_logs.create_log_group(lab)
    monkeypatch.setattr(flow_logs, "delete_flow_logs", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        clean_up.remove_everything(lab)
    assert wrong(check(KEY)) == {"no log group left": "1 there"}
    monkeypatch.undo()
