import gzip
from datetime import UTC, date, datetime
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.flowlog.reader import read
from labkit.flowlog.s3_keys import parse_key
from labkit.flowlog.story import Story, cast, objects, who, write
from labkit.flowlog.story.cast import ACCOUNT_ID, INTERFACE_ID, WEB_SERVER
from labkit.flowlog.story.flows import (
    ICMP,
    TCP,
    WINDOW_SECONDS,
    cut_at_windows,
    make_flows,
    number_of,
    numbers_of,
    responses,
)
from labkit.flowlog.story.incident import draw_incident
from labkit.flowlog.story.rhythm import at_work, hour_of_day, hours_of, irish_time, is_weekend, on_night_shift

RESERVED = [
    ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "100.64.0.0/10", "198.18.0.0/15")
]
COMMITTED = Path(__file__).parents[2] / "data" / "sample_flowlogs"


@cache
def sample() -> pd.DataFrame:
    """The sample as pandas has it, with the day, weekday (Monday is 1) and hour in UTC of each record."""
    records = Story.of_sample().records().to_pandas()
    moments = pd.to_datetime(records["start"], unit="s", utc=True)
    return records.assign(day=moments.dt.date, weekday=moments.dt.day_of_week + 1, hour=moments.dt.hour)


def rejected() -> pd.DataFrame:
    return sample().query("action == 'REJECT'")


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# The cast


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.1.10", "Web server"),
        ("203.0.113.10", "Head office"),
        ("198.51.100.25", "Night shift"),
        ("198.51.100.27", "Night shift"),
        ("198.51.100.28", "Internet noise"),
        ("192.0.2.77", "Surveyor"),
        ("192.0.2.78", "Internet noise"),
        ("203.0.113.200", "Swarm"),
        ("100.100.1.2", "Mobile customers"),
        ("198.19.255.1", "Home customers"),
        ("10.0.0.2", "unknown"),
    ],
)
def test_an_address_is_named_by_the_most_particular_actor(address, name):
    assert who(address) == name


def test_everybody_outside_has_an_address_that_is_nobodys():
    addresses = set(sample()["srcaddr"].dropna()) | set(sample()["dstaddr"].dropna())
    outside = [ip_address(address) for address in addresses - {WEB_SERVER}]
    assert [str(address) for address in outside if not any(address in network for network in RESERVED)] == []


def test_everybody_who_speaks_is_in_the_cast_and_everybody_in_the_cast_speaks():
    speakers = {who(address) for address in sample()["srcaddr"].dropna().unique()}
    assert speakers == {actor.name for actor in cast()}


# Rhythm


def test_weekends_and_hours_are_those_of_the_calendar():
    moments = np.array([epoch("2026-10-09T23:59"), epoch("2026-10-10T00:00"), epoch("2026-10-12T05:30")])
    assert is_weekend(moments).tolist() == [False, True, False]
    assert hour_of_day(moments).tolist() == [23, 0, 5]


def test_irish_clocks_go_back_on_the_last_sunday_of_october():
    moments = np.array([epoch("2026-10-25T00:59"), epoch("2026-10-25T01:00")])
    assert (irish_time(moments) - moments).tolist() == [3600, 0]


def test_the_staff_come_an_hour_later_in_utc_once_the_clocks_have_gone_back():
    def first_working_hour(day: date) -> int:
        return int(np.argmax(at_work(hours_of(day, 1)) > 100))

    assert first_working_hour(date(2026, 10, 23)) == 8
    assert first_working_hour(date(2026, 10, 26)) == 9


def test_the_night_shift_sleeps_on_working_days_and_never_at_weekends():
    friday, saturday = on_night_shift(hours_of(date(2026, 10, 9), 1)), on_night_shift(hours_of(date(2026, 10, 10), 1))
    assert np.flatnonzero(friday == 0).tolist() == list(range(5, 21))
    assert saturday.min() > friday.max()


# Flows


def test_a_flow_within_a_window_stays_as_it_is():
    flows = make_flows(np.array([1200.0]), seconds=599, packets=10, bytes=1000)
    assert cut_at_windows(flows).tolist() == flows.tolist()


def test_a_long_flow_is_cut_where_windows_end_and_its_packets_are_shared_out():
    flows = make_flows(np.array([1150.0]), seconds=700, packets=30, bytes=9000)
    cut = cut_at_windows(flows)
    assert cut["start"].tolist() == [1150, 1200, 1800]
    assert (cut["start"] + cut["seconds"]).tolist() == [1199, 1799, 1850]
    assert cut["packets"].tolist() == [10, 10, 10]
    assert cut["bytes"].tolist() == [3000, 3000, 3000]


