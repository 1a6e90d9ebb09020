"""The HTML book, opened from the disk: no kernel, no server, no network; on a laptop and on a phone."""

import pytest
from playwright.sync_api import expect

from labkit.book import binding, workbook
from tests.browser.jupyter import IMAGES, barriers

PHONE, LAPTOP = {"width": 375, "height": 667}, {"width": 1280, "height": 800}
TOO_WIDE = """() => [...document.querySelectorAll('main *, header *')].filter(element => {
    if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
    for (let box = element.parentElement; box; box = box.parentElement)
        if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(box).overflowX)) return false;
    return true;
}).map(element => element.outerHTML.slice(0, 120))"""
UNREACHED = """() => [...document.querySelectorAll('a[href^="#"]')].map(link => link.getAttribute('href').slice(1))
    .filter(id => !document.getElementById(decodeURIComponent(id)))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    import nbformat

    executed = {path.stem: nbformat.read(path, as_version=4) for path in workbook.notebooks()}
    path = tmp_path_factory.mktemp("book") / "workbook.html"
    path.write_text(binding.bind(executed), "utf-8")
    return path.as_uri()


@pytest.fixture
def requests(page) -> list[str]:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_the_page_is_never_wider_than_the_screen(page, address, size):
    page.set_viewport_size(size)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(TOO_WIDE) == []


def test_a_wide_table_scrolls_in_itself(page, address):
    page.set_viewport_size(PHONE)
    page.goto(address)
    wide = page.locator("table").evaluate_all(
        "tables => tables.filter(table => table.scrollWidth > innerWidth)"
        ".map(table => getComputedStyle(table.closest('.scrolls')).overflowX)"
    )
    assert wide
    assert set(wide) == {"auto"}


def test_the_book_is_complete_without_a_kernel(page, address, requests):
    page.goto(address)
    sections = page.locator("main > section")
    expect(sections).to_have_count(len(workbook.notebooks()) + len(binding.APPENDICES))
    images = page.locator("img").evaluate_all(IMAGES)
    assert len(images) >= 12
    assert all(image["drawn"] and len(image["words"]) > 20 for image in images), images
    for words in ("this is a form", "this is a chart with controls", "you can type here"):
        expect(page.get_by_text(words)).to_have_count(1)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def test_one_gets_from_the_contents_to_a_notebook_on_to_the_next_and_back(page, address):
    page.set_viewport_size(PHONE)
    page.goto(address)
    assert page.evaluate(UNREACHED) == []
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="01").click()
    first = page.locator("section").nth(1)
    expect(first.get_by_role("heading").first).to_be_in_viewport()
    first.get_by_role("link", name="02").last.click()
    expect(page.locator("section").nth(2).get_by_role("heading").first).to_be_in_viewport()
    page.locator("section").nth(2).get_by_role("link", name="Contents").click()
    expect(page.get_by_role("navigation", name="Contents")).to_be_in_viewport()


def test_answers_and_hints_unfold_by_keyboard(page, address):
    page.goto(address)
    question = page.locator("section").nth(1).locator("details", has_text="Yes. ").first
    question.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(question.get_by_text("Yes. ")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_axe_finds_no_barrier(page, address, size):
    page.set_viewport_size(size)
    page.goto(address)
    open_all = "folds => folds.forEach(fold => { fold.removeAttribute('name'); fold.open = true })"
    page.locator("details").evaluate_all(open_all)
    contrast = ("color-contrast",) if size is PHONE else ()  # its colours are those of the laptop, and take the longest
    assert barriers(page, "html", without=contrast) == []
