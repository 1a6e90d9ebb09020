import json
from datetime import UTC, datetime

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.alarms.cloudwatch import ALARM

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:SSH Rejects"


def names(answer, kind="MetricAlarms"):
    return [alarm["AlarmName"] for alarm in answer[kind]]


def test_a_new_alarm_is_described_with_what_was_given_and_no_empty_members(cloudwatch):
    cloudwatch.put_alarm(AlarmDescription="")
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert cloudwatch.call("DescribeAlarms") == {
        "CompositeAlarms": [],
        "MetricAlarms": [
            ALARM
            | {
                "AlarmArn": ARN,
                "ActionsEnabled": True,
                "OKActions": [],
                "AlarmActions": [],
                "InsufficientDataActions": [],
                "AlarmConfigurationUpdatedTimestamp": start,
                "Dimensions": [],
                "StateValue": "INSUFFICIENT_DATA",
                "StateReason": "Unchecked: Initial alarm creation",
                "StateUpdatedTimestamp": start,
                "StateTransitionedTimestamp": start,
            }
        ],
    }


def test_an_update_replaces_the_whole_configuration(cloudwatch):
    cloudwatch.put_alarm(AlarmDescription="before", TreatMissingData="breaching")
    cloudwatch.to_minute(5)
    cloudwatch.put_alarm(Threshold=7.0)
    alarm = cloudwatch.alarm()
    assert alarm["Threshold"] == 7.0
    assert "AlarmDescription" not in alarm
    assert "TreatMissingData" not in alarm
    assert alarm["AlarmConfigurationUpdatedTimestamp"] == datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    assert alarm["StateUpdatedTimestamp"] == datetime(2026, 11, 2, 9, 1, tzinfo=UTC)


@pytest.fixture
def several(cloudwatch):
    """Alarms web-1, web-2 and db, and the composite alarm all."""
    for name in ("web-2", "web-1", "db"):
        cloudwatch.put_alarm(
            AlarmName=name, MetricName=name, AlarmActions=[f"arn:aws:sns:eu-west-1:123456789012:{name}"]
        )
    cloudwatch.put_composite("all", "ALARM(web-1) OR ALARM(db)")
    cloudwatch.sample(0, metric="db")
    cloudwatch.to_minute(1)
    return cloudwatch


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["db", "web-1", "web-2"]),
        ({"AlarmNames": ["web-2", "nobody", "db"]}, ["db", "web-2"]),
        ({"AlarmNamePrefix": "web"}, ["web-1", "web-2"]),
        ({"StateValue": "ALARM"}, ["db"]),
        ({"ActionPrefix": "arn:aws:sns:eu-west-1:123456789012:web"}, ["web-1", "web-2"]),
        ({"AlarmTypes": ["CompositeAlarm"]}, []),
        ({"ChildrenOfAlarmName": "all"}, ["db", "web-1"]),
        ({"ParentsOfAlarmName": "db"}, []),
    ],
)
def test_alarms_are_listed_by_what_is_asked(several, asked, expected):
    assert names(several.call("DescribeAlarms", **asked)) == expected


def test_composite_alarms_are_listed_when_asked_for(several):
    assert names(several.call("DescribeAlarms"), "CompositeAlarms") == []
    assert names(several.call("DescribeAlarms", AlarmTypes=["CompositeAlarm"]), "CompositeAlarms") == ["all"]
    (parent,) = several.call("DescribeAlarms", ParentsOfAlarmName="db")["CompositeAlarms"]
    assert sorted(parent) == ["AlarmArn", "AlarmName", "StateUpdatedTimestamp", "StateValue"]


def test_alarms_come_in_pages(several):
    page = several.call("DescribeAlarms", MaxRecords=2)
    assert names(page) == ["db", "web-1"]
    assert names(several.call("DescribeAlarms", MaxRecords=2, NextToken=page["NextToken"])) == ["web-2"]


def test_the_alarms_on_a_metric(several):
    asked = {"Namespace": "LabVPC", "MetricName": "db"}
    assert names(several.call("DescribeAlarmsForMetric", **asked)) == ["db"]
    assert names(several.call("DescribeAlarmsForMetric", **asked, Statistic="Sum", Period=60)) == ["db"]
    assert names(several.call("DescribeAlarmsForMetric", **asked, Statistic="Average")) == []
    assert names(several.call("DescribeAlarmsForMetric", **asked, Dimensions=[{"Name": "a", "Value": "b"}])) == []


