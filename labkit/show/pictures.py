"""Charts on the page: as images that say in words what they show.

JupyterLab gives the images of matplotlib no text alternative, and has no option for it. So a chart is shown as HTML, an
image with `alt` text and a caption. The same words are the output's plain text.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from labkit.show.axes import ChartError, describe
from labkit.show.html import Html, folded, tag
from labkit.show.shown import Shown

COLOURS, SHADES = 5, 40
"""A chart needs few colours, and the notebooks that it is stored in are to stay small; so it is a lossless WebP of a
few greys and the colours that it has most of. The shades of a heat map are what it says, and it has more of them."""
GREYS = (0, 140, 221, 255)
"""Black, the two greys that charts are drawn with, white. The edges of letters become one of them, and stay grey."""
_EFFORT = 4
"""Of WebP's 0 to 6. The last step makes a chart 1% smaller, and takes a hundred times as long."""


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
        caption = folded("The chart in words", self.description)
        return tag("figure", drawn, tag("figcaption", caption), style="margin:0")


def picture(axes: Axes) -> Picture:
    """The figure that the axes are on, drawn, with the words of the chart."""
    if not isinstance(axes, Axes):
        raise ChartError(f"give picture() the axes that a chart's function returns, not a {type(axes).__name__}")
    return Picture(_image(axes), describe(axes))


def _image(axes: Axes) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ChartError("these axes are on no figure any more: draw the chart again")
    figure.savefig(drawn, format="png", metadata={"Software": None})
    image = _with_few_colours(Image.open(drawn).convert("RGB"), SHADES if axes.images else COLOURS)
    image.save(small, format="webp", lossless=True, quality=100, method=_EFFORT)
    return small.getvalue()


def _with_few_colours(image: Image.Image, most: int) -> Image.Image:
    """Reduce the image to a few greys and its most frequent colours; other colours become the nearest of them.

    Pillow's own choice of colours mixes them, and a verdict would not have the same colour in two charts.
    """
    red, green, blue = np.asarray(image).reshape(-1, 3).T.astype(np.uint32)
    packed, places, counts = np.unique(red << 16 | green << 8 | blue, return_inverse=True, return_counts=True)
    colours = np.column_stack([packed >> 16, packed >> 8 & 255, packed & 255])
    coloured = np.flatnonzero(np.ptp(colours.astype(int), axis=1))
    commonest = coloured[np.argsort(-counts[coloured], kind="stable")[:most]]
    kept = np.vstack([np.repeat(GREYS, 3).reshape(-1, 3), colours[commonest]])
    distances = np.square(colours[:, None].astype(int) - kept).sum(axis=2)
    nearest = kept[distances.argmin(axis=1)].astype(np.uint8)
    return Image.fromarray(nearest[places.reshape(-1)].reshape(image.height, image.width, 3))
