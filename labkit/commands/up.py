"""`labkit up`: the lab in the browser. Starts the sandbox and JupyterLab, opened on notebook 00."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib import request

from labkit.commands.sandbox import port_number
from labkit.lab.errors import LabError
from labkit.lab.settings import home, load, project_root

FIRST_PORT = 8888
PORTS_TO_TRY = 50
ATTEMPTS = 5
SECONDS_TO_START = 90
START_PAGE = "notebooks/00_start_here.ipynb"
SETTINGS = Path(__file__).parent.parent / "show" / "jupyterlab"
"""JupyterLab's settings for the lab: it asks for no news and looks for no updates, so it needs no network."""


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser("up", help="do the lab: the sandbox, and JupyterLab on notebook 00")
    parser.add_argument("--no-browser", action="store_true", help="only print the URL")
    parser.add_argument(
        "--port", type=port_number, metavar="N", help=f"JupyterLab's port; default: {FIRST_PORT}, or the next free"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the lab until it is interrupted."""
    from labkit.lab.cloud import open_cloud

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # JupyterLab ends with us, however we end
    open_cloud(load())
    token = secrets.token_urlsafe(24)
    process: subprocess.Popen[bytes] | None = None
    try:
        for process, port in attempts(options.port, token):
            if _answers(process, port, token):
                break
        else:
            raise LabError(f"JupyterLab did not start on port {port}: see above what it said, then run the same again.")
        url = f"http://127.0.0.1:{port}/lab/tree/{START_PAGE}?token={token}"
        print(f"The lab is open at\n\n    {url}\n\nCtrl-C ends it; the sandbox keeps what you did.", flush=True)
        if not options.no_browser and has_browser(os.environ):
            _open_browser(url)
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        if process:
            process.terminate()
            process.wait()


def attempts(wanted: int | None, token: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start JupyterLab on a port, and on another one if that port has been taken meanwhile."""
    for _ in range(ATTEMPTS):
        port = choose_port(wanted)
        process = subprocess.Popen(
            jupyter_command(port),
            cwd=project_root(),
            env={
                **os.environ,
                **jupyter_folders(),
                "JUPYTER_TOKEN": token,
                "LABKIT_HOME": str(home()),
                "JUPYTER_PATH": kernel_path(),
            },
        )
        yield process, port
        if _is_free(port):
            return  # the port was not the reason


def jupyter_command(port: int) -> list[str]:
    """Return the command that starts JupyterLab, on this machine's loopback address only."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={project_root()}", "--Application.log_level=ERROR"]
    command += [f"--LabApp.app_settings_dir={SETTINGS}", "--MappingKernelManager.transport_encryption=auto"]
    return command + ["--allow-root"] * (os.geteuid() == 0)


def jupyter_folders() -> dict[str, str]:
    """Return the variables that move Jupyter's folders under LABKIT_HOME if the user's own can't be written."""
    from jupyter_core import paths

    folders = {
        "JUPYTER_RUNTIME_DIR": paths.jupyter_runtime_dir(),
        "JUPYTER_CONFIG_DIR": paths.jupyter_config_dir(),
        "JUPYTER_DATA_DIR": paths.jupyter_data_dir(),
        "IPYTHONDIR": os.environ.get("IPYTHONDIR") or os.path.expanduser("~/.ipython"),
    }
    own = home() / "jupyter"
    return {name: str(own / name.lower()) for name, folder in folders.items() if not _can_be_written(Path(folder))}


def _can_be_written(folder: Path) -> bool:
    """Return whether files can be made in a folder, which need not exist yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def kernel_path() -> str:
    """Return where Jupyter looks first for kernels: the lab's own shows an error as a sentence."""
    return os.pathsep.join(filter(None, (str(SETTINGS), os.environ.get("JUPYTER_PATH"))))


def choose_port(wanted: int | None) -> int:
    """Return the requested port, or the first free one; raise if the requested port is taken."""
    if wanted is not None:
        if not _is_free(wanted):
            raise LabError(f"Port {wanted} is taken by another program; choose another with --port, or leave it out.")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TO_TRY):
        if _is_free(port):
            return port
    raise LabError(f"The ports {FIRST_PORT} to {FIRST_PORT + PORTS_TO_TRY - 1} are all taken; choose one with --port.")


def has_browser(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Return whether a browser window can be opened; over SSH, or without a desktop, `up` prints the URL only."""
    if environment.get("SSH_CONNECTION") and not environment.get("DISPLAY"):
        return False
    return platform in {"darwin", "win32"} or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    import webbrowser

    webbrowser.open(url)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(process: subprocess.Popen[bytes], port: int, token: str) -> bool:
    """Wait until JupyterLab answers to our token; return False if it ends. Another server would refuse the token."""
    opener = request.build_opener(request.ProxyHandler({}))
    status = request.Request(f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"token {token}"})
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        try:
            opener.open(status, timeout=5).close()
            return True
        except OSError:
            time.sleep(0.2)
    raise LabError(
        f"JupyterLab did not answer within {SECONDS_TO_START} s: see above what it said, then run the same again."
    )
