import subprocess
import sys

PROGRAM = """
import sys, threading
from pathlib import Path
from labkit.sandbox.kernel.ending import End
end = End(Path(sys.argv[1]))
waiting = threading.Thread(target=end.wait)
waiting.start()
while not end._serving:
    pass
print("serving", flush=True)
waiting.join()
print("closing", flush=True)
threading.Event().wait()
"""


def test_the_first_signal_lets_work_end_and_the_second_ends_the_process(tmp_path):
    (tmp_path / "server.json").touch()
    (tmp_path / "scratch").mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for said in ("serving", "closing"):
            assert process.stdout.readline().strip() == said
            assert process.poll() is None
            process.terminate()
        assert process.wait() == 0
    assert list(tmp_path.iterdir()) == []
