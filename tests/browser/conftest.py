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
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect, sync_playwright

from labkit.sandbox import process
from tests.browser.jupyter import Jupyter, Listener

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
SERVER = {"KernelManager": {"shutdown_wait_time": 0.0}}
"""A kernel whose notebook was left is ended at once: nothing waits for its goodbye."""
MINUTES = 60_000
LAPTOP: ViewportSize = {"width": 1400, "height": 1000}


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
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(SERVER))
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
def listener() -> Iterator[Listener]:
    """Hears what goes wrong unseen; a test at whose end something was heard fails."""
    listener = Listener()
    yield listener
    assert listener.heard == []


@pytest.fixture
def page(browser: BrowserContext, listener: Listener) -> Iterator[Page]:
    """A page as wide as a laptop's screen."""
    page = browser.new_page()
    page.set_default_timeout(1.5 * MINUTES)
    expect.set_options(timeout=1.5 * MINUTES)
    listener.listen_to(page)
    yield page
    page.close()


@pytest.fixture
def jupyter(page: Page, lab_url: str) -> Jupyter:
    """JupyterLab in a page."""
    return Jupyter(page, lab_url)
