"""The alarm's picture: the bands follow its history, and the words say the same."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from labkit.show.alarm_timeline import COLOURS, alarm_timeline
from labkit.show.charts import ChartError, describe
from labkit.show.pictures import picture


def at(hour: int, minute: int) -> pd.Timestamp:
    return pd.Timestamp(datetime(2026, 11, 2, hour, minute, tzinfo=UTC))


DATAPOINTS = pd.DataFrame({"timestamp": [at(9, 9), at(9, 12)], "sum": [1.0, 3.0]})
HISTORY = pd.DataFrame(
    {
        "Timestamp": [at(9, 30), at(9, 15)],
        "HistorySummary": [
            "Alarm updated from ALARM to INSUFFICIENT_DATA",
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
        ],
    }
)


@pytest.fixture
def axes():
    return alarm_timeline(DATAPOINTS, HISTORY, threshold=1, until=at(9, 40).to_pydatetime())


def test_the_words_tell_datapoints_threshold_and_states_in_their_order(axes):
    assert describe(axes) == (
        "When the alarm rang, and why: datapoints 1 at 09:09, 3 at 09:12; threshold 1; "
        "INSUFFICIENT_DATA from 09:04, ALARM from 09:15, INSUFFICIENT_DATA from 09:30."
    )


def test_a_band_for_each_state_named_and_in_its_colour(axes):
    bands = [text.get_text() for text in axes.texts if text.get_text() in COLOURS]
    assert bands == ["INSUFFICIENT_DATA", "ALARM", "INSUFFICIENT_DATA"]
    assert len(axes.patches) == 3


def test_axes_have_title_and_units(axes):
    assert axes.get_title(loc="left")
    assert axes.get_xlabel() == "time of day, UTC"
    assert "a minute" in axes.get_ylabel()


def test_the_threshold_is_in_view_even_above_all_datapoints():
    axes = alarm_timeline(DATAPOINTS, HISTORY, threshold=20, until=at(9, 40).to_pydatetime())
    assert axes.get_ylim()[1] > 20


def test_reaches_the_page_with_its_words(axes):
    shown = picture(axes)
    assert shown.text().startswith("Chart: When the alarm rang")
    assert 'alt="When the alarm rang' in shown._repr_html_()
    assert len(shown.image) < 60_000


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (HISTORY.iloc[:0], "no change of state yet"),
        (HISTORY.assign(HistorySummary="Alarm created"), "'Alarm created' tells of no change"),
    ],
)
def test_a_history_without_changes_is_refused_in_words(history, message):
    with pytest.raises(ChartError, match=message):
        alarm_timeline(DATAPOINTS, history, threshold=1, until=at(9, 40).to_pydatetime())