def test_only_what_was_accepted_is_answered_with_the_ends_exchanged():
    flows = make_flows(
        np.array([0.0, 1.0]), source=[1, 2], source_port=[4000, 5000], destination=9, destination_port=80, packets=5
    )
    flows["accepted"] = [True, False]
    (answer,) = responses(flows, np.random.default_rng(1))
    assert (answer["source"], answer["source_port"]) == (9, 80)
    assert (answer["destination"], answer["destination_port"]) == (1, 4000)


def test_an_upload_is_answered_with_acknowledgements_only():
    flows = make_flows(np.array([0.0]), destination_port=6667, packets=1000, bytes=1_400_000, accepted=True)
    (answer,) = responses(flows, np.random.default_rng(1))
    assert answer["bytes"] == 40_000


def test_the_numbers_of_a_network_are_its_hosts():
    assert numbers_of("192.0.2.0/29").tolist() == [number_of(f"192.0.2.{host}") for host in range(1, 7)]


# The records


def test_the_sample_is_four_weeks_in_the_default_format_in_the_order_of_time():
    records = Story.of_sample().records()
    assert tuple(records.column_names) == DEFAULT_FORMAT.columns
    assert (sample()["day"].min(), sample()["day"].max()) == (date(2026, 10, 5), date(2026, 11, 1))
    assert sample()["start"].is_monotonic_increasing
    assert sample()["day"].nunique() == 28


