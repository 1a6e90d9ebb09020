"""Takes a picture of every notebook, as JupyterLab shows it with its committed outputs, into docs/images/.

It needs Chromium, and leaves no trace: the lab runs in a home of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).parents[1]
IMAGES = PROJECT / "docs" / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
HEADINGS = {
    "00_start_here": "Your settings",
    "03_generate_traffic": "Step 2: take the access away",
    "05_alarm": "Step 5: read the mail",
    "06_logs_insights": "Step 2",
    "09_investigation": "Step 3: who was only knocking?",
    "10_clean_up": "Step 4: the proof",
    "08_rejects_by_source_port_weekday": "Step 5: at which hours?",
}
"""The part of a notebook that its picture shows; the top where none is named."""


def main() -> int:
    """Serve the lab, and take the pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium on this machine; install it, and run this again", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        serving = subprocess.Popen(
            [sys.executable, "-m", "labkit", "up", "--no-browser"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LABKIT_HOME": home},
        )
        try:
            url = next(found[0] for line in serving.stdout or () if (found := re.search(r"http://\S+", line)))
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            for notebook in sorted((PROJECT / "notebooks").glob("*.ipynb")):
                end_kernels(page, url)
                take(page, url, notebook.stem)
            browser.close()
        finally:
            serving.send_signal(signal.SIGINT)
            serving.wait(timeout=60)
            subprocess.run([sys.executable, "-m", "labkit", "sandbox", "stop"], env={**os.environ, "LABKIT_HOME": home})
    return 0


def take(page: Page, url: str, name: str) -> None:
    """The picture of one notebook."""
    page.goto(url.replace("00_start_here", name) + "&reset")  # without the notebooks of the pictures before
    page.locator(".jp-Notebook .jp-Cell:visible").first.wait_for(timeout=90_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    page.keyboard.press("Control+b")  # without the list of files
    if HEADINGS.get(name):
        scroll_to(page, HEADINGS[name])
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


def end_kernels(page: Page, url: str) -> None:
    """End the kernels of the pictures before: eleven at once are more than some machines have memory for."""
    sessions = f"{url.partition('/lab/')[0]}/api/sessions"
    headers = {"Authorization": f"token {url.rpartition('token=')[2]}"}
    for session in page.request.get(sessions, headers=headers).json():
        page.request.delete(f"{sessions}/{session['id']}", headers=headers)


def scroll_to(page: Page, heading: str) -> None:
    """Scroll until the heading is at the top: what is out of sight is not on the page."""
    page.mouse.move(600, 500)
    for _ in range(80):
        place = page.get_by_role("heading", name=heading)
        if place.count() and (box := place.first.bounding_box()) and box["y"] < 200:
            return
        page.mouse.wheel(0, 250)
        page.wait_for_timeout(60)


if __name__ == "__main__":
    sys.exit(main())
