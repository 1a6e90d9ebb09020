import multiprocessing
import os
import subprocess
import sys

import psutil
import pytest

from labkit.sandbox.kernel.home_lock import Holder, HomeLock, holder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "server.lock"


def test_one_holds_it_and_is_known(path):
    assert holder(path) is None
    lock = HomeLock.take(path)
    assert holder(path) == Holder(os.getpid())
    assert HomeLock.take(path) is None
    assert holder(path) == Holder(os.getpid())
    lock.release()
    assert holder(path) is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_killed_process_holds_it_no_more_and_a_child_never_did(path):
    program = (
        "import subprocess, sys; from pathlib import Path; from labkit.sandbox.kernel.home_lock import HomeLock\n"
        "lock = HomeLock.take(Path(sys.argv[1]))\n"
        "child = subprocess.Popen(['cat'], stdin=sys.stdin, close_fds=False)\n"
        "print(child.pid, flush=True); child.wait()"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        assert holder(path) == Holder(process.pid)
        process.kill()
        process.wait()
        assert psutil.pid_exists(child)
        assert holder(path) is None


def test_a_forked_child_lets_go_of_it_and_does_not_end_it(path):
    lock = HomeLock.take(path)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=lambda: (theirs.send("there"), theirs.recv()), daemon=True)
    child.start()
    assert ours.recv() == "there"
    assert holder(path) == Holder(os.getpid())
    lock.release()
    assert child.is_alive()
    assert holder(path) is None
    ours.send("end")
    child.join()


def test_a_process_that_only_has_the_id_is_not_taken_for_the_holder(path):
    lock = HomeLock.take(path)
    path.write_text(str(os.getppid()))
    assert holder(path) == Holder(None)
    path.write_text("")
    assert holder(path) == Holder(None)
    lock.release()


def test_a_lock_whose_file_was_deleted_or_replaced_is_gone(path):
    lock = HomeLock.take(path)
    assert not lock.is_gone()
    path.unlink()
    assert lock.is_gone()
    path.touch()
    assert lock.is_gone()
    lock.release()
