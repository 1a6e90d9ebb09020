from random import Random

import pytest

from labkit.sandbox.network.attempts import bursts
from labkit.sandbox.network.firewall import Verdict
from labkit.sandbox.network.journey import Journey


def seen(outcome, protocol=6, port=22, seed=1):
    verdict = Verdict(True, "host", "", None, "")
    return bursts(Journey(outcome, verdict), protocol, port, 1000.0, Random(seed))


def flags(parts):
    combined = 0
    for part in parts:
        combined |= part.tcp_flags
    return combined


def test_a_request_that_nobody_answers_is_repeated_as_linux_does():
    request = seen("timed out").request
    assert [part.first - 1000 for part in request] == [0, 1, 3, 7, 15]
    assert {(part.packets, part.bytes, part.tcp_flags) for part in request} == {(1, 60, 2)}


@pytest.mark.parametrize(("port", "least", "most"), [(22, 15, 35), (80, 4, 9), (9999, 5, 11)])
def test_a_connection_has_the_flags_of_a_short_one_and_the_size_of_its_kind(port, least, most):
    for seed in range(20):
        both = seen("connected", port=port, seed=seed)
        assert (flags(both.request), flags(both.answer)) == (3, 19)
        assert least <= sum(part.packets for part in both.request) <= most
        assert min(part.first for part in both.answer) > min(part.first for part in both.request)


def test_no_two_connections_are_alike():
    assert len({tuple(seen("connected", seed=seed).request) for seed in range(20)}) > 15


def test_a_refused_connection_is_a_syn_and_a_rst():
    both = seen("refused", port=443)
    assert [(part.packets, part.bytes, part.tcp_flags) for part in both.request] == [(1, 60, 2)]
    assert [(part.packets, part.bytes, part.tcp_flags) for part in both.answer] == [(1, 40, 4)]


def test_pings_are_four_of_84_bytes_as_in_awss_example():
    request = seen("connected", protocol=1, port=0).request
    assert [(part.packets, part.bytes, part.last - part.first) for part in request] == [(4, 336, 3)]


def test_datagrams_have_no_flags():
    for outcome in ("connected", "refused", "timed out"):
        both = seen(outcome, protocol=17, port=53)
        assert flags(both.request) == flags(both.answer) == 0
        assert sum(part.packets for part in both.request) == 1
