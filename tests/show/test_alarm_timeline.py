"""The alarm's picture: the bars, the bands and the marks stand at their times, and the words say the same."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from matplotlib.dates import date2num

from labkit.show.alarm_timeline import COLOURS, alarm_timeline
from labkit.show.axes import PALE, ChartError, describe
from labkit.show.pictures import picture


def at(hour: int, minute: int) -> pd.Timestamp:
    return pd.Timestamp(datetime(2026, 11, 2, hour, minute, tzinfo=UTC))


DATAPOINTS = pd.DataFrame({"timestamp": [at(9, 9), at(9, 12)], "sum": [1.0, 3.0]})
STATES = pd.DataFrame(
    [
        (at(9, 4), at(9, 15), "INSUFFICIENT_DATA"),
        (at(9, 15), at(9, 17), "ALARM"),
        (at(9, 17), at(9, 40), "OK"),
    ],
    columns=["begin", "end", "state"],
)
MARKS = {"record delivered": at(9, 14), "alarm looked": at(9, 15)}


def drawn(datapoints=DATAPOINTS, states=STATES, threshold=2.0, **more):
    return alarm_timeline(datapoints, states, threshold=threshold, **more)


@pytest.fixture
def axes():
    return drawn(marks=MARKS)


def labels(axes, *names):
    return [text for text in axes.texts if text.get_text().replace("\n", "_") in names]


def test_the_words_tell_datapoints_threshold_marks_and_states_in_their_order(axes):
    assert describe(axes) == (
        "When the alarm fired, and why: datapoints 1 at 09:09, 3 at 09:12; threshold 2; record delivered 09:14; "
        "alarm looked 09:15; first INSUFFICIENT_DATA, from 09:15 ALARM, from 09:17 OK."
    )


def test_a_bar_for_each_datapoint_as_wide_as_its_period(axes):
    (bars,) = axes.containers
    assert [bar.get_height() for bar in bars] == [1, 3]
    assert [bar.get_x() for bar in bars] == list(date2num(DATAPOINTS["timestamp"]))
    assert [round(bar.get_width() * 24 * 60) for bar in bars] == [1, 1]
    assert axes.get_ylabel() == "rejected SSH attempts in 60 s"


def test_another_period_makes_wider_bars_and_says_so():
    axes = drawn(period=timedelta(minutes=5))
    assert round(axes.containers[0][0].get_width() * 24 * 60) == 5
    assert axes.get_ylabel() == "rejected SSH attempts in 300 s"


def test_a_band_for_each_state_named_and_in_its_colour(axes):
    assert [text.get_text() for text in labels(axes, *COLOURS)] == ["INSUFFICIENT\nDATA", "ALARM", "OK"]
    bands = [patch for patch in axes.patches if patch.get_alpha() == PALE]
    assert len({band.get_facecolor() for band in bands}) == len(bands) == 3


def test_the_name_of_a_short_state_is_written_upwards(axes):
    assert [text.get_rotation() for text in labels(axes, *COLOURS)] == [0, 90, 0]


@pytest.mark.parametrize(
    ("minute", "sides"), [(5, ("left", "left")), (20, ("right", "left")), (38, ("right", "right"))]
)
def test_marks_are_named_one_below_the_other_where_there_is_room(minute, sides):
    first, second = labels(
        drawn(marks={"a": at(9, minute), "b": at(9, minute)}), *(f"09:{minute:02} {n}" for n in "ab")
    )
    assert (first.get_ha(), second.get_ha()) == sides
    assert first.xy[0] == second.xy[0] == date2num(at(9, minute))
    assert first.xy[1] > second.xy[1] > 0.48, "above the bars"


def test_before_it_has_fired_the_title_says_no_more():
    axes = drawn(states=STATES.iloc[:1])
    assert axes.get_title(loc="left") == "The alarm up to now"
    assert describe(axes).startswith("The alarm up to now: datapoints 1 at 09:09")


def test_axes_have_title_and_units(axes):
    assert axes.get_title(loc="left") == "When the alarm fired, and why"
    assert axes.get_xlabel() == "time of day, UTC"


@pytest.mark.parametrize("threshold", [0, 1, 20])
def test_threshold_and_datapoints_are_in_view(threshold):
    lowest, highest = drawn(threshold=threshold).get_ylim()
    assert lowest == 0
    assert highest > max(threshold, 3)


def test_a_datapoint_before_the_first_known_state_is_in_view():
    axes = drawn(states=STATES.iloc[1:])
    assert axes.get_xlim()[0] < date2num(at(9, 9))


def test_without_datapoints_the_states_are_drawn_alone():
    axes = drawn(datapoints=DATAPOINTS.iloc[:0])
    assert "datapoints none; threshold 2;" in describe(axes)
    assert axes.get_ylim()[1] > 2


def test_reaches_the_page_with_its_words(axes):
    shown = picture(axes)
    assert shown.text().startswith("Chart: When the alarm fired")
    assert 'alt="When the alarm fired' in shown._repr_html_()
    assert len(shown.image) < 60_000


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (STATES.iloc[:0], "no state to draw"),
        (STATES.assign(state="ALARMED"), "ALARMED: no state of an alarm; give one of ALARM, OK, INSUFFICIENT_DATA"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_words(states, message):
    with pytest.raises(ChartError, match=message):
        drawn(states=states)
