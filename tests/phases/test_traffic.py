"""Traffic: the group, the records and the files, each absent, present but wrong, or right; and calls that can't be."""

import pytest

from labkit.checks.check import check
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided
from labkit.phases import flow_log_to_s3, traffic
from tests.phases.verdicts import absent, item, make_log_group, put_records, wrong

KEY = "traffic"
GROUP = "security group of the Web Server"
ACCEPTED, REJECTED = "record of SSH traffic with ACCEPT", "record of SSH traffic with REJECT"
FILES = "flow log files in the bucket"
LINE = "2 123456789012 eni-1 198.51.100.7 10.0.1.10 39611 {port} {protocol} 6 400 1793609000 1793609058 {rest}"


@pytest.fixture
def open_again(lab):
    """The web server has the group again that it came with."""
    yield
    traffic.swap_security_group(lab, "HTTPAndSSH")


@pytest.fixture
def put_record(lab):
    """Puts a record into the log group by hand; group and record are gone after the test."""
    make_log_group(lab)
    yield lambda port, protocol, rest: put_records(lab, LINE.format(port=port, protocol=protocol, rest=rest))
    lab.client("logs").delete_log_group(logGroupName="VPCFlowLogs")


def test_at_first_the_group_is_right_and_the_rest_absent(lab):
    found = check(KEY)
    assert absent(found) == [ACCEPTED, REJECTED, FILES]
    assert (item(found, GROUP).seen, item(found, GROUP).given) == ("HTTPAndSSH", True)
    assert "With HTTPAndSSH attached, connect_by_ssh(lab)" in item(found, ACCEPTED).hint
    assert "With HTTPOnly attached, connect_by_ssh(lab)" in item(found, REJECTED).hint
    assert "5 to 15 minutes after the traffic" in item(found, FILES).hint


@pytest.mark.usefixtures("open_again")
class TestGroup:
    def test_that_keeps_ssh_out_is_present_but_wrong(self, lab):
        traffic.swap_security_group(lab, "HTTPOnly")
        told = item(check(KEY), GROUP)
        assert (told.seen, told.wanted) == ("HTTPOnly", "HTTPAndSSH")
        assert 'swap_security_group(lab, "HTTPAndSSH")' in told.hint

    def test_that_was_added_and_not_exchanged_is_present_but_wrong(self, lab):
        ids = [lab.security_group(name).id for name in ("HTTPOnly", "HTTPAndSSH")]
        lab.client("ec2").modify_instance_attribute(InstanceId=lab.web_server.id, Groups=ids)
        assert wrong(check(KEY)) == {GROUP: "HTTPAndSSH, HTTPOnly"}

    def test_that_is_the_default_one_is_present_but_wrong(self, lab):
        traffic.swap_security_group(lab, "default")
        assert wrong(check(KEY)) == {GROUP: "default"}

    def test_is_exchanged_for_one_whatever_there_was_before(self, lab):
        ids = [lab.security_group(name).id for name in ("HTTPOnly", "HTTPAndSSH")]
        lab.client("ec2").modify_instance_attribute(InstanceId=lab.web_server.id, Groups=ids)
        card = traffic.swap_security_group(lab, "HTTPOnly")
        assert (card.details["Before"], card.details["Now"]) == ("HTTPAndSSH, HTTPOnly", "HTTPOnly")

    @pytest.mark.parametrize("name", ["HTTP", "", "SSH group", "httponly", "H"])
    def test_whose_name_fits_none_or_several_is_asked_for_with_those_there_are(self, lab, name):
        with pytest.raises(LabError, match=r"give the whole name of one of HTTPAndSSH, HTTPOnly, default\.") as refusal:
            traffic.swap_security_group(lab, name)
        assert "reset" not in str(refusal.value)
        assert lab.web_server.security_groups == ("HTTPAndSSH",)

    def test_of_the_labs_own_that_is_not_there_is_missing_from_the_environment(self, lab, monkeypatch):
        monkeypatch.setattr("labkit.lab.resources.SECURITY_GROUPS", ("HTTPOnly", "HTTPAndSSH", "Lost"))
        with pytest.raises(NotProvided, match="labkit sandbox reset"):
            traffic.swap_security_group(lab, "Lost")


