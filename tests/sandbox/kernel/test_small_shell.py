"""The Web Server's shell, held against what bash does."""

import pytest

from labkit.sandbox.kernel.small_shell import run

HOST = "ip-10-0-1-10"
CASES = [
    ("whoami", ["me"], [], 0),
    ("whoami; hostname", ["me", HOST], [], 0),
    ("whoami;hostname;", ["me", HOST], [], 0),
    ("whoami\nhostname\n", ["me", HOST], [], 0),
    ("whoami && hostname", ["me", HOST], [], 0),
    ("whoami || hostname", ["me"], [], 0),
    ("nmap && whoami", [], ["-bash: nmap: command not found"], 127),
    ("nmap || whoami", ["me"], ["-bash: nmap: command not found"], 0),
    ("nmap && whoami || hostname", [HOST], ["-bash: nmap: command not found"], 0),
    ("whoami || nmap && hostname", ["me", HOST], [], 0),
    ("nmap; whoami", ["me"], ["-bash: nmap: command not found"], 0),
    ("", [], [], 0),
    (" \t ", [], [], 0),
    ("\n\n", [], [], 0),
    (";", [], ["-bash: syntax error near unexpected token `;'"], 2),
    ("whoami ;; hostname", [], ["-bash: syntax error near unexpected token `;'"], 2),
    ("&& whoami", [], ["-bash: syntax error near unexpected token `&&'"], 2),
    ("whoami &&", [], ["-bash: syntax error: unexpected end of file"], 2),
    ("exit 3; whoami", [], [], 3),
    ("exit 256", [], [], 0),
    ("exit x", [], ["-bash: exit: x: numeric argument required"], 2),
    ("nmap; exit", [], ["-bash: nmap: command not found"], 127),
    ("whoami $(reboot)", [], ["whoami: takes no arguments in the sandbox's shell"], 1),
    ("/bin/sh -c 'whoami'", [], ["-bash: /bin/sh: command not found"], 127),
]


@pytest.mark.parametrize(("line", "out", "err", "status"), CASES, ids=[repr(case[0]) for case in CASES])
def test_a_line_of_commands(line, out, err, status):
    outcome = run(line, "me")
    assert (outcome.out, outcome.err, outcome.status) == (out, err, status)


def test_only_exit_and_logout_end_the_shell():
    assert [run(line, "me").ended for line in ("exit", "logout", "whoami; exit", "nmap && exit", "whoami")] == [
        True, True, True, False, False,
    ]  # fmt: skip