def test_the_history_tells_creation_state_changes_and_actions(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm(AlarmActions=[topic])
    cloudwatch.sample(0, 3.0)
    cloudwatch.to_minute(1)
    items = cloudwatch.call("DescribeAlarmHistory", AlarmName="SSH Rejects")["AlarmHistoryItems"]
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("Action", f"Successfully executed action {topic}"),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "SSH Rejects" created'),
    ]
    assert {item["AlarmType"] for item in items} == {"MetricAlarm"}
    update = json.loads(items[1]["HistoryData"])
    assert update["oldState"] == {
        "stateValue": "INSUFFICIENT_DATA",
        "stateReason": "Unchecked: Initial alarm creation",
    }
    assert update["newState"]["stateReasonData"]["recentDatapoints"] == [3.0]
    action = json.loads(items[0]["HistoryData"])
    assert (action["actionState"], action["notificationResource"], action["error"]) == ("Succeeded", topic, None)


def test_the_history_can_be_asked_for_a_range_and_an_order(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(10)
    cloudwatch.put_alarm(Threshold=2.0)
    cloudwatch.to_minute(20)
    cloudwatch.call("DeleteAlarms", AlarmNames=["SSH Rejects"])

    def summaries(**asked):
        found = cloudwatch.call("DescribeAlarmHistory", **asked)["AlarmHistoryItems"]
        return [item["HistorySummary"].rsplit(" ", 1)[1] for item in found]

    assert summaries() == ["deleted", "updated", "created"]
    assert summaries(ScanBy="TimestampAscending") == ["created", "updated", "deleted"]
    assert summaries(StartDate=datetime(2026, 11, 2, 9, 5, tzinfo=UTC)) == ["deleted", "updated"]
    assert summaries(EndDate=datetime(2026, 11, 2, 9, 5, tzinfo=UTC)) == ["created"]
    assert summaries(AlarmName="nobody") == []
    assert summaries(MaxRecords=1) == ["deleted"]


def test_the_history_is_kept_for_thirty_days(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.sandbox.clock.advance(31 * 86400)
    cloudwatch.put_alarm(AlarmName="another")
    found = cloudwatch.call("DescribeAlarmHistory")["AlarmHistoryItems"]
    assert [item["AlarmName"] for item in found] == ["another"]


def test_setting_the_state_that_it_has_changes_the_reason_only(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(3.5)
    cloudwatch.call(
        "SetAlarmState",
        AlarmName="SSH Rejects",
        StateValue="INSUFFICIENT_DATA",
        StateReason="because",
        StateReasonData='{"a": 1}',
    )
    alarm = cloudwatch.alarm()
    assert (alarm["StateReason"], alarm["StateReasonData"]) == ("because", '{"a": 1}')
    assert alarm["StateTransitionedTimestamp"] < alarm["StateUpdatedTimestamp"]
    assert cloudwatch.transitions() == []


def test_a_deleted_alarm_is_gone_and_an_unknown_one_is_no_error(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.call("DeleteAlarms", AlarmNames=["SSH Rejects", "nobody"])
    assert names(cloudwatch.call("DescribeAlarms")) == []


def test_a_child_of_a_composite_alarm_stays(several):
    with pytest.raises(ServiceError, match=r"Cannot delete db as there are composite alarm\(s\) depending on it"):
        several.call("DeleteAlarms", AlarmNames=["web-2", "db"])
    assert names(several.call("DescribeAlarms")) == ["db", "web-1", "web-2"]
    several.call("DeleteAlarms", AlarmNames=["all"])
    several.call("DeleteAlarms", AlarmNames=["db"])


def test_tags_go_with_an_alarm(cloudwatch):
    cloudwatch.put_alarm(Tags=[{"Key": "lab", "Value": "vpc"}, {"Key": "team", "Value": "red"}])
    cloudwatch.call("TagResource", ResourceARN=ARN, Tags=[{"Key": "team", "Value": "blue"}])
    cloudwatch.call("UntagResource", ResourceARN=ARN, TagKeys=["lab", "nothing"])
    cloudwatch.put_alarm(Tags=[{"Key": "ignored", "Value": "on an update"}])
    assert cloudwatch.call("ListTagsForResource", ResourceARN=ARN) == {"Tags": [{"Key": "team", "Value": "blue"}]}
    assert "Tags" not in cloudwatch.alarm()
    with pytest.raises(ServiceError, match="Unknown alarm: nobody"):
        cloudwatch.call("ListTagsForResource", ResourceARN=ARN.replace("SSH Rejects", "nobody"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"AlarmNames": ["a"], "AlarmNamePrefix": "a"}, "AlarmNames and AlarmNamePrefix can't be specified together."),
        ({"ChildrenOfAlarmName": "c", "StateValue": "OK"}, "With ChildrenOfAlarmName, no other parameters"),
        ({"ParentsOfAlarmName": "c", "AlarmTypes": ["MetricAlarm"]}, "With ParentsOfAlarmName, no other parameters"),
    ],
)
def test_filters_that_exclude_each_other(cloudwatch, params, message):
    with pytest.raises(ServiceError) as caught:
        cloudwatch.call("DescribeAlarms", **params)
    assert caught.value.code == "ValidationError"
    assert message in caught.value.message


def test_no_names_are_all_names(cloudwatch):
    cloudwatch.put_alarm()
    assert len(cloudwatch.call("DescribeAlarms", AlarmNames=[])["MetricAlarms"]) == 1


def test_the_data_of_a_state_are_json(cloudwatch):
    cloudwatch.put_alarm()
    state = {"AlarmName": "SSH Rejects", "StateValue": "ALARM", "StateReason": "testing"}
    with pytest.raises(ServiceError, match="InvalidFormat"):
        cloudwatch.call("SetAlarmState", **state, StateReasonData="{")
    assert cloudwatch.state() == "INSUFFICIENT_DATA"
    cloudwatch.call("SetAlarmState", **state, StateReasonData='{"a":1}')
    assert cloudwatch.alarm()["StateReasonData"] == '{"a":1}'


def tags(count, first=0):
    return [{"Key": f"tag{number}", "Value": "x"} for number in range(first, first + count)]


def test_an_alarm_has_at_most_50_tags(cloudwatch):
    cloudwatch.put_alarm(Tags=tags(49))
    arn = cloudwatch.alarm()["AlarmArn"]
    cloudwatch.call("TagResource", ResourceARN=arn, Tags=tags(3, first=47))
    with pytest.raises(ServiceError, match="more than 50 tags") as caught:
        cloudwatch.call("TagResource", ResourceARN=arn, Tags=tags(1, first=50))
    assert caught.value.code == "InvalidParameterValue"
    assert len(cloudwatch.call("ListTagsForResource", ResourceARN=arn)["Tags"]) == 50
    cloudwatch.call("UntagResource", ResourceARN=arn, TagKeys=["tag0"])
    cloudwatch.call("TagResource", ResourceARN=arn, Tags=tags(1, first=50))


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (tags(51), "more than 50 tags"),
        ([{"Key": "aws:owner", "Value": "x"}], "reserved for AWS use: aws:owner"),
        ([{"Key": "AWS:owner", "Value": "x"}], "reserved for AWS use: AWS:owner"),
        (tags(1) * 2, "The tag key tag0 is given more than once"),
    ],
)
def test_tags_that_are_refused(cloudwatch, given, complaint):
    with pytest.raises(ServiceError, match=complaint):
        cloudwatch.put_alarm(Tags=given)
    with pytest.raises(ServiceError, match=complaint):
        cloudwatch.put_composite("both", "TRUE", Tags=given)
    assert cloudwatch.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])["MetricAlarms"] == []
    cloudwatch.put_alarm()
    arn = cloudwatch.alarm()["AlarmArn"]
    with pytest.raises(ServiceError, match=complaint):
        cloudwatch.call("TagResource", ResourceARN=arn, Tags=given)
    assert cloudwatch.call("ListTagsForResource", ResourceARN=arn)["Tags"] == []


