"""HTML that is always escaped: text becomes HTML only through `tag`, which escapes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape


class Html(str):
    """A piece of finished HTML; anything else that goes into a tag is text and is escaped."""


def tag(name: str, /, *children: str, **attributes: str) -> Html:
    """An element with its children; `class_` stands for the attribute `class`, `aria_label` for `aria-label`.

    >>> tag("td", "a < b", class_="num")
    '<td class="num">a &lt; b</td>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[str]) -> Html:
    """Join pieces of HTML and text; text is escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child, quote=False) for child in children))


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, caption: str = "") -> Html:
    """A table with a header row."""
    header = tag("tr", *(tag("th", cell, scope="col", style="text-align:left") for cell in head))
    body = (tag("tr", *(tag("td", cell, style="text-align:left") for cell in row)) for row in rows)
    title = tag("caption", caption, style="text-align:left;font-weight:bold") if caption else Html("")
    return tag("table", title, tag("thead", header), tag("tbody", *body))


def folded(summary: str, /, *children: str, **attributes: str) -> Html:
    """What is shown when its summary is opened; with `open="open"` it is open at first."""
    return tag("details", tag("summary", summary), *children, **attributes)


def marked_up(text: str) -> Html:
    """The text with its pieces between backticks as code.

    >>> marked_up("type `a < b`")
    'type <code>a &lt; b</code>'
    """
    pieces = re.split("`([^`]*)`", text)
    return join(tag("code", piece) if place % 2 else piece for place, piece in enumerate(pieces))
