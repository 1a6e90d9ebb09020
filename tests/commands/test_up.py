import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from labkit.commands import up
from labkit.lab.errors import LabError
from labkit.sandbox import process
from tests.conftest import lend


def test_a_free_port_is_chosen(monkeypatch):
    taken = {8888, 8889}
    monkeypatch.setattr(up, "_is_free", lambda port: port not in taken)
    assert up.choose_port(None) == 8890
    assert up.choose_port(9000) == 9000


def test_a_port_that_is_taken_is_refused_in_words(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(LabError, match="is taken by another program"):
        up.choose_port(other.getsockname()[1])
    monkeypatch.setattr(up, "_is_free", lambda port: False)
    with pytest.raises(LabError, match="8888 to 8937 are all taken"):
        up.choose_port(None)


BROWSERS = [
    ({}, "linux", False),
    ({"DISPLAY": ":0"}, "linux", True),
    ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
    ({"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, "darwin", False),
    ({"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22", "DISPLAY": "localhost:10"}, "linux", True),
    ({}, "darwin", True),
    ({}, "win32", True),
]


@pytest.mark.parametrize(("environment", "platform", "there"), BROWSERS)
def test_a_browser_is_opened_only_where_one_is_to_be_had(environment, platform, there):
    assert up.has_browser(environment, platform) is there


def test_jupyterlab_listens_on_this_machine_alone_and_asks_for_no_news():
    command = up.jupyter_command(8888)
    assert "--ip=127.0.0.1" in command
    overrides = json.loads((up.SETTINGS / "overrides.json").read_text())
    assert overrides["@jupyterlab/apputils-extension:notification"] == {"checkForUpdates": False, "fetchNews": "false"}
    assert not any("token" in part for part in command)


def test_the_lab_is_served_and_ends_when_told_to(running_server, tmp_path: Path, monkeypatch):
    lend(running_server, tmp_path)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    lab = subprocess.Popen(
        [Path(sys.executable).parent / "labkit", "up", "--no-browser"], stdout=subprocess.PIPE, text=True
    )
    try:
        said = "".join(lab.stdout.readline() for _ in range(3))
        url = said.split()[-1]
        assert "/lab/tree/notebooks/00_start_here.ipynb?token=" in url
        with urllib.request.urlopen(url, timeout=60) as page:
            assert page.status == 200
            assert "jupyter-config-data" in page.read().decode()
        base, token = url.split("/lab/")[0], url.rpartition("=")[2]
        with urllib.request.urlopen(f"{base}/api/contents/notebooks?token={token}&content=1", timeout=60) as listing:
            assert "00_start_here.ipynb" in listing.read().decode()
    finally:
        lab.send_signal(signal.SIGTERM)
        assert lab.wait(timeout=60) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(base, timeout=5)
    assert process.find(tmp_path) is not None


def test_jupyters_folders_are_the_users_unless_they_can_not_be_written(tmp_path: Path, monkeypatch):
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "lab"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert up.jupyter_folders() == {}
    (tmp_path / "user").touch()  # no folder: not even root can write there
    names = ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    assert up.jupyter_folders() == {name: str(tmp_path / "lab" / "jupyter" / name.lower()) for name in names}


def test_a_port_that_another_program_was_quicker_to_take_is_left_to_it(monkeypatch):
    free, started = {8888: False, 8889: True}, []
    monkeypatch.setattr(up, "choose_port", lambda wanted: 8888 + len(started))
    monkeypatch.setattr(up, "_is_free", free.__getitem__)
    monkeypatch.setattr(up.subprocess, "Popen", lambda command, **_: started.append(command) or command)
    assert [port for _, port in up.attempts(None, "token")] == [8888, 8889]
    assert "--port=8889" in started[1]


def test_an_answer_that_is_not_to_our_token_is_another_jupyterlabs(tmp_path: Path):
    """One that was started meanwhile has the port; ours has ended."""

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(403)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        ended = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"])
        assert up._answers(ended, stranger.server_port, "token") is False
        stranger.shutdown()


def test_the_kernels_channels_are_encrypted_and_nobody_is_warned_that_they_are_not():
    assert "--MappingKernelManager.transport_encryption=auto" in up.jupyter_command(8888)
    spec = json.loads((up.SETTINGS / "kernels" / "python3" / "kernel.json").read_text())
    assert spec["metadata"]["supported_encryption"] == ["curve"]
