"""`pytest --nbval notebooks`: each notebook is run alone, on a fresh sandbox that is frozen and seeded."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from labkit.book.workbook import Stage, stage


class NotebookStage:
    """Sets the stage before the first notebook's kernel starts, and clears it before each other's."""

    def __init__(self) -> None:
        self.closing = ExitStack()
        self.stage: Stage | None = None
        self.notebook: Path | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Acts when the first cell of a notebook is about to run."""
        if item.path.suffix != ".ipynb" or item.path == self.notebook:
            return
        if self.stage is None:
            self.stage = self.closing.enter_context(stage())
        else:
            self.stage.reset()
        self.notebook = item.path

    def pytest_sessionfinish(self) -> None:
        """The last notebook's sandbox ends with the session."""
        self.closing.close()


def pytest_configure(config: pytest.Config) -> None:
    """Adds the stage where notebooks are compared."""
    if config.getoption("--nbval", default=False):
        config.pluginmanager.register(NotebookStage())
