"""The lab in a real browser: Chromium, headless, on the JupyterLab that `labkit up` serves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from labkit.sandbox import process
from tests.browser.jupyter import LAPTOP, Jupyter, Listener

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Root may run it, and it asks nobody outside for anything."""
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}
"""All cells are on the page, also those out of sight; and the notebooks in the working tree stay as they are."""
SERVER = {"KernelManager": {"shutdown_wait_time": 0.0}, "LabApp": {"expose_app_in_browser": True}}
"""A kernel whose notebook was left is ended at once, without its goodbye; a test can open a notebook by name."""
MINUTES = 60_000


@pytest.fixture(scope="session")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL that `labkit up` prints, for a learner whose sandbox is frozen and seeded."""
    folder = Path(tmp_path_factory.mktemp("browser"))
    home = folder / "home"
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_lab_config.json").write_text(json.dumps(SERVER))
    process.start(home, frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC), seed=7)
    serving = subprocess.Popen(
        [sys.executable, "-m", "labkit", "up", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "LABKIT_HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
        },
    )
    try:
        for line in serving.stdout or ():
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+", line):
                yield found[0]
                break
        else:
            pytest.fail("labkit up printed no URL")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(timeout=60)
        process.stop(home)


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserContext]:
    """A browser of the machine's own; what one page has fetched, the next one needn't."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install it to have the lab tried in a real browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running.new_context(viewport=LAPTOP)
        running.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A page as wide as a laptop's screen; a test in which something went wrong unseen fails."""
    listener = Listener()
    page = new_page(browser, listener)
    yield page
    page.close()
    assert listener.heard == []


@pytest.fixture(scope="module")
def opened(browser: BrowserContext, lab_url: str) -> Iterator[Jupyter]:
    """JupyterLab in a page, which takes seconds to load: once for the tests of a file, and closed after them."""
    listener = Listener()
    page = new_page(browser, listener)
    page.goto(lab_url + "&reset")
    jupyter = Jupyter(page, listener)
    jupyter.wait_for_notebook()
    yield jupyter
    jupyter.leave_notebooks()
    page.close()


@pytest.fixture
def jupyter(opened: Jupyter) -> Iterator[Jupyter]:
    """JupyterLab, no notebook open; a test in which something went wrong unseen fails."""
    opened.leave_notebooks()
    yield opened
    heard = opened.listener.take()
    assert heard == []


def new_page(browser: BrowserContext, listener: Listener) -> Page:
    """A page that is listened to."""
    page = browser.new_page()
    page.set_default_timeout(1.5 * MINUTES)
    expect.set_options(timeout=1.5 * MINUTES)
    listener.listen_to(page)
    return page
