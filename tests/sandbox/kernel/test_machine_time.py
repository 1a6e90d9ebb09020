"""What the sandbox's clock showed at a moment of the machine's."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.clock import Clock
from labkit.sandbox.kernel import machine_time
from labkit.sandbox.kernel.machine_time import KEPT_SECONDS, MAX_NOTES, Moments
from tests.sandbox.kernel.machine import Machine

BEGIN = 1_796_124_930.0


def made(path=None, *, frozen=True):
    machine = Machine(BEGIN)
    return Moments(path, frozen=frozen, machine=machine, sleep=machine.sleep), machine


def test_the_machine_s_time_is_not_the_sandbox_s():
    before = machine_time.now()
    clock = Clock(datetime(2030, 1, 1, tzinfo=UTC), frozen=True)
    try:
        assert before <= machine_time.now() < before + 3600
    finally:
        clock.stop()


def test_a_frozen_clock_stands_still_between_jumps():
    moments, machine = made()
    moments.observe(1000)
    machine.sleep(100)
    moments.observe(1500)
    assert [moments.at(BEGIN + after) for after in (0, 99, 100, 5000)] == [1000, 1000, 1500, 1500]
    assert moments.at(BEGIN - 60) == 940


def test_a_ticking_clock_goes_as_the_machine_s_and_stands_still_while_no_server_runs():
    moments, machine = made(frozen=False)
    moments.observe(1000)
    machine.sleep(600)
    moments.observe(1100)  # stopped at 1100, and started again after 500 seconds
    assert [moments.at(BEGIN + after) for after in (0, 50, 100, 300, 600, 700)] == [1000, 1050, 1100, 1100, 1100, 1200]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 100_000)), min_size=1, max_size=30), st.booleans())
def test_the_sandbox_s_time_never_goes_back_and_ends_at_its_present(jumps, frozen):
    moments, machine = made(frozen=frozen)
    reading = 1000.0
    for seconds, jump in jumps:
        moments.observe(reading)
        machine.sleep(seconds)
        reading += jump + (0 if frozen else seconds)
    moments.observe(reading)
    asked = [BEGIN + number * (machine.moment - BEGIN) / 50 for number in range(51)]
    shown = [moments.at(moment) for moment in asked]
    assert shown == sorted(shown)
    assert abs(shown[-1] - reading) <= machine_time.TOLERANCE


def test_a_big_jump_ends_in_a_later_second_than_it_began_in_and_a_small_one_is_not_held_up():
    moments, machine = made()
    machine.sleep(0.25)
    reading = [0.0]
    for jump, waited in ((60, 0), (7200, 0.75), (7200, 1)):
        before = machine.moment
        with moments.watch(lambda: reading[0]):
            reading[0] += jump
        assert machine.moment - before == waited
    assert moments.at(BEGIN + 0) == 60
    assert moments.at(BEGIN + 1) == 7260


def test_the_notes_outlast_a_restart_and_a_damaged_file(tmp_path):
    path = tmp_path / "moments.txt"
    moments, machine = made(path)
    moments.observe(1000)
    machine.sleep(100)
    moments.observe(2000)
    with path.open("a") as file:
        file.write("x y\n\nnan 3\n17961")
    again = Moments(path, frozen=True, machine=machine)
    assert [again.at(BEGIN + after) for after in (0, 99, 100)] == [1000, 1000, 2000]
    again.restart(5)
    assert Moments(path, frozen=True, machine=machine).at(machine.moment) == 5


def test_what_is_too_old_or_too_much_is_dropped(tmp_path):
    path = tmp_path / "moments.txt"
    moments, machine = made(path)
    for number in range(MAX_NOTES + 10):
        moments.observe(number * 10.0)
        machine.sleep(1)
    assert len(path.read_text().splitlines()) <= MAX_NOTES
    machine.sleep(2 * KEPT_SECONDS)
    moments.observe(1e6)
    assert len(Moments(path, frozen=True, machine=machine)._notes) == 2
    assert moments.at(machine.moment - 10) == (MAX_NOTES + 9) * 10


def test_a_folder_that_can_t_be_written_ends_nothing(tmp_path):
    moments, _ = made(tmp_path / "missing" / "moments.txt")
    moments.observe(7)
    assert moments.at(BEGIN) == pytest.approx(7)
