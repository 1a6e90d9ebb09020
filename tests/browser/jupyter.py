"""What a learner does in JupyterLab, and what a page says while nobody looks."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page, WebSocket, expect

KERNEL_ERROR = re.compile(rb'"msg_type":\s*"error"')
RUN_IS_OVER = """count => {
    const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
    const numbered = prompts.filter(prompt => /\\d/.test(prompt.textContent)).length;
    return numbered === count || document.querySelector('[data-mime-type="application/vnd.jupyter.error"]') !== null;
}"""
IMAGES = """images => images.map(image => ({
    words: image.alt, drawn: image.complete && image.naturalWidth > 0, width: image.getBoundingClientRect().width,
}))"""


@dataclass
class Listener:
    """Errors of the page's console, of its scripts, and of the kernel: a widget's callback fails nowhere else."""

    heard: list[str] = field(default_factory=list)
    channels: list[WebSocket] = field(default_factory=list)

    def listen_to(self, page: Page) -> None:
        """From now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"script: {error}"))
        page.on("websocket", self._channel)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.heard.append(f"console: {message.text} ({message.location.get('url')})")

    def _channel(self, socket: WebSocket) -> None:
        self.channels.append(socket)
        socket.on(
            "framereceived", lambda payload: is_kernel_error(payload) and self.heard.append(f"kernel: {payload!r}")
        )


def is_kernel_error(payload: bytes | str) -> bool:
    """Whether a frame of the kernel's channel says that something was raised."""
    return bool(KERNEL_ERROR.search(payload if isinstance(payload, bytes) else payload.encode()))


@dataclass(frozen=True)
class Jupyter:
    """JupyterLab as `labkit up` serves it, in a page."""

    page: Page
    url: str
    """Of notebook 00, the token included."""

    def open(self, name: str) -> None:
        """Opens a notebook with a kernel of its own; those of the pages before have ended."""
        self._end_kernels()
        self.page.goto(self.url.replace("00_start_here", name) + "&reset")  # not as the page before left it
        expect(self.page.locator(".jp-Notebook .jp-Cell:visible").first).to_be_visible()
        expect(self.page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()

    def run_all(self) -> None:
        """Runs every cell, and waits until each has its number or one has failed."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.page.wait_for_function(RUN_IS_OVER, arg=self.code_cells().count())

    def run(self, *sources: str) -> None:
        """Runs the cells in which these words stand, one after the other."""
        for source in sources:
            prompt = self.code_cells(source).first.locator(".jp-InputPrompt")
            prompt.click()
            self.page.keyboard.press("Control+Enter")
            expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))

    def code_cells(self, source: str = "") -> Locator:
        """The cells of code in which these words stand."""
        editors = self.page.locator(".jp-InputArea-editor", has_text=source)
        return self.page.locator(".jp-Notebook .jp-CodeCell").filter(has=editors)

    def output_of(self, source: str) -> Locator:
        """What the cell in which these words stand shows."""
        return self.code_cells(source).first.locator(".jp-OutputArea")

    def failures(self) -> list[str]:
        """The errors that cells show."""
        return self.page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()

    def images(self) -> list[dict[str, Any]]:
        """Every image of the notebook: its words, whether it is drawn, and how wide."""
        found: list[dict[str, Any]] = self.page.locator(".jp-Notebook img").evaluate_all(IMAGES)
        return found

    def lay_out(self) -> None:
        """Makes the window as high as the notebook: axe-core looks at nothing that is scrolled or cut away."""
        height = self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
        self.page.set_viewport_size({"width": 1400, "height": height + 300})
        self.page.evaluate("""() => {
            document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0;
            for (const root of [document.documentElement, document.body]) root.style.height = '100%';
        }""")

    def _end_kernels(self) -> None:
        base, token = self.url.partition("/lab/tree/")[0], self.url.partition("token=")[2]
        headers = {"Authorization": f"token {token}"}
        listing = urllib.request.Request(f"{base}/api/sessions", headers=headers)
        with urllib.request.urlopen(listing, timeout=60) as answer:
            sessions = json.load(answer)
        for session in sessions:
            ended = urllib.request.Request(f"{base}/api/sessions/{session['id']}", headers=headers, method="DELETE")
            urllib.request.urlopen(ended, timeout=60).close()


def barriers(page: Page, within: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds serious or critical in these parts of a page: rule, what it asks for, and the first place."""
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in without}}
    found = Axe().run(page, context={"include": [[within]]}, options=options).response["violations"]
    return [
        f"{each['id']} ({each['impact']}), {len(each['nodes'])} times: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
