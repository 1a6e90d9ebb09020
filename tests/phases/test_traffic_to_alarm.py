"""The middle of the lab as one story: SSH let in and turned away, counted, told by e-mail, and all of it removed."""

import pytest
from botocore.exceptions import ClientError

from labkit.checks.check import check
from labkit.lab import ledger
from labkit.lab.errors import LabError
from labkit.phases import alarm, clean_up, delivered, flow_logs, inventory, metric_filter, traffic
from tests.phases.verdicts import absent, wrong


def test_before_anything_the_checks_say_what_is_absent(lab):
    assert len(absent(check("traffic"))) == 3
    assert absent(check("metric filter")) == ["metric filter dest-port-22-rejects of VPCFlowLogs"]
    assert len(absent(check("alarm"))) == 3
    assert inventory.take_inventory(lab).made == ()


def test_what_needs_an_earlier_step_says_which(lab):
    with pytest.raises(LabError, match="wait_for_delivered_objects"):
        traffic.read_delivered_objects(lab)
    with pytest.raises(LabError, match="subscribe_email"):
        alarm.confirm_subscription(lab)


def test_catching_up_does_the_earlier_phases(lab, capsys):
    for state in ("done now, for you", "already done"):
        lab.catch_up(before="traffic")
        assert capsys.readouterr().out == f"01 flow log to S3 ... {state}\n02 flow log to CloudWatch ... {state}\n"


def test_ssh_is_let_in_turned_away_and_let_in_again(lab):
    assert traffic.connect_by_ssh(lab).outcome == "connected"
    swapped = traffic.swap_security_group(lab, "HTTPOnly")
    assert (swapped.outcome, lab.web_server.security_groups) == ("attached", ("HTTPOnly",))
    assert traffic.connect_by_ssh(lab).outcome == "timed out"
    assert list(wrong(check("traffic"))) == ["security group of the Web Server"]
    assert traffic.swap_security_group(lab, "HTTPOnly").outcome == "already attached"
    traffic.swap_security_group(lab, "HTTPAndSSH")
    assert traffic.connect_by_ssh(lab).outcome == "connected"


def test_a_group_that_is_not_there_is_named(lab):
    with pytest.raises(LabError, match=r"no security group with 'SSHOnly' in its name .* in eu-west-1"):
        traffic.swap_security_group(lab, "SSHOnly")


def test_the_records_come_when_they_are_due(lab):
    start = lab.now()
    waited = traffic.wait_for_log_events(lab, action="REJECT")
    assert 60 <= (lab.now() - start).total_seconds() <= 15 * 60
    assert "(expected 5-15 min)" in str(waited)
    traffic.wait_for_log_events(lab, action="ACCEPT")
    traffic.wait_for_delivered_objects(lab)
    assert check("traffic").passed


def test_the_records_in_the_log_group_tell_what_happened(lab):
    records = traffic.read_log_events(lab)
    incoming = records[(records["dstport"] == 22) & (records["protocol"] == 6)]
    assert set(incoming["action"]) == {"ACCEPT", "REJECT"}
    rejected = traffic.read_log_events(lab, pattern=metric_filter.PATTERN)
    assert set(rejected["action"]) == {"REJECT"}
    assert set(rejected["dstaddr"]) == {lab.web_server.private_ip}
    assert traffic.read_log_events(lab, limit=1).equals(records.tail(1).reset_index(drop=True))
    assert traffic.read_log_events(lab, log_group="no-such-group").empty


def test_the_same_records_are_in_the_bucket(lab):
    objects = traffic.list_delivered_objects(lab)
    (flow_log_id,) = {key.split("_")[3] for key in objects["key"]}
    assert flow_log_id in ledger.flow_log_ids(lab)
    assert objects["key"].str.startswith(delivered.folder(lab)).all()
    records = traffic.read_delivered_objects(lab)
    assert ((records["dstport"] == 22) & (records["action"] == "REJECT")).any()


def test_the_pattern_field_by_field():
    rows = metric_filter.explain_pattern().rows
    assert len(rows) == 14
    assert [(name, value) for _, name, value, _ in rows if value != "anything"] == [
        ("destport", "22"),
        ("protocol", "6"),
        ("action", "REJECT"),
    ]


def test_two_of_the_sample_lines_match(lab):
    tried = metric_filter.try_pattern(lab)
    assert tried.matches == (1, 2)
    assert tried.extracted[1]["destport"] == "22"
    assert tried.extracted[2]["source"] == "198.51.100.8"
    assert str(tried).startswith("2 of 4 lines match")
    assert "destport=22" in tried.html()


def test_another_pattern_matches_other_lines(lab):
    any_port = metric_filter.PATTERN.replace('destport="22"', "destport")
    assert metric_filter.try_pattern(lab, any_port).matches == (1, 2, 4)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        metric_filter.try_pattern(lab, "[version, account")


def put_filter(lab, **differing):
    asked = {
        "logGroupName": "VPCFlowLogs",
        "filterName": "dest-port-22-rejects",
        "filterPattern": metric_filter.PATTERN,
        "metricTransformations": [
            {"metricNamespace": "VPC Flow Logs", "metricName": "ssh-rejects", "metricValue": "1"}
        ],
    }
    lab.client("logs").put_metric_filter(**asked | differing)


