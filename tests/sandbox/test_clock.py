import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from labkit.sandbox.clock import Clock

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(START, frozen=True)
    yield clock
    clock.stop()


def test_the_whole_process_lives_at_the_clocks_reading(clock):
    assert time.time() == START.timestamp()
    clock.advance(90)
    assert datetime.now(UTC) == datetime(2026, 11, 2, 9, 1, 30, tzinfo=UTC)


def test_stopping_gives_the_process_its_real_time_back():
    real = time.time()
    Clock(START, frozen=True).stop()
    assert abs(time.time() - real) < 3600


def test_events_run_in_the_order_in_which_they_are_due_each_at_its_own_moment(clock):
    seen = []
    clock.call_later(60, lambda: seen.append(("b", time.time() - START.timestamp())), name="b")
    clock.call_later(30, lambda: seen.append(("a", time.time() - START.timestamp())), name="a")
    clock.call_later(60, lambda: seen.append(("c", time.time() - START.timestamp())), name="c")
    clock.advance(60)
    assert seen == [("a", 30), ("b", 60), ("c", 60)]


def test_what_is_to_come_first_at_its_moment_runs_before_what_was_made_earlier(clock):
    seen = []
    clock.call_later(60, lambda: seen.append("delivery"), name="delivery")
    clock.call_later(30, lambda: seen.append("before"), name="before")
    clock.call_at(clock.timestamp() + 60, lambda: seen.append("evaluation"), name="evaluation", first=True)
    clock.advance(60)
    assert seen == ["before", "evaluation", "delivery"]


def test_an_event_may_make_another_that_is_due_on_the_same_way(clock):
    seen = []
    clock.call_later(10, lambda: clock.call_later(10, lambda: seen.append(clock.now()), name="inner"), name="outer")
    clock.advance(25)
    assert seen == [datetime(2026, 11, 2, 9, 0, 20, tzinfo=UTC)]


def test_an_event_due_in_the_past_runs_now(clock):
    seen = []
    clock.call_at(START.timestamp() - 5, lambda: seen.append(clock.now()), name="late")
    clock.advance(0)
    assert seen == [START]


def test_a_cancelled_event_does_not_run(clock):
    seen = []
    event = clock.call_later(1, lambda: seen.append("ran"), name="x")
    event.cancel()
    clock.advance(2)
    assert seen == []


def test_a_frozen_clock_does_not_follow_real_time(clock):
    clock.follow_real_time()
    assert clock.now() == START


def test_a_ticking_clock_follows_real_time(monkeypatch):
    real = 100.0
    monkeypatch.setattr("labkit.sandbox.clock.time.monotonic", lambda: real)
    clock = Clock(START, frozen=False)
    try:
        real = 107.5
        clock.follow_real_time()
        assert clock.timestamp() == START.timestamp() + 7.5
    finally:
        clock.stop()


def test_a_start_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 11, 2), frozen=True)
