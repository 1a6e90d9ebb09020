import re
import warnings
from functools import partial
from io import BytesIO
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from labkit.show.axes import ACCEPT, REJECT, SERVICES, ChartError, count, describe, service
from labkit.show.charts import (
    accepted_against_rejected,
    flow_map,
    rejects_by_port,
    rejects_by_source,
    rejects_by_weekday,
    rejects_by_weekday_and_hour,
    sizes,
)
from labkit.show.pictures import picture

SOURCES = pd.DataFrame({"srcAddr": ["192.0.2.7", "198.51.100.9", "203.0.113.1"], "numRejections": [3, 1200, 40]})
PORTS = pd.DataFrame({"destinationport": [23, 22, 40123], "rejects": [5, 9, 1]})
WEEK = pd.DataFrame({"day": [1, 3, 7], "rejects": [10, 20, 30]})
HOURS = pd.DataFrame({"day": [1, 1, 6], "hour": [0, 23, 4], "rejects": [5, 6, 70]})
DAYS = pd.DataFrame(
    {
        "dt": ["2026-10-05", "2026-10-05", "2026-10-06", "2026-10-06", "2026-10-07"],
        "action": ["ACCEPT", "REJECT", "ACCEPT", "REJECT", "ACCEPT"],
        "flows": [100, 40, 90, 45, 110],
    }
)
FLOWS = pd.DataFrame(
    {
        "source": ["192.0.2.7", "192.0.2.7", "198.51.100.9", "203.0.113.1"],
        "port": [22, 80, 22, 443],
        "action": ["REJECT", "ACCEPT", "REJECT", "ACCEPT"],
        "flows": [60, 5, 20, 15],
    }
)
CHARTS = {
    "source": (rejects_by_source, SOURCES),
    "port": (rejects_by_port, PORTS),
    "weekday": (rejects_by_weekday, WEEK),
    "hours": (rejects_by_weekday_and_hour, HOURS),
    "time": (accepted_against_rejected, DAYS),
    "map": (flow_map, FLOWS),
    "sizes": (partial(sizes, unit="bytes in flows"), pd.DataFrame({"bytes": [2500, 2600, 240_000]})),
}
every_chart = pytest.mark.parametrize(("chart", "frame"), CHARTS.values(), ids=CHARTS)


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@every_chart
def test_a_chart_has_a_title_and_names_its_unit(chart, frame):
    axes = chart(frame)
    assert axes.get_title(loc="left")
    words = describe(axes)
    assert words.startswith(axes.get_title(loc="left"))
    assert re.search(r"flows|UTC|busiest", words)


@every_chart
def test_a_chart_leaves_its_frame_alone(chart, frame):
    before = frame.copy()
    chart(frame)
    pd.testing.assert_frame_equal(frame, before)


@every_chart
def test_the_same_frame_gives_the_same_image(chart, frame):
    assert picture(chart(frame)).image == picture(chart(frame)).image


@every_chart
def test_an_image_is_small_and_of_the_size_that_was_settled(chart, frame):
    image = picture(chart(frame)).image
    assert len(image) < 60_000
    assert Image.open(BytesIO(image)).size == (640, 340)


@every_chart
def test_a_frame_of_one_row_is_a_chart_too(chart, frame):
    axes = chart(frame.head(1))
    assert describe(axes)
    assert Image.open(BytesIO(picture(axes).image)).size == (640, 340)


@every_chart
def test_names_and_numbers_have_room_however_long_they_are(chart, frame):
    """matplotlib warns where words leave no room for the chart; pytest makes nothing of it, so the test does."""
    huge = frame.assign(**{frame.columns[-1]: 9_800_000_000_000})
    if "srcAddr" in huge or "source" in huge:
        huge[huge.columns[0]] = "2001:0db8:85a3:0000:0000:8a2e:0370:7334, a name that goes on and on"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image.open(BytesIO(picture(chart(huge)).image))
    edges = np.asarray(image.convert("L"))[:, [0, -1]]
    assert edges.min() > 200, "something is cut off at the edge"


@every_chart
@pytest.mark.parametrize("count", [-1, float("nan"), float("inf")])
def test_counts_that_are_none_are_refused(chart, frame, count):
    wrong = frame.astype({frame.columns[-1]: float})
    wrong.iloc[0, -1] = count
    with pytest.raises(ChartError, match=f"column '{frame.columns[-1]}' has to hold counts"):
        chart(wrong)


@every_chart
def test_a_chart_is_no_figure_of_pyplots_so_that_a_notebook_shows_it_once(chart, frame):
    from matplotlib import pyplot

    chart(frame)
    assert pyplot.get_fignums() == []


@every_chart
def test_a_frame_without_rows_is_refused_in_words(chart, frame):
    with pytest.raises(ChartError, match="the frame has no rows"):
        chart(frame.iloc[:0])


