"""Binds executed notebooks into one self-contained HTML page: it needs no kernel, no network and no other file."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from labkit.lab.settings import project_root

APPENDICES = ("glossary", "cheat_sheet")
"""Pages of docs/ that every notebook links to, bound in at the end."""

_HEADING_ID = re.compile(r'(<h[1-6]\b[^>]*?) id="([^"]*)"')
_ANCHOR = re.compile(r'<a class="anchor-link"[^>]*>[^<]*</a>')
_PICTURE = re.compile(r'(?<=<img )([^>]*)src="(images/[^"]+)"')
_LINK = re.compile(r'href="(?:\.\./docs/|\.\./notebooks/)?([\w-]+)\.(?:ipynb|md)(?:#[^"]*)?"')
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_OUTSIDE = re.compile(r'href="\.\./([^"]*)"')


def bind(notebooks: Mapping[str, Any]) -> str:
    """Return one page with all notebooks as chapters, and links between notebooks as links within the page."""
    chapters = dict(notebooks) | {name: page for name in APPENDICES if (page := _appendix(name))}
    bodies = [_chapter(name, notebook, chapters) for name, notebook in chapters.items()]
    contents = [f'<li><a href="#{name}">{escape(_title(notebook))}</a></li>' for name, notebook in chapters.items()]
    page = Template(files("labkit.book").joinpath("book.html").read_text("utf-8"))
    return page.substitute(highlighting=_highlighting(), contents="\n".join(contents), chapters="\n".join(bodies))


def _appendix(name: str) -> Any:
    """Return a page of docs/ as a notebook of one cell; None if there is no such page."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    path = project_root() / "docs" / f"{name}.md"
    if not path.exists():
        return None
    cell = new_markdown_cell(path.read_text("utf-8"))  # type: ignore[no-untyped-call]
    return new_notebook(cells=[cell])  # type: ignore[no-untyped-call]


def _chapter(name: str, notebook: Any, chapters: Mapping[str, Any]) -> str:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(notebook)
    body = _HEADING_ID.sub(rf'\1 id="{name}--\2"', _ANCHOR.sub("", body))
    body = _PICTURE.sub(lambda picture: f'{picture[1]}src="{_embedded(picture[2])}"', body)
    body = _LINK.sub(lambda link: f'href="#{link[1]}"' if link[1] in chapters else link[0], body)
    body = _OUTSIDE.sub(lambda link: f'href="{_beyond(link[1])}"', body)
    body = _TABLE.sub(_scrolling, body)
    return f'<section id="{name}">\n{body}\n{_ways_on(name, chapters)}\n</section>'


def _scrolling(table: re.Match[str]) -> str:
    """Let a table scroll on a narrower screen, by keyboard too."""
    return f'<div class="scrolls" role="group" aria-label="Table" tabindex="0">{table[0]}</div>'


def _ways_on(name: str, chapters: Mapping[str, Any]) -> str:
    """Links to the chapter before, the contents and the chapter after."""
    names = list(chapters)
    place = names.index(name)
    before, after = names[max(place - 1, 0) : place], names[place + 1 : place + 2]
    links = [f'<a href="#{other}">← {escape(_title(chapters[other]))}</a>' for other in before]
    links += ['<a href="#contents">Contents</a>']
    links += [f'<a href="#{other}">{escape(_title(chapters[other]))} →</a>' for other in after]
    return f'<nav aria-label="After {escape(_title(chapters[name]))}">{" ".join(links)}</nav>'


def _embedded(picture: str) -> str:
    """A picture of the notebooks as a data URL.

    nbconvert can embed pictures itself, but then closes every folded passage right after its summary.
    """
    data = (project_root() / "notebooks" / picture).read_bytes()
    kind = mimetypes.guess_type(picture)[0]
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _beyond(path: str) -> str:
    """Return the path of a file of the repository, relative to build/workbook/."""
    return str(Path("../..") / path)


def _title(notebook: Any) -> str:
    """The first heading of the first cell."""
    return str(notebook.cells[0].source).lstrip("# ").partition("\n")[0]


def _highlighting() -> str:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    return str(HtmlFormatter(style="xcode").get_style_defs(".highlight"))
