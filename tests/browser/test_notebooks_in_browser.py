"""Every notebook run to its end in JupyterLab, in order, as one learner goes through them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from labkit.book import workbook
from tests.browser.jupyter import barriers

OUTPUTS, PROSE = ".jp-OutputArea-output", ".jp-MarkdownOutput"
"""What the lab puts on the page; the rest is JupyterLab's, and so is how links look in prose."""

UNFOLD = """found => found.filter(details => {
    details.querySelector('summary').click();
    return ![...details.children].every(element => element.checkVisibility());
}).map(details => details.outerHTML)"""
"""Opens one after the other, and tells which of them don't show all that is in them."""


def stored(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def outputs_of(cells: list[dict], kind: str) -> int:
    return sum(kind in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def take_every_hint(jupyter) -> int:
    """Presses each button for hints, by keyboard, until it has no more; how many such buttons there are."""
    buttons = jupyter.page.locator(".jp-OutputArea-output button.labkit-hint")
    for button in buttons.all():
        given = button.locator("xpath=..")
        button.focus()
        for place in (1, 2, 3):
            expect(button).to_have_text(re.compile(f"^Hint {place}"))
            jupyter.page.keyboard.press("Enter")
            expect(given.get_by_text(f"Hint {place}", exact=True)).to_be_visible()
    return buttons.count()


@pytest.mark.parametrize("path", workbook.notebooks(), ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end_and_all_of_it_is_seen(jupyter, path):
    before = path.read_bytes()
    cells = stored(path)["cells"]
    jupyter.open(path.stem)
    jupyter.run_all()
    assert jupyter.failures() == []

    shown = jupyter.page.locator(OUTPUTS)
    expect(shown).to_have_count(sum(len(cell.get("outputs", [])) for cell in cells))
    for place in shown.all():
        expect(place).to_be_visible()
    if widgets := outputs_of(cells, "application/vnd.jupyter.widget-view+json"):
        expect(shown.filter(has=jupyter.page.locator(".jupyter-widgets"))).to_have_count(widgets)

    images = jupyter.images()
    written = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert len(images) >= len(re.findall(r"!\[|<img ", written))
    assert [
        image for image in images if not (image["drawn"] and image["width"] > 200 and len(image["words"]) > 20)
    ] == []

    assert take_every_hint(jupyter) > 0
    assert jupyter.page.locator(".jp-OutputArea-output details:not([open])").evaluate_all(UNFOLD) == []
    jupyter.lay_out()
    assert barriers(jupyter.page, OUTPUTS) == []
    assert barriers(jupyter.page, PROSE, without=("link-in-text-block",)) == []
    assert path.read_bytes() == before
