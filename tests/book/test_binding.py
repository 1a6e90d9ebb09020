"""The HTML book: complete in one file, links between the notebooks as links within it."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.book import binding

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def page() -> str:
    first = new_notebook(
        cells=[
            new_markdown_cell("# 00 · Start\n\nGo to [one](01_next.ipynb#check) or [words](../docs/glossary.md)."),
            new_markdown_cell("<details><summary>Hint</summary>\n\nUse *this*.\n\n</details>"),
            new_markdown_cell("## Check\n\n![the plan](images/what_we_build.svg) [template](../infra/lab.yaml)"),
        ]
    )
    chart = new_output("display_data", data={"image/png": PIXEL, "text/plain": "a chart: 3 bars"})
    text = new_output("execute_result", data={"text/plain": "'<b>not bold</b>'"}, execution_count=1)
    second = new_notebook(
        cells=[
            new_markdown_cell("# 01 · Next & last\n\nBack to [start](00_start.ipynb), or to [nowhere](99_gone.ipynb)."),
            new_markdown_cell("## Check"),
            new_code_cell("1 < 2", outputs=[text, chart], execution_count=1),
        ]
    )
    return binding.bind({"00_start": first, "01_next": second})


def test_contents_lists_every_chapter(page):
    assert '<li><a href="#00_start">00 · Start</a></li>' in page
    assert '<li><a href="#01_next">01 · Next &amp; last</a></li>' in page


def test_links_between_notebooks_stay_in_the_book(page):
    assert 'href="#01_next"' in page
    assert ".ipynb" not in page.replace("99_gone.ipynb", "")


def test_a_link_to_what_is_not_in_the_book_is_left_alone(page):
    assert 'href="99_gone.ipynb"' in page


def test_glossary_and_cheat_sheet_are_bound_in(page):
    assert 'href="#glossary"' in page
    assert '<section id="cheat_sheet">' in page


def test_links_to_other_files_lead_out_of_the_build_folder(page):
    assert 'href="../../infra/lab.yaml"' in page


def test_no_two_elements_have_the_same_id(page):
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "01_next--Check" in ids


def test_pictures_are_in_the_page_itself(page):
    assert "data:image/svg+xml" in page
    assert f"data:image/png;base64,{PIXEL}" in page.replace("\n", "")


def test_nothing_is_fetched_from_elsewhere(page):
    assert re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', page) == []
    assert "<script" not in page


def test_text_outputs_are_escaped(page):
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page


def test_is_readable_on_a_phone(page):
    assert 'name="viewport" content="width=device-width' in page
    assert "overflow-x: auto" in page


def test_each_chapter_ends_with_the_ways_on(page):
    assert re.findall(r'<nav aria-label="After (.*?)">(.*?)</nav>', page)[:2] == [
        ("00 · Start", '<a href="#contents">Contents</a> <a href="#01_next">01 · Next &amp; last →</a>'),
        (
            "01 · Next &amp; last",
            '<a href="#00_start">← 00 · Start</a> <a href="#contents">Contents</a> <a href="#glossary">Glossary →</a>',
        ),
    ]


def test_a_table_scrolls_in_itself_also_by_keyboard(page):
    assert len(re.findall("<table", page)) == len(re.findall('<div class="scrolls"[^>]* tabindex="0"><table', page)) > 0


def test_folded_passages_stay_folded(page):
    assert re.search(r"<details><summary>Hint</summary>\s*<p>Use <em>this</em>.</p>\s*</details>", page)