@pytest.mark.parametrize(
    ("port", "protocol", "rest", "right"),
    [
        (22, 6, "ACCEPT OK", [ACCEPTED]),
        (22, 6, "REJECT OK", [REJECTED]),
        (80, 6, "ACCEPT OK", []),
        (2222, 6, "REJECT OK", []),
        (22, 17, "REJECT OK", []),
        (22, 6, "- NODATA", []),
    ],
)
def test_a_record_counts_by_port_protocol_and_action_whoever_put_it_there(lab, put_record, port, protocol, rest, right):
    put_record(port, protocol, rest)
    assert [each for each in (ACCEPTED, REJECTED) if each not in absent(check(KEY))] == right


class TestWaiting:
    @pytest.mark.parametrize("action", ["reject", "accept", "DENY", "", None])
    def test_for_an_action_that_no_record_has_is_refused_before_time_passes(self, lab, action):
        start = lab.now()
        with pytest.raises(LabError, match="a record has no such action; give one of ACCEPT, REJECT"):
            traffic.wait_for_log_events(lab, action=action)
        assert lab.now() == start

    def test_for_another_group_than_the_flow_logs_names_the_group(self, lab):
        with pytest.raises(LabError, match="No flow log of Lab VPC delivers to the log group VPCFlowlogs"):
            traffic.wait_for_log_events(lab, log_group="VPCFlowlogs")


class TestReading:
    @pytest.mark.parametrize(
        ("limits", "named"),
        [
            ({"minutes": 0}, "minutes=0"),
            ({"minutes": -5}, "minutes=-5"),
            ({"minutes": "ten"}, "minutes='ten'"),
            ({"limit": 0}, "limit=0"),
            ({"limit": -1}, "limit=-1"),
            ({"limit": None}, "limit=None"),
        ],
    )
    def test_wants_numbers_above_nothing_and_names_the_one_that_is_not(self, lab, limits, named):
        with pytest.raises(LabError, match=f"{named}: give a number above 0, such as {named.partition('=')[0]}=10"):
            traffic.read_log_events(lab, **limits)

    @pytest.mark.parametrize("limit", [0, -3, "all"])
    def test_of_objects_wants_a_number_too(self, lab, limit):
        with pytest.raises(LabError, match="give a number above 0, such as limit=10"):
            traffic.read_delivered_objects(lab, limit=limit)

    def test_of_a_group_that_is_not_there_is_an_empty_frame_with_the_records_columns(self, lab):
        frame = traffic.read_log_events(lab)
        assert frame.empty
        assert {"srcaddr", "dstport", "action"} <= set(frame.columns)

    def test_leaves_out_the_earliest_where_there_are_more_than_the_limit(self, lab, put_record):
        for port in (22, 23, 80):
            put_record(port, 6, "ACCEPT OK")
        assert list(traffic.read_log_events(lab, limit=2)["dstport"]) == [23, 80]
        assert list(traffic.read_log_events(lab, pattern="[..., dp=23, p, k, b, s, e, a, l]")["dstport"]) == [23]

    def test_of_the_bucket_before_anything_came_says_what_to_wait_for(self, lab):
        assert traffic.list_delivered_objects(lab).empty
        with pytest.raises(LabError, match=r"run wait_for_delivered_objects\(lab\) first"):
            traffic.read_delivered_objects(lab)


def test_the_files_are_those_of_the_labs_flow_log_alone(lab):
    """The sample lies in the same folder, and is nobody's delivery."""
    assert FILES in absent(check(KEY))
    flow_log_to_s3.solve(lab)
    assert FILES in absent(check(KEY))
    traffic.connect_by_ssh(lab)
    traffic.wait_for_delivered_objects(lab)
    found = check(KEY)
    assert FILES not in absent(found)
    flow_log_to_s3.clean_up(lab)


def test_an_attempt_names_the_rule_that_decided_and_how_to_try_it_on_aws(lab):
    card = traffic.connect_by_ssh(lab)
    assert card.outcome == "connected"
    assert card.details["On AWS, in a terminal"] == f"ssh ec2-user@{lab.web_server.public_ip}"
    assert card.details["Security group"] == "HTTPAndSSH"
    assert card.details["Why"]
