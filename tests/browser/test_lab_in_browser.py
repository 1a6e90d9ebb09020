"""What a learner meets on the first page."""

import pytest
from playwright.sync_api import Page, expect


def open_notebook(page: Page, url: str, name: str = "00_start_here") -> None:
    page.goto(url.replace("00_start_here", name) + "&reset")  # not as the page before left it
    expect(page.locator(".jp-Notebook .jp-Cell:visible").first).to_be_visible()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()


def run_all(page: Page) -> None:
    """Runs every cell, and waits until the last code cell has its number."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    expect(page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(0)


def scroll_to(page: Page, heading: str) -> None:
    """Scrolls the notebook until a heading shows: cells out of sight are not on the page."""
    page.mouse.move(800, 600)
    for step in [-100_000] + [350] * 60:
        page.mouse.wheel(0, step)
        page.wait_for_timeout(50)
        if page.get_by_role("heading", name=heading).is_visible():
            page.mouse.wheel(0, 300)
            return
    pytest.fail(f"no heading {heading!r} on the page")


@pytest.fixture
def start_page(page, lab_url) -> Page:
    open_notebook(page, lab_url)
    run_all(page)
    return page


def test_notebook_00_runs_without_an_error(start_page):
    expect(start_page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)


def test_the_form_refuses_what_can_not_be_right_beside_its_field(start_page):
    scroll_to(start_page, "Your settings")
    bucket, email = start_page.get_by_label("Bucket"), start_page.get_by_label("E-mail")
    email.fill("not-an-address")
    email.press("Tab")
    expect(start_page.get_by_text("'not-an-address' has no @")).to_be_visible()
    bucket.fill("My_Bucket")
    bucket.press("Tab")
    expect(start_page.get_by_text("a bucket's name has only small letters")).to_be_visible()
    email.fill("someone@example.org")
    email.press("Tab")
    expect(start_page.get_by_text("'not-an-address' has no @")).to_be_hidden()
