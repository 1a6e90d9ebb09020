import subprocess
from pathlib import Path

import pytest

from labkit.cli import main
from labkit.sandbox import process


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
    assert main(["sandbox", "status"]) == 0
    assert "Its time is 2026-11-02T09:00:00Z, standing still." in capsys.readouterr().out
    assert main(["sandbox", "reset"]) == 0
    assert main(["sandbox", "stop"]) == 0
    assert main(["sandbox", "stop"]) == 0
    assert "No sandbox was running." in capsys.readouterr().out


def test_env_gives_a_shell_all_that_a_client_needs(home, capsys):
    main(["sandbox", "start", "--no-provision"])
    capsys.readouterr()
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