@pytest.mark.parametrize(
    ("differing", "name"),
    [
        ({"filterPattern": metric_filter.PATTERN.replace("22", "23")}, "pattern picks rejected SSH attempts"),
        ({"filterPattern": metric_filter.PATTERN.replace("REJECT", "ACCEPT")}, "pattern picks rejected SSH attempts"),
        ({"filterPattern": ""}, "pattern picks rejected SSH attempts"),
        (
            {
                "metricTransformations": [
                    {"metricNamespace": "VPC Flow Logs", "metricName": "SSHRejects", "metricValue": "1"}
                ]
            },
            "metric",
        ),
        (
            {
                "metricTransformations": [
                    {"metricNamespace": "VPC Flow Logs", "metricName": "ssh-rejects", "metricValue": "$bytes"}
                ]
            },
            "value for a match",
        ),
    ],
)
def test_a_filter_on_something_else_is_present_but_wrong(lab, differing, name):
    if "metricTransformations" in differing and "$bytes" in str(differing):
        differing = differing | {"filterPattern": metric_filter.PATTERN}
    put_filter(lab, **differing)
    assert list(wrong(check("metric filter"))) == [name]


def test_a_pattern_in_other_words_that_does_the_same_is_right(lab):
    put_filter(lab, filterPattern='[v, acct, eni, src, dst, sp, dp=22, proto=6, p, b, s, e, act="REJECT", status]')
    assert check("metric filter").passed


def test_the_lab_puts_a_wrong_filter_right(lab):
    put_filter(lab, filterPattern="REJECT")
    assert metric_filter.create_metric_filter(lab).outcome == "created"
    assert metric_filter.create_metric_filter(lab).outcome == "already there"
    assert check("metric filter").passed


def test_an_alarm_on_another_metric_is_present_but_wrong(lab):
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="SSH Rejects", **dict(alarm.WANTED, MetricName="SSHRejects", Period=300)
    )
    named = list(wrong(check("alarm")))
    assert named == ["alarm SSH Rejects: MetricName", "alarm SSH Rejects: Period", "alarm SSH Rejects: notifies"]


def test_the_subscription_is_pending_until_the_link_is_followed(lab):
    topic = alarm.create_topic(lab)
    assert (topic.outcome, topic.id.rsplit(":", 1)[1]) == ("created", "Default_CloudWatch_Alarms_Topic")
    assert alarm.create_topic(lab).outcome == "already there"
    assert alarm.subscribe_email(lab).status == "Pending confirmation"
    assert next(iter(wrong(check("alarm")))) == f"subscription of {lab.email}"
    mailbox = alarm.read_inbox(lab)
    assert "ConfirmSubscription" in str(mailbox)
    assert "127.0.0.1" not in f"{mailbox}{mailbox.html()}"
    assert alarm.confirm_subscription(lab).status == "Confirmed"
    assert alarm.confirm_subscription(lab).outcome == "already confirmed"
    assert alarm.subscribe_email(lab).outcome == "already there"


def test_where_no_mailbox_can_be_looked_into_the_learner_is_told_to_click(lab, monkeypatch):
    monkeypatch.setattr(lab.cloud, "mails", lambda to: [])
    monkeypatch.setattr(alarm, "_is_confirmed", lambda subscription: False)
    assert alarm.confirm_subscription(lab).outcome.startswith("waiting for you: open the mail")


def test_the_lab_puts_a_wrong_alarm_right(lab):
    card = alarm.create_alarm(lab)
    assert card.outcome == "changed"
    assert "Sum over 60 s >= 1" in str(card)
    assert alarm.create_alarm(lab).outcome == "already there"
    assert absent(check("alarm")) == ["has been in ALARM"]


def test_a_rejected_attempt_fires_the_alarm_and_the_mail_comes(lab):
    start = lab.now()
    assert alarm.provoke_rejected_ssh(lab).outcome == "timed out"
    assert lab.web_server.security_groups == ("HTTPAndSSH",)
    card = alarm.watch_alarm(lab)
    assert (card.status, card.details["Summary"]) == ("ALARM", "Alarm updated from INSUFFICIENT_DATA to ALARM")
    assert card.details["Reason"].startswith("Threshold Crossed: 1 datapoint [1.0 (")
    assert alarm.watch_alarm(lab, since=start).status == "ALARM"
    points = alarm.read_metric(lab)
    assert list(points.columns) == ["timestamp", "sum"]
    assert points["sum"].sum() >= 1
    assert alarm.read_inbox(lab).mails[-1].subject == 'ALARM: "SSH Rejects" in EU (Ireland)'
    assert check("alarm").passed


def test_the_inventory_has_everything_that_was_made(lab):
    kinds = [thing.kind for thing in inventory.take_inventory(lab).made]
    assert kinds == [
        "alarm",
        "SNS topic",
        "subscription",
        "metric filter",
        "flow log",
        "flow log",
        "log group",
        "delivered logs",
    ]
    assert len(wrong(check("clean up"))) == 7


def test_everything_is_removed_and_what_was_provided_stays(lab):
    sample_files = len(lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="AWSLogs/")["Contents"])
    delivered_files = len(list(delivered.objects(lab)))
    before = inventory.take_inventory(lab)
    removed = clean_up.remove_everything(lab)
    order = [phase for phase, _ in removed.rows]
    assert order.index("05 alarm") < order.index("02 flow log to CloudWatch") < order.index("07 Athena table")
    assert order[-1] == "delivered logs"
    comparison = clean_up.compare_inventories(before, inventory.take_inventory(lab))
    assert comparison.left == ()
    assert comparison.before.provided == comparison.after.provided
    assert "0 left; everything that was provided is still there." in str(comparison)
    left_files = len(lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="AWSLogs/")["Contents"])
    assert left_files == sample_files - delivered_files
    assert check("clean up").passed


def test_nothing_comes_back_later(lab, let_pass):
    let_pass(20)
    assert check("clean up").passed


def test_cleaning_up_what_is_clean_is_fine(lab):
    assert all("deleted" not in done or "deleted: 0" in done for _, done in clean_up.remove_everything(lab).rows)
    assert flow_logs.find_flow_logs(lab) == []
