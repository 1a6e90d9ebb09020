"""Charts on the page: as images that say in words what they show.

JupyterLab gives the images of matplotlib no text alternative, and offers no way to; so a chart is shown as HTML, an
image with `alt` text and a caption. The same words are the output's plain text.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO

from matplotlib.axes import Axes
from PIL import Image

from labkit.show.charts import ChartError, describe
from labkit.show.html import Html, tag
from labkit.show.shown import Shown

COLOURS, SHADES = 24, 40
"""A chart needs few colours, and the notebooks that it is stored in are to stay small; so it is a lossless WebP of so
many. The shades of a heat map are what it says, and it has more of them."""


@dataclass(frozen=True, repr=False)
class Picture(Shown):
    """A chart as an image with its text alternative."""

    image: bytes
    description: str

    def text(self) -> str:
        """What the chart shows, in words."""
        return f"Chart: {self.description}"

    def html(self) -> Html:
        """The image, its description as alternative text and, folded, for everybody to read."""
        source = f"data:image/webp;base64,{base64.b64encode(self.image).decode()}"
        drawn = tag("img", src=source, alt=self.description, style="max-width:100%;height:auto")
        caption = tag("details", tag("summary", "The chart in words"), self.description)
        return tag("figure", drawn, tag("figcaption", caption), style="margin:0")


def picture(axes: Axes) -> Picture:
    """The figure that the axes are on, drawn, with the words of the chart."""
    return Picture(_image(axes), describe(axes))


def _image(axes: Axes) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ChartError("these axes are on no figure any more; draw the chart again")
    figure.savefig(drawn, format="png", metadata={"Software": None})
    colours = SHADES if axes.images else COLOURS
    image = (
        Image.open(drawn).convert("RGB").quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    image.convert("RGB").save(small, format="webp", lossless=True, quality=100, method=6)
    return small.getvalue()