@every_chart
def test_a_frame_with_other_columns_is_refused_and_the_right_ones_are_named(chart, frame):
    with pytest.raises(
        ChartError,
        match=rf"frame with {len(frame.columns)} columns \(.*\); this one has .*: {frame.columns[0]}, .*more",
    ):
        chart(frame.assign(more=1))


@every_chart
def test_numbers_that_are_texts_are_refused(chart, frame):
    with pytest.raises(ChartError, match=f"column '{frame.columns[-1]}' has to hold the numbers"):
        chart(frame.astype({frame.columns[-1]: str}))


def test_sources_are_sorted_and_the_most_stands_on_top():
    axes = rejects_by_source(SOURCES)
    assert tick_labels(axes.yaxis) == ["198.51.100.9", "203.0.113.1", "192.0.2.7"]
    assert axes.yaxis_inverted()
    assert [bar.get_width() for bar in axes.patches] == [1200, 40, 3]
    assert "1,200" in [text.get_text() for text in axes.texts]


def test_a_source_is_named_where_somebody_knows_it():
    axes = rejects_by_source(SOURCES, who={"198.51.100.9": "Ada"}.get, top=1)
    assert tick_labels(axes.yaxis) == ["198.51.100.9  Ada"]
    assert describe(axes) == "Who was turned away most often, rejected flows, 1 of 3 sources: 198.51.100.9 Ada 1,200."


def test_only_the_first_sources_are_drawn():
    axes = rejects_by_source(SOURCES, top=2)
    assert len(axes.patches) == 2
    assert axes.get_xlabel() == "rejected flows, 2 of 3 sources"


def many_sources():
    return pd.DataFrame({"source": [f"203.0.113.{host}" for host in range(200)], "rejects": range(1, 201)})


def test_fifty_sources_have_room_for_their_names():
    axes = rejects_by_source(many_sources(), top=50)
    axes.figure.draw_without_rendering()  # lays the chart out
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert len(boxes) == 50
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


def test_of_many_values_the_words_tell_the_largest():
    words = describe(rejects_by_source(many_sources(), top=200))
    assert words.startswith("Who was turned away most often, rejected flows: 203.0.113.199 200; 203.0.113.198 199;")
    assert words.endswith("; and 180 more.")


def test_a_long_name_is_cut_in_the_chart_and_whole_in_the_words():
    axes = rejects_by_source(SOURCES, who=lambda address: "somebody whose name does not want to end", top=1)
    assert tick_labels(axes.yaxis) == ["198.51.100.9  somebody whose name d…"]
    assert "somebody whose name does not want to end 1,200" in describe(axes)


def test_one_bar_is_no_thicker_than_four_would_be():
    axes = rejects_by_source(SOURCES, top=1)
    assert axes.get_ylim() == (3.5, -0.5)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (850_624, "850,624"),
        (999_999, "999,999"),
        (1_234_567, "1.23 million"),
        (4e9, "4 billion"),
        (9.8e12, "9,800 billion"),
    ],
)
def test_a_number_is_short_enough_to_stand_beside_a_bar(number, words):
    assert count(number) == words


def test_ports_carry_the_names_of_their_services():
    assert tick_labels(rejects_by_port(PORTS).yaxis) == ["22 SSH", "23 Telnet", "40123"]


@pytest.mark.parametrize(
    ("port", "name"), [(22, "22 SSH"), (443, "443 HTTPS"), (0, "0 ICMP"), (1, "1"), (65535, "65535")]
)
def test_a_port_without_a_service_stays_a_number(port, name):
    assert service(port) == name


@pytest.mark.parametrize("port", [-1, 65536, 22.5, float("nan")])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(ChartError, match=f"{port} is no port"):
        rejects_by_port(pd.DataFrame({"port": [22, port], "rejects": [1, 2]}))


def test_services_have_one_name_each():
    assert len(set(SERVICES.values())) == len(SERVICES)


def test_a_week_has_seven_days_also_where_nothing_happened():
    axes = rejects_by_weekday(WEEK)
    assert tick_labels(axes.xaxis) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert [bar.get_height() for bar in axes.patches] == [10, 0, 20, 0, 0, 0, 30]
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False] * 5 + [True] * 2


def test_weekdays_that_come_in_several_rows_are_added_up():
    twice = pd.concat([WEEK, WEEK])
    assert [bar.get_height() for bar in rejects_by_weekday(twice).patches][6] == 60


