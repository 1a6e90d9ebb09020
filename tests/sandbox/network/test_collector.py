"""What flow logs say together: nothing is lost or told twice between the packets, the intervals and the records."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest

from labkit.flowlog import reader
from labkit.flowlog.formats import LogFormat
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.moto_state import s3
from tests.sandbox.network.vpc import BUCKET, Vpc

START = 1_793_610_000
FLOW = ("interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "action")

ATTEMPTS = 15
FLOW_LOGS = {
    "short": {},
    "long": {"MaxAggregationInterval": 600},
    "accepted": {"TrafficType": "ACCEPT"},
    "rejected": {"TrafficType": "REJECT"},
}


def make_attempts(vpc):
    """A quarter of an hour of attempts of all kinds, some of them over the end of a minute."""
    random = Random(3)
    for _ in range(ATTEMPTS):
        vpc.sandbox.clock.advance(random.randint(1, 110))
        vpc.connect(random.choice([22, 80, 443, 3389]), protocol=random.choice(["tcp", "tcp", "udp", "icmp"]))


def logged(vpc, group):
    """The records in a log group, as rows."""
    return reader.read_lines(vpc.messages(group)).to_pylist()


def ok(rows):
    """The records of traffic among them."""
    return [row for row in rows if row["log_status"] == "OK"]


def totals(rows):
    """Packets and bytes of each flow over all records."""
    packets, size = Counter(), Counter()
    for row in ok(rows):
        key = tuple(row[name] for name in FLOW)
        packets[key] += row["packets"]
        size[key] += row["bytes"]
    return packets, size


@pytest.fixture(scope="module")
def told():
    """What five flow logs say of the same quarter of an hour, by the names of their groups; and the files of one."""
    with closing(AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), seed=5)) as sandbox:
        vpc = Vpc(sandbox, type="t2.micro")
        sandbox.network.set_background(0)
        for group, params in FLOW_LOGS.items():
            vpc.log_to_group(LogGroupName=group, **params)
        vpc.log_to_s3()
        make_attempts(vpc)
        vpc.sandbox.clock.advance(1200)
        rows = {group: logged(vpc, group) for group in FLOW_LOGS}
        files = [s3.get_object(BUCKET, each.key) for each in s3.list_objects(BUCKET)]
    return {**rows, "files": [row for file in files for row in reader.read(file).to_pylist()]}


def test_short_and_long_intervals_hold_the_same_packets(told):
    assert totals(told["short"]) == totals(told["long"])
    assert len(told["short"]) > len(told["long"]) > ATTEMPTS


def test_accepted_and_rejected_traffic_together_are_all_of_it(told):
    parts = [*told["accepted"], *told["rejected"]]
    assert sorted(map(str, ok(told["short"]))) == sorted(map(str, ok(parts)))
    assert {row["action"] for row in ok(told["accepted"])} == {"ACCEPT"}
    assert {row["action"] for row in ok(told["rejected"])} == {"REJECT"}


def test_a_bucket_and_a_log_group_hold_the_same_records(told):
    last = max(row["end"] for row in told["files"])
    events = [row for row in told["short"] if row["end"] <= last]
    assert sorted(map(str, events)) == sorted(map(str, told["files"]))


@pytest.mark.parametrize(("group", "interval"), [("short", 60), ("long", 600)])
def test_each_record_keeps_within_one_interval_of_the_clock(told, group, interval):
    assert {row["start"] // interval == row["end"] // interval for row in told[group]} == {True}
    assert all(START <= row["start"] <= row["end"] for row in told[group])


def test_no_flow_has_two_records_in_an_interval(told):
    keys = Counter((row["start"] // 600, *(row[name] for name in FLOW)) for row in ok(told["long"]))
    assert set(keys.values()) == {1}


@pytest.mark.parametrize(
    ("type", "interval", "seconds"), [("t3.nano", 600, 60), ("t2.micro", 60, 60), ("t2.micro", 600, 600)]
)
def test_the_intervals_of_a_silent_interface_tile_the_time(sandbox, type, interval, seconds):
    vpc = Vpc(sandbox, type=type)
    sandbox.network.set_background(0)
    sandbox.clock.advance(25)
    vpc.log_to_group(MaxAggregationInterval=interval)
    sandbox.clock.advance(3600)
    spans = [(row["start"], row["end"]) for row in logged(vpc, "VPCFlowLogs")]
    assert spans[0] == (START + 25, START + seconds - 1)
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(spans))
    assert {end + 1 - start for start, end in spans[1:]} == {seconds}


def test_an_interface_has_either_records_or_the_word_that_there_were_none(vpc):
    vpc.log_to_group()
    for minute in range(10):
        if minute % 3 == 0:
            vpc.connect(443)
        vpc.sandbox.clock.advance(60)
    vpc.sandbox.clock.advance(300)
    by_minute = {}
    for row in logged(vpc, "VPCFlowLogs"):
        by_minute.setdefault((row["start"] - START) // 60, set()).add(row["log_status"])
    assert [by_minute[minute] for minute in range(10)] == [{"OK"} if n % 3 == 0 else {"NODATA"} for n in range(10)]


def test_no_data_means_no_traffic_and_not_no_traffic_of_this_type(vpc):
    """log-status NODATA: "There was no network traffic to or from the network interface", flow-log-records.html."""
    vpc.log_to_group(TrafficType="REJECT")
    vpc.connect(22)
    vpc.sandbox.clock.advance(60)
    vpc.sandbox.clock.advance(300)
    assert [row["start"] for row in logged(vpc, "VPCFlowLogs")] == [START + 60]


def test_the_flow_log_of_a_vpc_says_what_those_of_its_interfaces_say(vpc):
    other = vpc.interface(vpc.add_instance([vpc.ssh], subnet=vpc.add_subnet("10.0.2.0/24")))
    vpc.log_to_group(LogGroupName="vpc")
    for interface in (vpc.interface(), other):
        vpc.log_to_group(ResourceType="NetworkInterface", ResourceIds=[interface.id], LogGroupName="interfaces")
    vpc.connect(22, source=vpc.private_address, destination=str(other.addresses[0]))
    vpc.connect(443, destination=str(other.public_address))
    vpc.sandbox.clock.advance(400)
    assert sorted(vpc.messages("vpc")) == sorted(vpc.messages("interfaces"))
    assert {event["logStreamName"] for event in vpc.events("vpc")} == {
        f"{vpc.interface().id}-all",
        f"{other.id}-all",
    }


def test_an_interface_of_several_flow_logs_has_one_stream_in_the_log_group_that_they_share(vpc):
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html"""
    vpc.log_to_group()
    vpc.log_to_group(ResourceType="Subnet", ResourceIds=[vpc.subnet.id])
    vpc.connect(443)
    vpc.sandbox.clock.advance(300)
    events = vpc.events()
    assert len(events) == 2
    assert {event["logStreamName"] for event in events} == {f"{vpc.interface().id}-all"}


