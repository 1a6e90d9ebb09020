from itertools import pairwise

import pandas as pd
import pytest

from labkit.show.axes import ACCEPT, REJECT, describe
from labkit.show.flow_map import GAP, OTHERS, flow_map

FLOWS = pd.DataFrame(
    {
        "source": ["192.0.2.7", "192.0.2.7", "198.51.100.9", "203.0.113.1"],
        "port": [22, 80, 22, 443],
        "action": ["REJECT", "ACCEPT", "REJECT", "ACCEPT"],
        "flows": [60, 5, 20, 15],
    }
)


def words(axes):
    return [text.get_text() for text in axes.texts]


def bands(axes):
    """Each band's colour, and its height where it begins and where it ends."""
    patches = [patch for patch in axes.patches if patch.get_alpha()]
    corners = [patch.get_path().vertices for patch in patches]
    heights = [(points[0][1] - points[7][1], points[3][1] - points[4][1]) for points in corners]
    return patches, heights


def test_every_source_port_and_verdict_is_named_with_its_flows():
    assert {"192.0.2.7  65", "22 SSH  80", "443 HTTPS  15", "REJECT  80", "ACCEPT  20"} <= set(words(flow_map(FLOWS)))


def test_the_columns_have_headings_in_the_order_of_the_flow():
    headings = [text.get_text() for text in flow_map(FLOWS).texts if text.get_fontstyle() == "italic"]
    assert headings == ["source", "destination port", "outcome"]


def test_the_small_ones_are_kept_together():
    shown = words(flow_map(FLOWS, top=1))
    assert {"192.0.2.7  65", f"{OTHERS}  35", "22 SSH  80", f"{OTHERS}  20"} <= set(shown)


def test_where_all_are_shown_there_are_no_others():
    assert not any(OTHERS in text for text in words(flow_map(FLOWS, top=3)))


def test_sources_can_be_named_and_those_of_one_name_are_one():
    shown = words(flow_map(FLOWS, who=lambda address: "somebody"))
    assert "somebody  100" in shown
    assert not any("192.0.2.7" in text for text in shown)


def test_no_flow_is_lost_between_source_and_verdict():
    _, heights = bands(flow_map(FLOWS))
    from_sources, from_ports = heights[:4], heights[4:]
    assert sum(start for start, _ in from_sources) == pytest.approx(1 - 2 * GAP)
    assert sum(end for _, end in from_sources) == pytest.approx(1 - 2 * GAP)
    assert sum(start for start, _ in from_ports) == pytest.approx(1 - 2 * GAP)
    assert sum(end for _, end in from_ports) == pytest.approx(1 - GAP)


def test_a_band_is_as_high_as_its_flows_are_many():
    _, heights = bands(flow_map(FLOWS))
    assert max(start for start, _ in heights[:4]) == pytest.approx(0.6 * (1 - 2 * GAP))


def test_bands_have_the_colour_of_their_outcome():
    patches, heights = bands(flow_map(FLOWS))
    rejected = rgb_of(REJECT)
    height = sum(start for patch, (start, _) in zip(patches[:4], heights[:4], strict=True) if colour(patch) == rejected)
    assert height == pytest.approx(0.8 * (1 - 2 * GAP))
    assert {colour(patch) for patch in patches} == {rejected, rgb_of(ACCEPT)}


@pytest.mark.parametrize("top", [7, 50])
def test_labels_do_not_cover_one_another(top):
    sources = [f"203.0.113.{host}" for host in range(60)]
    many = pd.DataFrame({"source": sources, "port": range(1, 61), "action": "REJECT", "flows": [10**6] + [1] * 59})
    axes = flow_map(many, top=top)
    axes.figure.draw_without_rendering()  # lays the chart out
    labels = [text for text in axes.texts if text.get_fontstyle() != "italic"]
    for alignment in ("right", "left"):
        column = [
            text.get_window_extent() for text in labels if text.get_ha() == alignment and "REJECT" not in str(text)
        ]
        assert len(column) == top + 1
        assert all(above.y0 >= below.y1 - 1 for below, above in pairwise(column))


def test_a_long_name_leaves_room_for_the_flows():
    axes = flow_map(FLOWS, who=lambda address: "somebody whose name does not want to end")
    assert "somebody whose name…  100" in words(axes)
    assert "somebody whose name does not want to end to 22 SSH" in describe(axes)


def test_it_says_the_largest_flows_in_words():
    assert describe(flow_map(FLOWS)).startswith(
        "Who spoke to which port, and what became of it (flows), the largest: 192.0.2.7 to 22 SSH, REJECT: 60; "
    )


def colour(patch):
    return tuple(round(255 * part) for part in patch.get_facecolor()[:3])


def rgb_of(name):
    return tuple(int(name[place : place + 2], 16) for place in (1, 3, 5))
