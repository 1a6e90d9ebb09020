"""Charts as readers with a colour vision of their own see them, and in print without any colour.

The matrices are those of Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color
Vision Deficiency", for the full deficiency, on linear RGB; differences are Euclidean in CIE L*a*b* (CIE76), in which
about 2.3 is just noticeable.
"""

from io import BytesIO
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from labkit.show import alarm_timeline, charts
from labkit.show.axes import ACCEPT, NEUTRAL, REJECT
from labkit.show.flow_map import flow_map
from labkit.show.pictures import picture

VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
PLAIN = 15
"""A difference that nobody has to look for."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)

every_vision = pytest.mark.parametrize("vision", VISIONS)


def lab(colour, vision="usual"):
    """A colour, 0 to 255 for each of red, green and blue, in L*a*b* as it is seen."""
    part = np.asarray(colour) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISIONS[vision]) @ linear, 0, 1)
    ratio = TO_XYZ @ seen / WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one, other, vision):
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def rgb(name):
    return tuple(int(name[place : place + 2], 16) for place in (1, 3, 5))


def colours_of(axes, *, fields):
    """The colours that a picture has most of, as they reach the page: white and black aside."""
    image = Image.open(BytesIO(picture(axes).image)).convert("RGB")
    found = [colour for _, colour in sorted(image.getcolors(1 << 20), reverse=True)]
    return [colour for colour in found if max(colour) - min(colour) > 20][:fields]


@every_vision
def test_the_colours_of_the_verdicts_are_told_apart(vision):
    for one, other in combinations(map(rgb, (ACCEPT, REJECT, NEUTRAL)), 2):
        assert difference(one, other, vision) > PLAIN


@every_vision
def test_the_bands_of_the_flow_map_are_told_apart_on_the_page(vision):
    flows = pd.DataFrame({"s": ["a", "b"], "p": [22, 443], "v": ["REJECT", "ACCEPT"], "n": [5, 6]})
    one, other = colours_of(flow_map(flows), fields=2)
    assert difference(one, other, vision) > PLAIN
    for colour in (one, other):
        assert difference(colour, (255, 255, 255), vision) > PLAIN


@every_vision
def test_the_states_of_an_alarm_are_told_apart_on_the_page(vision):
    begin = pd.Timestamp("2026-11-02 09:00", tz="UTC")
    ends = [begin + pd.Timedelta(minutes=minutes) for minutes in (0, 10, 20)]
    states = pd.DataFrame({"begin": ends[:2], "end": ends[1:], "state": ["OK", "ALARM"]})
    nothing = pd.DataFrame({"timestamp": pd.to_datetime([], utc=True), "sum": []})
    one, other = colours_of(alarm_timeline.alarm_timeline(nothing, states, threshold=1), fields=2)
    assert difference(one, other, vision) > PLAIN


@every_vision
def test_more_is_brighter_on_the_heat_map_for_everybody(vision):
    week = pd.DataFrame([(day, hour, day * 24 + hour) for day in range(1, 8) for hour in range(24)])
    (image,) = charts.rejects_by_weekday_and_hour(week).images
    shades = [tuple(round(255 * part) for part in image.cmap(step / 31)[:3]) for step in range(32)]
    brightness = [lab(shade, vision)[0] for shade in shades]
    assert brightness == sorted(brightness)
    assert brightness[-1] - brightness[0] > 60


@every_vision
def test_writing_stands_out_from_what_it_is_written_on(vision):
    flows = pd.DataFrame({"s": ["a", "b"], "p": [22, 443], "v": ["REJECT", "ACCEPT"], "n": [5, 6]})
    for ground in colours_of(flow_map(flows), fields=2):
        assert contrast((0, 0, 0), ground) >= 4.5


def contrast(one, other):
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((luminance(colour) for colour in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    part = np.asarray(colour) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(TO_XYZ[1] @ linear)