def test_what_starts_and_stops_has_records_for_as_long_as_it_runs(vpc):
    vpc.log_to_group()
    vpc.sandbox.clock.advance(120)
    vpc.server.stop()
    vpc.sandbox.clock.advance(180)
    vpc.server.start()
    vpc.sandbox.clock.advance(360)
    minutes = [(row["start"] - START) // 60 for row in logged(vpc, "VPCFlowLogs")]
    assert minutes == [0, 1, 5, 6]


def test_an_instance_that_comes_later_is_logged_from_then_on(vpc):
    vpc.log_to_group()
    vpc.sandbox.clock.advance(120)
    later = vpc.interface(vpc.add_instance([vpc.ssh]))
    vpc.sandbox.clock.advance(420)
    streams = Counter(event["logStreamName"] for event in vpc.events())
    assert streams == {f"{vpc.interface().id}-all": 5, f"{later.id}-all": 3}


def test_two_directions_of_a_connection_are_two_records_of_one_flow_each(vpc):
    vpc.log_to_group(LogFormat="${srcaddr} ${dstaddr} ${srcport} ${dstport} ${flow-direction} ${tcp-flags}")
    vpc.connect(22)
    vpc.sandbox.clock.advance(300)
    there, back = (message.split() for message in vpc.messages())
    assert (there[:2], there[2:4]) == (back[1::-1], back[3:1:-1])
    assert (there[4:], back[4:]) == (["ingress", "3"], ["egress", "19"])


def test_a_long_connection_shows_its_flags_in_the_minutes_in_which_they_came(vpc):
    """tcp-flags: "TCP flags can be OR-ed during the aggregation interval", flow-logs-records-examples.html."""
    vpc.log_to_group(LogFormat="${srcaddr} ${start} ${tcp-flags}")
    vpc.sandbox.clock.advance(58)
    vpc.connect(22)
    vpc.sandbox.clock.advance(400)
    asked = [message.split() for message in vpc.messages() if message.startswith("203.0.113.25")]
    assert [(int(start) - START) // 60 for _, start, _ in asked] == [0, 1]
    assert [int(flags) for *_, flags in asked] == [2, 1]


def test_records_that_are_lost_are_lost_for_all_who_share_them_and_told(vpc):
    vpc.log_to_group()
    vpc.log_to_s3()
    vpc.sandbox.network.disturb_delivery(lost=0.5)
    for _ in range(20):
        vpc.connect(443)
        vpc.sandbox.clock.advance(60)
    vpc.sandbox.clock.advance(600)
    rows = logged(vpc, "VPCFlowLogs")[:20]
    by_status = Counter(row["log_status"] for row in rows)
    assert by_status["SKIPDATA"] + by_status["OK"] == 20
    assert min(by_status["SKIPDATA"], by_status["OK"]) >= 3
    skipped = [row for row in rows if row["log_status"] == "SKIPDATA"]
    assert all(row["srcaddr"] is row["packets"] is row["action"] is None for row in skipped)


def test_a_format_of_another_order_holds_the_same_values(vpc):
    names = ["log-status", "action", "end", "start", "bytes", "packets", "dstport", "srcaddr", "interface-id"]
    chosen = LogFormat.of(names)
    vpc.log_to_group()
    vpc.log_to_group(LogGroupName="turned", LogFormat=str(chosen))
    vpc.connect(22)
    vpc.sandbox.clock.advance(300)
    turned = reader.read_lines(vpc.messages("turned"), chosen).to_pylist()
    columns = chosen.columns
    assert turned == [{name: row[name] for name in columns} for row in logged(vpc, "VPCFlowLogs")]
