import numpy as np
import pytest

from labkit.flowlog.story.flows import TCP, UDP, make_flows, number_of
from labkit.flowlog.story.incident import Incident, draw_incident
from labkit.flowlog.story.scenes import SERVER

INCIDENT = Incident(
    port=22,
    opened=10_000.0,
    open_seconds=3600.0,
    intruder="198.51.100.25",
    guesses=40,
    got_in=11_000.0,
    stayed_seconds=900.0,
    drop_host="192.0.2.44",
    drop_port=6667,
    stolen_bytes=14_000_000,
)


@pytest.mark.parametrize(
    ("moment", "port", "protocol", "let_in"),
    [
        (9_999.9, 22, TCP, False),
        (10_000.0, 22, TCP, True),
        (13_599.9, 22, TCP, True),
        (13_600.0, 22, TCP, False),
        (11_000.0, 23, TCP, False),
        (11_000.0, 22, UDP, False),
    ],
)
def test_the_rule_lets_in_its_port_for_as_long_as_it_is_there(moment, port, protocol, let_in):
    flow = make_flows(np.array([moment]), destination_port=port, protocol=protocol)
    assert INCIDENT.lets_in(flow).tolist() == [let_in]


@pytest.fixture(params=range(5))
def flows(request):
    return INCIDENT.flows(np.random.default_rng(request.param))


def test_the_intruder_guesses_gets_in_and_then_the_server_sends(flows):
    incoming = flows[flows["destination"] == SERVER]
    (sending,) = flows[flows["source"] == SERVER]
    assert len(incoming) == 40 + 1
    assert set(incoming["source"]) == {number_of("198.51.100.25")}
    guesses = incoming[incoming["start"] < INCIDENT.got_in]
    assert guesses["start"].min() >= INCIDENT.opened + 120
    assert sending["start"] > INCIDENT.got_in
    assert sending["start"] + sending["seconds"] <= INCIDENT.got_in + INCIDENT.stayed_seconds


def test_what_was_stolen_went_to_the_drop_host_and_can_be_weighed(flows):
    (sending,) = flows[flows["source"] == SERVER]
    assert (sending["destination"], sending["destination_port"]) == (number_of("192.0.2.44"), 6667)
    assert sending["bytes"] == 14_000_000
    assert sending["packets"] == 14_000_000 // 1400


def test_the_session_is_longer_and_larger_than_any_guess(flows):
    incoming = flows[flows["destination"] == SERVER]
    session = incoming[incoming["seconds"] == INCIDENT.stayed_seconds]
    others = incoming[incoming["seconds"] != INCIDENT.stayed_seconds]
    assert len(session) == 1
    assert session["bytes"][0] > 100 * others["bytes"].max()
    assert (incoming["destination_port"] == 22).all()


@pytest.mark.parametrize("number", range(8))
def test_an_incident_is_drawn_from_those_that_were_named_within_three_hours(number):
    intruders, hosts = ("198.51.100.60", "198.51.100.61"), ("192.0.2.12", "192.0.2.13")
    drawn = draw_incident(
        np.random.default_rng(number), earliest=7200.0, port=22, intruders=intruders, drop_hosts=hosts
    )
    assert drawn.intruder in intruders
    assert drawn.drop_host in hosts
    assert drawn.opened > 7200
    assert drawn.opened + drawn.open_seconds < 7200 + 3 * 3600
    assert 52 * 60 <= drawn.open_seconds < 68 * 60
    assert drawn.guesses > 0
    assert drawn.stolen_bytes > 1_000_000
