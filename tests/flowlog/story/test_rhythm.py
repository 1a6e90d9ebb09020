from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.flowlog.story import rhythm
from labkit.flowlog.story.rhythm import HOUR, hours_of, seconds_of

MONDAY, SATURDAY = date(2026, 10, 12), date(2026, 10, 17)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def by_hour(habit, day):
    """A habit's flows an hour, over the hours of a day in UTC."""
    return habit(hours_of(day, 1))


def test_a_day_begins_at_midnight_utc_and_has_its_hours():
    assert seconds_of(date(1970, 1, 2)) == 86400
    hours = hours_of(MONDAY, 2)
    assert (len(hours), hours[0]) == (48, seconds_of(MONDAY))
    assert set(np.diff(hours)) == {HOUR}


@given(moments)
def test_hours_and_weekends_agree_with_the_calendar(moment):
    seconds = np.array([moment.timestamp()])
    assert rhythm.hour_of_day(seconds)[0] == moment.hour
    assert rhythm.is_weekend(seconds)[0] == (moment.isoweekday() >= 6)


@given(st.floats(0, 24), st.floats(0, 24), st.floats(0.5, 6))
def test_a_bell_is_highest_at_its_peak_and_alike_on_both_sides(hour, peak, width):
    bell = rhythm.bump(np.array([peak, hour, (2 * peak - hour) % 24]), peak=peak, width=width)
    assert bell[0] == 1
    assert 0 <= bell[1] <= 1
    assert bell[1] == pytest.approx(bell[2], abs=1e-6)


def test_a_bell_knows_that_midnight_is_in_between():
    late, early = rhythm.bump(np.array([23.0, 1.0]), peak=0, width=2)
    assert late == early > 0.7


def test_the_staff_work_from_nine_to_six_with_a_lunch_break():
    monday = by_hour(rhythm.at_work, MONDAY)
    assert np.flatnonzero(monday > 10).tolist() == list(range(8, 17)), "an hour earlier in UTC, in summer"
    assert monday[12] == monday[11] / 2
    assert by_hour(rhythm.at_work, SATURDAY).max() < 1


def test_customers_at_home_come_in_the_evening_and_from_mid_morning_at_weekends():
    monday, saturday = by_hour(rhythm.at_home, MONDAY), by_hour(rhythm.at_home, SATURDAY)
    assert int(monday.argmax()) in (19, 20)
    assert monday[10] < 0.2 * monday.max()
    assert saturday[10] > 0.8 * saturday.max()


def test_customers_on_their_phones_have_three_peaks_on_working_days():
    monday, saturday = by_hour(rhythm.on_the_move, MONDAY), by_hour(rhythm.on_the_move, SATURDAY)
    peaks = [n for n in range(1, 23) if monday[n] > max(monday[n - 1], monday[n + 1])]
    assert peaks == [7, 12, 17], "at eight, one and six, Irish time"
    assert int(monday.argmax()) == 12
    assert saturday.sum() < monday.sum() / 2


def test_the_night_shift_keeps_to_utc_on_both_sides_of_the_change_of_clocks():
    before, after = (by_hour(rhythm.on_night_shift, date(2026, 10, day)) for day in (22, 29))
    assert before.tolist() == after.tolist()
    assert np.flatnonzero(before).tolist() == [0, 1, 2, 3, 4, 21, 22, 23]


@pytest.mark.parametrize("habit", [rhythm.at_work, rhythm.at_home, rhythm.on_the_move, rhythm.on_night_shift])
def test_nobody_comes_less_than_never(habit):
    assert habit(hours_of(date(2026, 10, 5), 28)).min() >= 0