@pytest.mark.parametrize("weekday", [0, 8, "Mon"])
def test_a_weekday_that_is_none_is_refused_instead_of_left_out(weekday):
    with pytest.raises(ChartError, match=f"{weekday} is no weekday, 1 for Monday to 7 for Sunday"):
        rejects_by_weekday(pd.DataFrame({"day": [1, weekday], "rejects": [1, 2]}))
    with pytest.raises(ChartError, match=f"{weekday} is no weekday"):
        rejects_by_weekday_and_hour(pd.DataFrame({"day": [1, weekday], "hour": 1, "rejects": [1, 2]}))


@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_that_is_none_is_refused_instead_of_left_out(hour):
    with pytest.raises(ChartError, match=f"{hour} is no hour of the day, 0 to 23"):
        rejects_by_weekday_and_hour(pd.DataFrame({"day": 1, "hour": [0, hour], "rejects": [1, 2]}))


def test_the_heat_map_has_a_field_for_each_hour_of_the_week():
    (image,) = rejects_by_weekday_and_hour(HOURS).images
    week = np.asarray(image.get_array())
    assert week.shape == (7, 24)
    assert (week[0, 0], week[0, 23], week[5, 4], week.sum()) == (5, 6, 70, 81)


def test_the_heat_map_says_when_it_was_busiest():
    assert (
        describe(rejects_by_weekday_and_hour(HOURS))
        == "At which hours, busiest: Sat 04:00 70; Mon 23:00 6; Mon 00:00 5."
    )


def test_hours_without_rejects_are_none_of_the_busiest():
    assert describe(rejects_by_weekday_and_hour(HOURS.head(1))) == "At which hours, busiest: Mon 00:00 5."


def test_verdicts_are_told_apart_by_line_as_well_as_by_colour():
    accepted, rejected = accepted_against_rejected(DAYS).lines
    assert (accepted.get_color(), rejected.get_color()) == (ACCEPT, REJECT)
    assert accepted.get_linestyle() != rejected.get_linestyle()
    assert [text.get_text() for text in accepted.axes.get_legend().get_texts()] == ["ACCEPT", "REJECT"]


def test_a_day_without_a_verdict_counts_as_none():
    _, rejected = accepted_against_rejected(DAYS).lines
    assert rejected.get_ydata().tolist() == [40, 45, 0]
    assert "REJECT fewest, 07 Oct 0" in describe(accepted_against_rejected(DAYS))


def test_a_time_of_one_verdict_only_is_drawn_as_well():
    only = DAYS[DAYS["action"] == "ACCEPT"]
    assert len(accepted_against_rejected(only).lines) == 1


@pytest.mark.parametrize("chart", [accepted_against_rejected, flow_map])
def test_what_is_no_verdict_is_refused_instead_of_left_out(chart):
    frame = (DAYS if chart is accepted_against_rejected else FLOWS).copy()
    frame.loc[0, "action"] = "-"
    with pytest.raises(ChartError, match="'-' is no verdict; keep the rows whose action is ACCEPT or REJECT"):
        chart(frame)


def test_a_single_day_stands_in_the_middle_under_its_date():
    axes = accepted_against_rejected(DAYS.head(2))
    assert tick_labels(axes.xaxis) == ["05 Oct"]
    left, right = axes.get_xlim()
    assert right - left == 1
    assert describe(axes).endswith("2026: ACCEPT only, 05 Oct 100; REJECT only, 05 Oct 40.")


def test_the_axis_of_time_says_the_year():
    assert accepted_against_rejected(DAYS).get_xlabel() == "time in UTC, 2026"


def test_what_is_no_time_is_refused():
    with pytest.raises(ChartError, match="column 'time' has to hold days or moments such as 2026-10-05"):
        accepted_against_rejected(DAYS.assign(dt="yesterday week"))


def test_moments_within_a_day_carry_their_hour():
    hours = pd.DataFrame({"t": ["2026-10-05 09:00", "2026-10-05 10:00"], "action": "REJECT", "n": [1, 2]})
    assert "REJECT most, 05 Oct 10:00 2" in describe(accepted_against_rejected(hours))


def test_sizes_are_counted_in_steps_of_tens():
    axes = sizes(pd.DataFrame({"bytes": [2500, 2600, 240_000]}), unit="bytes")
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "bytes")
    assert sorted(bar.get_height() for bar in axes.patches)[-4:] == [0, 1, 1, 1]
    assert describe(axes).endswith("bytes: 1,585 to 2,512: 1; 2,512 to 3,981: 1; 158,489 to 251,189: 1.")


def test_every_size_is_counted_also_none_and_one():
    axes = sizes(pd.DataFrame({"bytes": [0, 1, 10, 100]}), unit="bytes")
    assert sum(bar.get_height() for bar in axes.patches) == 4


@every_chart
def test_the_nullable_integers_of_pyathena_are_numbers_too(chart, frame):
    nullable = frame.astype({frame.columns[-1]: "Int64"})
    assert describe(chart(nullable)) == describe(chart(frame))
