from labkit.sandbox.kernel import waiting
from labkit.sandbox.kernel.home_lock import Holder
from labkit.sandbox.kernel.presence import Kind, Presence
from labkit.sandbox.kernel.waiting import Shown


def replaying(done):
    return Presence(Kind.REPLAYING, Holder(12), None, done, 40)


def test_a_log_gets_one_line(capsys, monkeypatch):
    monkeypatch.setattr(waiting, "SECONDS_OF_SILENCE", 0)
    with Shown() as shown:
        for there in (Presence(Kind.STARTING), replaying(3), replaying(4), Presence(Kind.READY)):
            shown(there)
    said = "The sandbox is starting (process 12): 3 of 40 changes of its history are repeated.\n"
    assert capsys.readouterr().err == said


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(waiting, "SECONDS_OF_SILENCE", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Shown() as shown:
        shown(replaying(3))
        shown(replaying(4))
    assert "4/40" in capsys.readouterr().err


def test_a_quick_start_is_not_talked_about(capsys):
    with Shown() as shown:
        shown(replaying(3))
    assert capsys.readouterr().err == ""