def test_every_record_is_of_the_one_interface_and_keeps_within_its_window():
    records = sample()
    assert set(records["account_id"]) == {ACCOUNT_ID}
    assert set(records["interface_id"]) == {INTERFACE_ID}
    assert (records["start"] // WINDOW_SECONDS == records["end"] // WINDOW_SECONDS).all()
    ok = records.query("log_status == 'OK'")
    assert ((ok["srcaddr"] == WEB_SERVER) | (ok["dstaddr"] == WEB_SERVER)).all()
    assert (ok["bytes"] >= 40 * ok["packets"]).all()


def test_the_same_seed_tells_the_same_story_and_another_seed_another():
    def of(seed: int) -> pa.Table:
        return Story(date(2026, 10, 5), 1, seed).records()

    assert of(1).equals(of(1))
    assert not of(1).equals(of(2))


def test_icmp_has_no_ports():
    icmp = sample().query(f"protocol == {ICMP}")
    assert len(icmp) > 100
    assert set(icmp["srcport"]) | set(icmp["dstport"]) == {0}


def test_what_the_security_group_allows_is_accepted_and_nothing_else():
    incident = Story.of_sample().incident
    asked = sample().query("log_status == 'OK' and dstaddr == @WEB_SERVER and dstport < 32768 and srcport >= 1024")
    web = (asked["protocol"] == TCP) & asked["dstport"].isin([80, 443])
    office = (asked["dstport"] == 22) & (asked["srcaddr"] == "203.0.113.10")
    open_then = asked["start"].between(incident.opened, incident.opened + incident.open_seconds)
    astray = (asked["protocol"] == TCP) & (asked["dstport"] == 22) & open_then
    allowed = web | office | astray
    assert (asked[~allowed]["action"] == "REJECT").all()
    assert (asked[web | office]["action"] == "ACCEPT").all()


def test_rejected_flows_have_no_answer():
    knocks = rejected()
    assert (knocks["dstaddr"] == WEB_SERVER).all()
    assert knocks["packets"].max() <= 3


# What makes the charts worth reading


def test_people_come_on_working_days_and_attackers_at_weekends():
    accepted = sample().query("action == 'ACCEPT'").groupby("weekday").size()
    ssh = rejected().query("dstport == 22").groupby("weekday").size()
    assert accepted[[6, 7]].max() < 0.7 * accepted[[1, 2, 3, 4, 5]].min()
    assert ssh[[6, 7]].min() > 2 * ssh[[1, 2, 3, 4, 5]].max()


def test_the_night_shift_leads_the_list_of_rejected_sources():
    leaders = rejected()["srcaddr"].value_counts().head(4).index
    assert {who(address) for address in leaders} == {"Night shift", "Surveyor"}


def test_the_surveyor_tries_each_port_once_at_a_pace_that_no_alarm_sees():
    probes = sample().query("srcaddr == '192.0.2.77'")
    assert probes["dstport"].is_monotonic_increasing
    in_two_windows = probes[probes["dstport"].duplicated()]
    assert len(in_two_windows) < 0.01 * len(probes)
    assert probes["dstport"].max() > 5000
    assert probes.groupby(probes["start"] // 3600).size().max() <= 12
    assert set(probes.query("action == 'ACCEPT'")["dstport"]) == {80, 443}


def test_the_swarm_makes_one_wednesday_stand_out():
    by_day = rejected().groupby("day").size()
    assert by_day.idxmax() == date(2026, 10, 14)
    assert by_day.max() > 1.8 * by_day.drop(date(2026, 10, 14)).max()
    swarm = rejected()[rejected()["srcaddr"].map(who) == "Swarm"]
    assert set(swarm["day"]) == {date(2026, 10, 14)}
    assert set(swarm["dstport"]) == {23, 2323}


def test_windows_without_traffic_have_a_record_that_says_so():
    gaps = sample()[sample()["log_status"] == "NODATA"]
    assert gaps["start"].tolist() == [epoch(f"2026-10-18T03:{minute}0") for minute in range(6)]
    assert gaps[["srcaddr", "dstport", "packets", "action"]].isna().all(axis=None)
    assert (gaps["end"] - gaps["start"] == WINDOW_SECONDS - 1).all()


def test_the_log_says_where_it_could_not_keep_up():
    skipped = sample()[sample()["log_status"] == "SKIPDATA"]
    assert set(skipped["day"]) == {date(2026, 10, 14)}
    assert len(skipped) == 2


# The incident


def test_ssh_was_open_for_an_hour_and_those_who_came_are_the_night_shift():
    incident = Story.of_sample().incident
    let_in = sample().query("dstport == 22 and action == 'ACCEPT' and srcaddr != '203.0.113.10'")
    assert let_in["start"].between(incident.opened, incident.opened + incident.open_seconds + 1200).all()
    assert set(let_in["day"]) == {date(2026, 10, 24)}
    assert let_in["srcaddr"].value_counts().idxmax() == incident.intruder


def test_the_intruder_stayed_and_the_server_sent_data_away():
    incident = Story.of_sample().incident
    session = sample().query("srcaddr == @incident.intruder and dstport == 22").nlargest(1, "bytes").iloc[0]
    assert incident.got_in <= session["start"] < incident.got_in + incident.stayed_seconds
    sent = sample().query("srcaddr == @WEB_SERVER and dstaddr == @incident.drop_host")
    assert sent["bytes"].sum() == pytest.approx(incident.stolen_bytes, rel=0.01)
    assert set(sent["dstport"]) == {incident.drop_port}


@pytest.mark.parametrize("number", range(20))
def test_any_incident_is_told_in_an_order_that_can_be(number):
    rng = np.random.default_rng(number)
    incident = draw_incident(rng, earliest=0, port=22, intruders=("192.0.2.1",), drop_hosts=("192.0.2.2",))
    assert incident.opened + 120 < incident.got_in
    assert incident.got_in + incident.stayed_seconds < incident.opened + incident.open_seconds


# The files


def test_files_lie_where_s3_would_have_them_six_a_day():
    keys = [key for key, _ in objects(Story(date(2026, 10, 5), 2, 1).records())]
    assert len(keys) == 12
    folder = f"AWSLogs/{ACCOUNT_ID}/vpcflowlogs/eu-west-1/2026/10/05/"
    assert keys[0].startswith(f"{folder}{ACCOUNT_ID}_vpcflowlogs_eu-west-1_fl-")
    assert [parse_key(key).time.hour for key in keys[:6]] == [0, 4, 8, 12, 16, 20]


def test_no_line_is_lost_between_records_and_files():
    records = Story(date(2026, 10, 5), 1, 1).records()
    assert pa.concat_tables(read(body) for _, body in objects(records)).equals(records)


def test_files_are_the_same_bytes_each_time():
    records = Story(date(2026, 10, 5), 1, 1).records()
    assert list(objects(records)) == list(objects(records))


def test_another_region_has_other_keys_and_the_same_lines():
    records = Story(date(2026, 10, 5), 1, 1).records()
    (key, body), (there, same) = next(objects(records)), next(objects(records, region="us-east-1"))
    assert there == key.replace("eu-west-1", "us-east-1")
    assert same == body


def test_writing_again_leaves_no_file_of_the_last_time(tmp_path):
    write(Story(date(2026, 10, 5), 1, 1).records(), tmp_path)
    (tmp_path / "AWSLogs" / "notes.txt").write_text("mine")
    paths = write(Story(date(2026, 10, 5), 1, 2).records(), tmp_path)
    assert sorted(tmp_path.rglob("*.log.gz")) == sorted(paths)
    assert (tmp_path / "AWSLogs" / "notes.txt").exists()


def test_the_committed_sample_is_the_story_as_it_stands():
    """Line by line: the bytes of a gzip file may differ from one build of zlib to the next."""
    told = {key: gzip.decompress(body) for key, body in objects(Story.of_sample().records())}
    kept = {
        path.relative_to(COMMITTED).as_posix(): gzip.decompress(path.read_bytes())
        for path in COMMITTED.rglob("*.log.gz")
    }
    assert kept.keys() == told.keys(), "labkit sample-data writes the sample anew"
    assert [key for key in told if told[key] != kept[key]] == []
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*.log.gz")) < 10_000_000