def history(cloudwatch, **asked):
    return cloudwatch.call("DescribeAlarmHistory", **asked)


def test_the_history_comes_in_pages_that_have_everything_once(cloudwatch):
    for number in range(7):
        cloudwatch.put_alarm(AlarmName=f"a{number}", MetricName="none")
    pages, token = [], {}
    while True:
        page = history(cloudwatch, MaxRecords=3, **token)
        pages.append([item["AlarmName"] for item in page["AlarmHistoryItems"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == [["a6", "a5", "a4"], ["a3", "a2", "a1"], ["a0"]]


def test_pages_of_the_history_keep_to_what_is_asked(cloudwatch):
    for threshold in range(3):
        cloudwatch.put_alarm(Threshold=float(threshold))
        cloudwatch.put_alarm(AlarmName="another", Threshold=float(threshold))
    asked = {"AlarmName": "another", "ScanBy": "TimestampAscending", "MaxRecords": 2}
    first = history(cloudwatch, **asked)
    rest = history(cloudwatch, **asked, NextToken=first["NextToken"])
    summaries = [item["HistorySummary"] for page in (first, rest) for item in page["AlarmHistoryItems"]]
    assert summaries == ['Alarm "another" created', 'Alarm "another" updated', 'Alarm "another" updated']
    assert "NextToken" not in rest


def test_a_page_of_the_history_has_50_items_where_no_number_is_asked_for(cloudwatch):
    for number in range(51):
        cloudwatch.put_alarm(AlarmName=f"a{number:02}", MetricName="none")
    first = history(cloudwatch)
    assert len(first["AlarmHistoryItems"]) == 50
    assert [item["AlarmName"] for item in history(cloudwatch, NextToken=first["NextToken"])["AlarmHistoryItems"]] == [
        "a00"
    ]


@pytest.mark.parametrize(
    ("kind", "summaries"),
    [
        ("ConfigurationUpdate", ['Alarm "SSH Rejects" created']),
        ("StateUpdate", ["Alarm updated from INSUFFICIENT_DATA to ALARM"]),
        ("Action", []),
    ],
)
def test_the_history_of_one_kind(cloudwatch, kind, summaries):
    cloudwatch.put_alarm()
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    items = history(cloudwatch, HistoryItemType=kind)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == summaries


def test_the_history_of_composite_alarms_is_there_when_asked_for(cloudwatch):
    cloudwatch.put_composite("all", "TRUE")
    assert history(cloudwatch)["AlarmHistoryItems"] == []
    items = history(cloudwatch, AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert {item["AlarmType"] for item in items} == {"CompositeAlarm"}
    assert [item["HistorySummary"] for item in items][-1] == 'Alarm "all" created'


def test_a_token_of_another_list_is_refused(cloudwatch):
    with pytest.raises(ServiceError) as caught:
        history(cloudwatch, NextToken="nonsense")
    assert caught.value.code == "InvalidNextToken"


SHAPES = {
    "sum": {},
    "average": {"Statistic": "Average"},
    "p90": {"Statistic": None, "ExtendedStatistic": "p90"},
    "five-minutes": {"Period": 300},
    "bytes": {"Unit": "Bytes"},
    "of-an-eni": {"Dimensions": [{"Name": "Eni", "Value": "eni-1"}]},
    "of-an-eni-and-a-vpc": {"Dimensions": [{"Name": "Vpc", "Value": "vpc-1"}, {"Name": "Eni", "Value": "eni-1"}]},
    "other-namespace": {"Namespace": "Other"},
}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"sum", "average", "p90", "five-minutes", "bytes"}),
        ({"Statistic": "Sum"}, {"sum", "five-minutes", "bytes"}),
        ({"ExtendedStatistic": "p90"}, {"p90"}),
        ({"ExtendedStatistic": "p91"}, set()),
        ({"Period": 300}, {"five-minutes"}),
        ({"Unit": "Bytes"}, {"bytes"}),
        ({"Dimensions": [{"Name": "Eni", "Value": "eni-1"}]}, {"of-an-eni"}),
        ({"Dimensions": [{"Name": "Eni", "Value": "eni-2"}]}, set()),
        (
            {"Dimensions": [{"Name": "Eni", "Value": "eni-1"}, {"Name": "Vpc", "Value": "vpc-1"}]},
            {"of-an-eni-and-a-vpc"},
        ),
        ({"Namespace": "Other"}, {"other-namespace"}),
        ({"MetricName": "Accepts"}, set()),
    ],
)
def test_the_alarms_on_exactly_this_metric(cloudwatch, asked, expected):
    for name, settings in SHAPES.items():
        cloudwatch.put_alarm(AlarmName=name, **settings)
    metric = {"Namespace": "LabVPC", "MetricName": "SSHRejects"}
    assert set(names(cloudwatch.call("DescribeAlarmsForMetric", **metric | asked))) == expected


def test_alarms_on_metric_math_and_on_alarms_are_not_on_a_metric(cloudwatch):
    stat = {"Metric": {"Namespace": "LabVPC", "MetricName": "SSHRejects"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "m1", "MetricStat": stat, "ReturnData": False}, {"Id": "e1", "Expression": "m1 * 2"}]
    unset = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period"))
    cloudwatch.put_alarm(AlarmName="math", Metrics=queries, **unset)
    cloudwatch.put_composite("all", "ALARM(math)")
    asked = {"Namespace": "LabVPC", "MetricName": "SSHRejects"}
    assert cloudwatch.call("DescribeAlarmsForMetric", **asked)["MetricAlarms"] == []
