import subprocess
from pathlib import Path

import pytest

from labkit.cli import main
from labkit.sandbox import process
from labkit.sandbox.kernel.home_lock import Holder
from labkit.sandbox.process import Kind


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("LABKIT_HOME", str(home))
    yield home
    process.stop(home)


def test_from_start_to_stop(home, capsys):
    assert main(["sandbox", "status"]) == 1
    assert "No sandbox runs" in capsys.readouterr().out
    assert main(["sandbox", "start", "--frozen-at", "2026-11-02T09:00:00Z", "--seed", "7", "--no-provision"]) == 0
    assert "The sandbox runs at http://127.0.0.1:" in capsys.readouterr().out
    assert main(["sandbox", "start"]) == 0
    assert "runs already" in capsys.readouterr().out
    assert main(["sandbox", "start", "--port", "1"]) == 1
    assert "the sandbox runs already, at port" in capsys.readouterr().err
    assert main(["sandbox", "status"]) == 0
    assert "Its time is 2026-11-02T09:00:00Z, standing still." in capsys.readouterr().out
    assert main(["sandbox", "reset"]) == 0
    assert main(["sandbox", "stop"]) == 0
    assert main(["sandbox", "stop"]) == 0
    assert "No sandbox was running." in capsys.readouterr().out


def test_env_gives_a_shell_all_that_a_client_needs(home, capsys, monkeypatch):
    main(["sandbox", "start", "--no-provision"])
    capsys.readouterr()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intranet.example.com,localhost")
    assert main(["sandbox", "env"]) == 0
    exports = capsys.readouterr().out
    shown = subprocess.run(
        ["sh", "-c", f"{exports}\nenv"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=True
    ).stdout
    values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    server = process.find(home)
    assert values["AWS_ENDPOINT_URL"] == server.endpoint
    assert values["AWS_SECRET_ACCESS_KEY"] == server.secret_access_key
    assert values["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert values["LABKIT_SANDBOX_TOKEN"] == server.token
    assert values["NO_PROXY"] == values["no_proxy"] == "intranet.example.com,localhost,127.0.0.1"


SAID = {
    Kind.NONE: (1, "No sandbox runs; `labkit sandbox start` starts it."),
    Kind.KILLED: (6, "No sandbox runs: the last one was killed or crashed."),
    Kind.STARTING: (3, "The sandbox is starting (process 12)."),
    Kind.REPLAYING: (3, "The sandbox is starting (process 12): 3 of 40 changes of its history are repeated."),
    Kind.ENDING: (3, "The sandbox is ending (process 12)."),
    Kind.BUSY: (4, "The sandbox at http://127.0.0.1:9 (process 12) runs but is slow to answer. Wait and try again"),
    Kind.SUSPENDED: (5, "The sandbox at http://127.0.0.1:9 (process 12) is suspended. `kill -CONT 12` lets it go on"),
}


@pytest.mark.parametrize("kind", SAID)
def test_status_tells_how_the_sandbox_is(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    server = process.Server("http://127.0.0.1:9", 9, 12, "key", "secret", "token")
    has_entry = kind in (Kind.REPLAYING, Kind.ENDING, Kind.BUSY, Kind.SUSPENDED)
    there = process.Presence(kind, Holder(12), server if has_entry else None, 3, 40)
    monkeypatch.setattr(process, "presence", lambda home: there)
    code, words = SAID[kind]
    assert main(["sandbox", "status"]) == code
    said = capsys.readouterr().out
    assert said.startswith(words)
    assert said.count("\n") == 1


def test_env_without_a_sandbox_says_how_to_start_one(home, capsys):
    assert main(["sandbox", "env"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "start it with `labkit sandbox start`" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["start", "--port", "70000"], "is no port: give a number from 1 to 65535"),
        (["start", "--frozen-at", "yesterday"], "is no moment: write one as 2026-11-02T09:00:00Z"),
        (["start", "--seed", "many"], "'many' is no seed"),
        (["halt"], "invalid choice"),
    ],
)
def test_a_malformed_call_is_refused_in_words(home, capsys, arguments, message):
    with pytest.raises(SystemExit) as raised:
        main(["sandbox", *arguments])
    assert raised.value.code == 2
    assert message in capsys.readouterr().err
    assert not Path(home).exists()
