"""What a learner does in JupyterLab, and what a page says while nobody looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page, ViewportSize, WebSocket, expect

OF_A_KERNEL_THAT_ENDED = "Could not restore the debugger state: Canceled future"
"""JupyterLab's complaint where a notebook was left while its debugger was still being set up."""
KERNEL_ERROR = re.compile(rb'"msg_type":\s*"error"')
RUN_IS_OVER = """count => {
    const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
    const numbered = prompts.filter(prompt => /\\d/.test(prompt.textContent)).length;
    return numbered === count || document.querySelector('[data-mime-type="application/vnd.jupyter.error"]') !== null;
}"""
OPEN = "path => jupyterapp.commands.execute('docmanager:open', {path})"
LEAVE = """async () => {
    for (const widget of [...jupyterapp.shell.widgets('main')]) {
        if (widget.context) widget.context.model.dirty = false;  // or it asks whether to save
        widget.close();
    }
    await jupyterapp.serviceManager.sessions.shutdownAll();
}"""
LAPTOP: ViewportSize = {"width": 1400, "height": 1000}
IMAGES = """images => images.map(image => ({
    words: image.alt, drawn: image.complete && image.naturalWidth > 0, width: image.getBoundingClientRect().width,
}))"""


@dataclass
class Listener:
    """Errors of the page's console, of its scripts, and of the kernel: a widget's callback fails nowhere else."""

    heard: list[str] = field(default_factory=list)
    channels: list[WebSocket] = field(default_factory=list)

    def take(self) -> list[str]:
        """What was heard up to now; it is forgotten."""
        heard, self.heard = self.heard, []
        return heard

    def listen_to(self, page: Page) -> None:
        """From now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"script: {error}"))
        page.on("websocket", self._channel)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(OF_A_KERNEL_THAT_ENDED):
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
    listener: Listener

    def open(self, name: str) -> None:
        """Opens a notebook with a kernel of its own."""
        self.page.evaluate(OPEN, f"notebooks/{name}.ipynb")
        self.wait_for_notebook()

    def wait_for_notebook(self) -> None:
        """Waits until a notebook is to be seen and its kernel is ready."""
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

    def leave_notebooks(self) -> None:
        """Closes every notebook as it lies on the disk, and ends its kernel; the window is a laptop's screen again."""
        self.page.set_viewport_size(LAPTOP)
        self.page.evaluate(LEAVE)


def barriers(page: Page, within: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds serious or critical in these parts of a page: rule, what it asks for, and the first place."""
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in without}}
    found = Axe().run(page, context={"include": [[within]]}, options=options).response["violations"]
    return [
        f"{each['id']} ({each['impact']}), {len(each['nodes'])} times: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
