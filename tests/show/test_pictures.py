import re
from io import BytesIO

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from labkit.show.axes import ChartError
from labkit.show.charts import accepted_against_rejected, flow_map, rejects_by_port, rejects_by_source
from labkit.show.pictures import COLOURS, GREYS, picture

PORTS = pd.DataFrame({"destinationport": [23, 22, 40123], "rejects": [5, 9, 1]})
WORDS = "What they knocked at, rejected flows: 22 SSH 9; 23 Telnet 5; 40123 1."


def test_a_picture_reaches_the_page_with_its_words():
    html = picture(rejects_by_port(PORTS))._repr_html_()
    assert re.search(r'<img src="data:image/webp;base64,[\w+/=]+" alt="([^"]+)"', html)[1] == WORDS


def test_everybody_can_unfold_the_words():
    html = picture(rejects_by_port(PORTS))._repr_html_()
    assert re.search(r"<details><summary>The chart in words</summary>(.*?)</details>", html)[1] == WORDS


def test_where_there_is_only_text_the_words_are_the_picture():
    shown = picture(rejects_by_port(PORTS))
    assert repr(shown) == str(shown) == f"Chart: {WORDS}"


def test_the_image_can_be_read_and_has_few_colours():
    image = Image.open(BytesIO(picture(rejects_by_port(PORTS)).image))
    assert image.format == "WEBP"
    assert len(image.convert("RGB").getcolors()) <= COLOURS + len(GREYS)
    assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_a_verdict_has_the_very_same_colour_in_every_chart():
    flows = pd.DataFrame({"s": ["192.0.2.7"], "p": [22], "v": ["REJECT"], "n": [1]})
    days = pd.DataFrame({"t": ["2026-10-05", "2026-10-06"], "v": "REJECT", "n": [1, 9]})
    for axes in (rejects_by_port(PORTS), flow_map(flows), accepted_against_rejected(days)):
        colours = Image.open(BytesIO(picture(axes).image)).convert("RGB").getcolors()
        assert (0xD5, 0x5E, 0x00) in [colour for _, colour in colours]


def test_letters_are_black_and_grey_and_have_no_tint_of_the_bars():
    image = Image.open(BytesIO(picture(rejects_by_port(PORTS)).image)).convert("RGB")
    beside_the_bars = image.crop((0, 40, 60, 300)).getcolors()
    assert {red for _, (red, _, _) in beside_the_bars} == set(GREYS)
    assert all(red == green == blue for _, (red, green, blue) in beside_the_bars)


def test_words_from_the_data_are_escaped_on_the_page():
    frame = pd.DataFrame({"source": ['"><script>'], "rejects": [1]})
    html = picture(rejects_by_source(frame))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_axes_that_have_left_their_figure_make_no_picture():
    axes = Figure().add_subplot()
    axes.remove()
    with pytest.raises(ChartError, match="draw the chart again"):
        picture(axes)
