"""The Web Server's shell: a few built-in commands, in sequence. Nothing is executed on the learner's machine.

`;`, `&&` and `||` work as in bash. There are no quotes, pipes, variables or redirections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HOST_NAME = "ip-10-0-1-10"
_NOT_FOUND, _WRONG_USE, _SYNTAX = 127, 1, 2
_OPERATORS = re.compile(r"(;|&&|\|\||\n)")


@dataclass
class Outcome:
    """The output and the exit status of a line of commands."""

    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    status: int = 0
    ended: bool = False
    """Whether the line ended the shell (`exit`, `logout`)."""


def run(line: str, user: str) -> Outcome:
    """Run a line as bash would; a blank line does nothing and succeeds.

    >>> run("whoami; hostname", "ec2-user").out
    ['ec2-user', 'ip-10-0-1-10']
    """
    parts = _OPERATORS.split(line)
    commands, operators = [part.strip() for part in parts[::2]], parts[1::2]
    if error := _syntax_error(commands, operators):
        return Outcome(err=[error], status=_SYNTAX)
    outcome = Outcome()
    for operator, command in zip([";", *operators], commands, strict=True):
        skipped = outcome.status != 0 if operator == "&&" else outcome.status == 0 and operator == "||"
        if command and not skipped and not outcome.ended:
            _run_one(command.split(), user, outcome)
    return outcome


def _syntax_error(commands: list[str], operators: list[str]) -> str | None:
    """Return bash's error for an operator without a command on a side where it needs one; None if there is none."""
    for number, operator in enumerate(operators):
        if operator != "\n" and not commands[number]:
            return f"-bash: syntax error near unexpected token `{operator}'"
        if operator in ("&&", "||") and not any(commands[number + 1 :]):
            return "-bash: syntax error: unexpected end of file"
    return None


def _run_one(words: list[str], user: str, outcome: Outcome) -> None:
    name, arguments = words[0], words[1:]
    answers = {"whoami": user, "hostname": HOST_NAME}
    if name in ("exit", "logout"):
        outcome.ended = True
        if arguments and re.fullmatch(r"\d{1,9}", arguments[0], re.ASCII):
            outcome.status = int(arguments[0]) % 256  # an exit status is one byte
        elif arguments:
            outcome.err.append(f"-bash: {name}: {arguments[0]}: numeric argument required")
            outcome.status = _SYNTAX
    elif name not in answers:
        outcome.err.append(f"-bash: {name}: command not found")
        outcome.status = _NOT_FOUND
    elif arguments:
        outcome.err.append(f"{name}: takes no arguments in the sandbox's shell")
        outcome.status = _WRONG_USE
    else:
        outcome.out.append(answers[name])
        outcome.status = 0
