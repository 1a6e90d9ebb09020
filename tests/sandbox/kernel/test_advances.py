"""Time that is moved on in steps: others are answered meanwhile, it can be stopped, and nothing of it is lost."""

import socket
import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from werkzeug.test import Client

from labkit.phases import flow_log_to_cloudwatch, flow_log_to_s3
from labkit.sandbox.host import Host
from labkit.sandbox.kernel.fair_lock import FairLock
from tests.sandbox.in_process import BARE, CONTROL_HEADERS, open_host, open_lab
from tests.sandbox.seen import Viewer
from tests.sandbox.test_replay import snapshot

MINUTES_OF_EVENTS = 10


@pytest.fixture(autouse=True)
def _a_step_a_moment(monkeypatch):
    """Steps that are over with the first moment of virtual time, whatever the machine's speed."""
    monkeypatch.setattr("labkit.sandbox.kernel.advances.STEP_SECONDS", 0)
    monkeypatch.setattr("labkit.sandbox.host.STEP_SECONDS", 0)


def ask(host: Host, method: str, path: str, body: Any = None, **options: Any) -> Any:
    answer = Client(host).open(f"/_sandbox{path}", method=method, json=body, headers=CONTROL_HEADERS, **options)
    assert answer.status_code == 200, answer.text
    return answer.json


def at_minute(host: Host, minute: int, action: Any = lambda: None) -> None:
    clock = host.sandbox.clock
    clock.call_at(clock.timestamp() + 60 * minute, action, name=f"minute {minute}")


def busy(host: Host) -> None:
    """Something due every minute, so that an advance has steps."""
    for minute in range(1, MINUTES_OF_EVENTS + 1):
        at_minute(host, minute)


def advance(host: Host, seconds: float = 600, **options: Any) -> Any:
    return ask(host, "POST", "/clock/advance", {"seconds": seconds}, **options)


def _start(thread: threading.Thread, lock: FairLock) -> None:
    """Starts a thread, and waits until it stands in the queue for a lock."""
    thread.start()
    while not lock._waiting:
        pass


def test_an_advance_that_is_stopped_ends_at_the_moment_it_has_reached(host):
    busy(host)
    at_minute(host, 3, partial(host.advances.stop))
    assert advance(host) == {"now": "2026-11-02T09:03:00Z", "frozen": True, "stopped": True}
    assert ask(host, "GET", "/clock") == {"now": "2026-11-02T09:03:00Z", "frozen": True}
    assert advance(host, 60) == {"now": "2026-11-02T09:04:00Z", "frozen": True}


def test_a_client_that_hangs_up_has_stopped_its_advance(host):
    busy(host)
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        stopped = advance(host, environ_overrides={"werkzeug.socket": ours})
    assert stopped == {"now": "2026-11-02T09:01:00Z", "frozen": True, "stopped": True}


def test_a_client_that_waits_gets_all_of_its_advance(host):
    busy(host)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert advance(host, environ_overrides={"werkzeug.socket": ours})["now"] == "2026-11-02T09:10:00Z"


def test_to_stop_is_no_error_where_nothing_moves(host):
    assert ask(host, "POST", "/clock/stop", {}) == {"now": "2026-11-02T09:00:00Z", "frozen": True}


def test_others_are_answered_on_the_way_and_see_how_far_it_is(host):
    busy(host)
    told: dict[str, Any] = {}
    reader = threading.Thread(target=lambda: told.update(ask(host, "GET", "/clock")))
    at_minute(host, 3, lambda: _start(reader, host._lock))
    assert advance(host)["now"] == "2026-11-02T09:10:00Z"
    reader.join()
    assert told == {"now": "2026-11-02T09:03:00Z", "frozen": True, "advancing_to": "2026-11-02T09:10:00Z"}


def test_health_answers_while_the_lock_is_held_and_tells_what_keeps_the_sandbox_busy(host):
    busy(host)
    told: dict[str, Any] = {}

    def look() -> None:
        asker = threading.Thread(target=lambda: told.update(ask(host, "GET", "/health")))
        asker.start()
        asker.join(timeout=60)

    at_minute(host, 3, look)
    advance(host)
    assert told == {
        "status": "ok",
        "endpoint": host.sandbox.endpoint,
        "busy": "advancing the clock",
        "now": "2026-11-02T09:03:00Z",
        "advancing_to": "2026-11-02T09:10:00Z",
        "share": 0.3,
    }
    assert ask(host, "GET", "/health") == {"status": "ok", "endpoint": host.sandbox.endpoint}


def test_a_second_advance_waits_for_the_first_and_goes_on_from_there(host):
    busy(host)
    told: dict[str, Any] = {}
    second = threading.Thread(target=lambda: told.update(advance(host)))
    at_minute(host, 3, lambda: _start(second, host.advances._turn))
    assert advance(host)["now"] == "2026-11-02T09:10:00Z"
    second.join()
    assert told == {"now": "2026-11-02T09:20:00Z", "frozen": True}


def test_a_sandbox_that_is_killed_on_the_way_comes_back_at_the_moment_reached(tmp_path):
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        busy(host)
        at_minute(host, 3, lambda: snapshot(tmp_path / "journal.sqlite", tmp_path / "killed.sqlite"))
        advance(host)
    with closing(open_host(tmp_path / "killed.sqlite", BARE)) as again:
        assert ask(again, "GET", "/clock")["now"] == "2026-11-02T09:02:00Z"


def test_a_reset_on_the_way_ends_the_advance(host):
    busy(host)
    other = threading.Thread(target=host.reset)
    at_minute(host, 3, lambda: _start(other, host._lock))
    assert advance(host)["stopped"] is True
    other.join()
    assert ask(host, "GET", "/clock") == {"now": "2026-11-02T09:00:00Z", "frozen": True}


def test_one_long_advance_and_several_short_ones_come_to_the_same(tmp_path):
    views = []
    for name, times in (("one", 1), ("several", 10)):
        (tmp_path / name).mkdir()
        with open_lab(tmp_path / name) as lab:
            flow_log_to_s3.solve(lab)
            flow_log_to_cloudwatch.solve(lab)
            host = lab.cloud.host
            stop = threading.Event()
            reader = threading.Thread(target=lambda host=host, stop=stop: _look_on(host, stop))
            reader.start()
            for _ in range(times):
                advance(host, 1200 / times)
            stop.set()
            reader.join()
            views.append(Viewer(host).view())
    assert views[0] == views[1]


def _look_on(host: Host, stop: threading.Event) -> None:
    while not stop.is_set():
        ask(host, "GET", "/clock")


def test_a_clock_that_follows_catches_up_after_a_sleep_in_steps(monkeypatch, tmp_path):
    real = [100.0]
    monkeypatch.setattr("labkit.sandbox.clock.time.monotonic", lambda: real[0])
    with closing(open_host(tmp_path / "journal.sqlite", replace(BARE, frozen=False))) as host:
        busy(host)
        real[0] += 8 * 3600
        assert ask(host, "GET", "/clock")["now"] == "2026-11-02T09:01:00Z"
        assert advance(host, 60)["now"] == "2026-11-02T17:01:00Z"
        busy(host)
        real[0] += 3600
        host.tick()
        assert ask(host, "GET", "/clock")["now"] == "2026-11-02T18:01:00Z"
