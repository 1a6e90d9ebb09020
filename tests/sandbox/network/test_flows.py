import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.sandbox.network.flows import FLOW, NO_FLOWS, Book, Burst, aggregate, in_order, joined


def flows(*rows):
    """Rows from a few named values each; the others are 0."""
    made = np.zeros(len(rows), FLOW)
    for place, row in enumerate(rows):
        for name, value in row.items():
            made[place][name] = value
    return made


def test_a_book_numbers_names_from_one_on_and_keeps_the_numbers():
    book = Book()
    assert [book.number(name) for name in ("eni-1", "eni-2", "eni-1")] == [1, 2, 1]
    assert book.names == ["", "eni-1", "eni-2"]


def test_a_burst_within_a_minute_stays_whole():
    burst = Burst(600.0, 659.9, 10, 1000)
    assert burst.by_minute() == [burst]


def test_a_burst_over_the_minute_is_cut_there():
    parts = Burst(630.0, 690.0, 7, 700, tcp_flags=2).by_minute()
    assert [(part.first, part.last, part.packets, part.bytes) for part in parts] == [
        (630.0, 650.0, 3, 300),
        (660.0, 690.0, 4, 400),
    ]
    assert {part.tcp_flags for part in parts} == {2}


@given(st.floats(0, 10_000), st.floats(0, 2_000), st.integers(1, 50), st.integers(0, 100_000))
def test_cutting_loses_no_packet_and_no_byte(first, seconds, packets, size):
    parts = Burst(first, first + seconds if packets > 1 else first, packets, size).by_minute()
    assert sum(part.packets for part in parts) == packets
    assert sum(part.bytes for part in parts) == size
    assert all(part.first // 60 == part.last // 60 for part in parts)
    assert all(part.first <= part.last for part in parts)


def test_rows_of_one_flow_become_one():
    one = {
        "interface": 1,
        "source": 1,
        "source_port": 5,
        "packets": 2,
        "bytes": 80,
        "first": 10,
        "last": 12,
        "tcp_flags": 2,
    }
    two = one | {"packets": 3, "bytes": 20, "first": 9, "last": 11, "tcp_flags": 1}
    result = aggregate(flows(one, two))
    assert len(result) == 1
    row = result[0]
    assert (row["packets"], row["bytes"], row["first"], row["last"], row["tcp_flags"]) == (5, 100, 9, 12, 3)


@pytest.mark.parametrize(
    "other",
    [name for name in FLOW.names if name not in ("packets", "bytes", "first", "last", "tcp_flags", "origin")],
)
def test_rows_that_differ_in_anything_else_stay_apart(other):
    assert len(aggregate(flows({"packets": 1}, {"packets": 1, other: 1}))) == 2


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 50), st.integers(1, 9)), max_size=40))
def test_aggregation_agrees_with_a_dictionary(rows):
    made = flows(*({"interface": i, "source_port": p, "first": t, "last": t, "packets": n} for i, p, t, n in rows))
    expected = {}
    for interface, port, time, packets in rows:
        total, first, last = expected.get((interface, port), (0, time, time))
        expected[interface, port] = (total + packets, min(first, time), max(last, time))
    got = {
        (int(r["interface"]), int(r["source_port"])): (int(r["packets"]), int(r["first"]), int(r["last"]))
        for r in aggregate(made)
    }
    assert got == expected


def test_rows_lie_by_interface_and_then_by_time():
    mixed = flows({"interface": 2, "first": 1}, {"interface": 1, "first": 9}, {"interface": 1, "first": 3})
    assert [(row["interface"], row["first"]) for row in in_order(mixed)] == [(1, 3), (1, 9), (2, 1)]


def test_nothing_is_nothing():
    assert len(aggregate(NO_FLOWS)) == len(in_order(NO_FLOWS)) == len(joined([])) == len(joined([NO_FLOWS])) == 0
