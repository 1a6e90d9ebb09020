from collections.abc import Callable, Iterator
from typing import Any

import pytest

from labkit.lab import session
from labkit.lab.cloud import SandboxCloud
from labkit.lab.settings import Settings
from labkit.notebook import Lab
from labkit.sandbox.process import Server


@pytest.fixture(scope="module")
def lab(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab on the shared sandbox, started anew for the module: its tests tell one story, in their order."""
    running_server.control("POST", "/faults", {"faults": []})
    running_server.control("POST", "/reset", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(tmp_path_factory.mktemp("lab")))
        patch.delenv("LABKIT_CLOUD", raising=False)
        lab = Lab(Settings(), SandboxCloud(running_server))
        patch.setattr(session.Lab, "last_opened", lab)
        yield lab


@pytest.fixture(scope="module")
def let_pass(running_server: Server) -> Callable[[float], Any]:
    """Lets minutes of the sandbox's time go by, with what falls due in them: `let_pass(15)` brings a delivery."""
    return lambda minutes: running_server.control("POST", "/clock/advance", {"seconds": 60 * minutes})
