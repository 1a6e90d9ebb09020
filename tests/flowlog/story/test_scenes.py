"""Each actor does what the cast list says of it, and keeps to its hours."""

from datetime import UTC, date, datetime
from ipaddress import ip_address

import numpy as np
import pytest

from labkit.flowlog.story import scenes
from labkit.flowlog.story.cast import who
from labkit.flowlog.story.flows import ICMP, TCP, UDP, number_of
from labkit.flowlog.story.rhythm import DAY, HOUR, hour_of_day, hours_of, irish_time, is_weekend
from labkit.flowlog.story.scenes import BRUTE_FORCERS, NOISE_PORTS, SERVER

WEEK = hours_of(date(2026, 10, 12), 7)
SOURCES = {
    "staff": {"Head office"},
    "home_customers": {"Home customers"},
    "mobile_customers": {"Mobile customers"},
    "administrator": {"Head office"},
    "uptime_monitor": {"Uptime monitor"},
    "housekeeping": {"Web server"},
    "internet_noise": {"Internet noise"},
    "night_shift": {"Night shift"},
    "surveyor": {"Surveyor"},
    "swarm": {"Swarm"},
}


def played(scene, hours=WEEK, seed=1):
    return scene(np.random.default_rng(seed), hours)


def text(number):
    return str(ip_address(int(number)))


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_keeps_to_its_hours_and_is_spoken_by_its_actor(scene):
    flows = played(scene)
    assert len(flows)
    assert flows["start"].min() >= WEEK[0]
    assert flows["start"].max() < WEEK[-1] + HOUR
    assert {who(text(number)) for number in np.unique(flows["source"])} <= SOURCES[scene.__name__]


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_is_played_alike_from_the_same_seed_and_is_about_the_web_server(scene):
    assert np.array_equal(played(scene, seed=4), played(scene, seed=4))
    flows = played(scene)
    assert ((flows["source"] == SERVER) | (flows["destination"] == SERVER)).all()
    assert not flows["accepted"].any(), "nobody has judged them yet"


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.__name__)
def test_packets_are_as_large_as_packets_are(scene):
    flows = played(scene)
    assert (flows["packets"] >= 1).all()
    sizes = flows["bytes"] / flows["packets"]
    assert (sizes >= 28).all(), "an IP header and the least of the others"
    assert (sizes <= 1500).all(), "what fits a frame of Ethernet"


def test_a_knock_is_repeated_after_one_second_and_after_three():
    flows = scenes.knock(np.random.default_rng(1), np.arange(2000.0), number_of("192.0.2.77"), 22)
    assert set(np.unique(flows["packets"])) == {1, 2, 3}
    for packets, seconds in ((1, 0), (2, 1), (3, 3)):
        assert set(flows["seconds"][flows["packets"] == packets]) == {seconds}
    assert (flows["packets"] == 1).mean() == pytest.approx(0.7, abs=0.05)


def test_a_ping_knocks_from_no_port():
    flows = scenes.knock(np.random.default_rng(1), np.arange(10.0), 1, 0, ICMP)
    assert set(flows["source_port"]) == set(flows["destination_port"]) == {0}


def test_nine_of_ten_visits_are_encrypted():
    flows = scenes.browse(np.random.default_rng(1), np.arange(4000.0), number_of("198.18.0.1"))
    assert set(np.unique(flows["destination_port"])) == {80, 443}
    assert (flows["destination_port"] == 443).mean() == pytest.approx(0.9, abs=0.02)


def test_arrivals_are_as_many_as_they_should_be_and_within_their_hours():
    hours = WEEK[:100]
    moments = scenes.arrivals(np.random.default_rng(1), hours, np.where(np.arange(100) < 50, 20.0, 0.0))
    assert len(moments) == pytest.approx(1000, rel=0.1)
    assert moments.min() >= hours[0]
    assert moments.max() < hours[50]


def test_the_uptime_monitor_asks_every_ten_minutes_twenty_seconds_past():
    flows = played(scenes.uptime_monitor)
    assert len(flows) == 7 * 24 * 6
    assert set(flows["start"] % 600) == {20}
    assert set(np.diff(np.sort(flows["start"]))) == {600}


def test_the_administrator_comes_on_working_mornings_and_stays():
    flows = played(scenes.administrator, hours_of(date(2026, 10, 5), 28))
    local = irish_time(flows["start"])
    assert not is_weekend(local).any()
    assert set(hour_of_day(local)) == {9}
    assert (flows["seconds"].min(), flows["seconds"].max()) >= (300, 300)
    assert flows["seconds"].max() < 2400
    assert set(flows["destination_port"]) == {22}


def test_the_server_asks_for_the_time_every_hour_and_for_updates_every_morning():
    flows = played(scenes.housekeeping)
    clock = flows[flows["protocol"] == UDP]
    updates = flows[flows["protocol"] == TCP]
    assert (len(clock), len(updates)) == (7 * 24, 7)
    assert set(np.diff(clock["start"])) == {HOUR}
    assert all(6 * HOUR + 1500 <= moment % DAY < 6 * HOUR + 1560 for moment in updates["start"])
    assert {who(text(number)) for number in clock["destination"]} == {"Time server"}
    assert {who(text(number)) for number in updates["destination"]} == {"Package mirror"}


def test_scanners_try_what_the_list_says_and_some_of_them_much_more_often():
    flows = played(scenes.internet_noise, hours_of(date(2026, 10, 5), 28))
    tried = {(int(p), int(port)) for p, port in np.unique(flows[["protocol", "destination_port"]]).tolist()}
    assert tried == set(NOISE_PORTS)
    telnet = ((flows["protocol"] == TCP) & (flows["destination_port"] == 23)).mean()
    assert telnet == pytest.approx(18 / sum(NOISE_PORTS.values()), abs=0.02)
    _, counts = np.unique(flows["source"], return_counts=True)
    assert counts.max() > 20 * np.median(counts)


def test_the_night_shift_is_three_hosts_that_share_the_work_unequally():
    flows = played(scenes.night_shift, hours_of(date(2026, 10, 5), 28))
    hosts, counts = np.unique(flows["source"], return_counts=True)
    assert set(hosts) == set(BRUTE_FORCERS)
    assert sorted(counts / counts.sum()) == pytest.approx([0.2, 0.3, 0.5], abs=0.03)
    assert set(flows["destination_port"]) == {22}


def test_the_surveyor_never_tries_a_port_twice():
    flows = played(scenes.surveyor, hours_of(date(2026, 10, 5), 28))
    assert flows["destination_port"].tolist() == list(range(1, len(flows) + 1))
    assert len(flows) > 5000
    assert 300 <= np.diff(flows["start"]).min() <= np.diff(flows["start"]).max() <= 660


def test_the_swarm_stays_for_forty_minutes_of_one_wednesday():
    flows = played(scenes.swarm)
    comes = datetime(2026, 10, 14, 14, 10, tzinfo=UTC).timestamp()
    assert comes <= flows["start"].min()
    assert flows["start"].max() <= comes + 40 * 60
    assert len(np.unique(flows["source"])) == 120
    assert (flows["destination_port"] == 23).mean() == pytest.approx(0.8, abs=0.03)
    assert len(played(scenes.swarm, hours_of(date(2026, 10, 19), 7))) == 0
