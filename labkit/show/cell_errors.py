"""What a cell shows when it fails: one sentence on what went wrong, the next step, and the traceback folded away.

`labkit up` loads this as an IPython extension with each kernel, so that even a cell that is run before the notebook's
first one ends in a sentence; elsewhere opening the lab installs it.
"""

from __future__ import annotations

import difflib
import re
import sys
from typing import Any

from labkit.lab.errors import LabError
from labkit.lab.masking import masked
from labkit.show.html import folded, tag

RUN_ABOVE = "A cell above was not run: choose Run → Run All Above Selected Cell, then run this cell again."
COMPARE = "Compare the cell with the text above it; the folded traceback names the line."
NO_MODULE = "This kernel isn't the lab's: start with `make lab`, or choose the Python of .venv as the kernel."
QUERY = "Look at the place that the message names, and compare with the query above; the cheat sheet has the forms."
NO_TABLE = (
    "Compare the table's name with the text above. If it is right, the table isn't made yet, or in another region: run "
    "the notebook's lab.catch_up(...) cell, then this one."
)
LOOK = "Look what there is: `list(...)` of a dictionary, `.columns` of a DataFrame."
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_WRAPPED = "white-space:pre-wrap;overflow-wrap:anywhere"


def load_ipython_extension(shell: Any) -> None:
    """Show errors of the shell's cells as sentences; IPython calls this for `--ext` and `%load_ext`."""
    shell.set_custom_exc((Exception,), _show)


def explain_in_cells() -> None:
    """Show errors as sentences in the current notebook, if there is one."""
    if "IPython" not in sys.modules:  # no notebook, and an import that takes its time
        return
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        load_ipython_extension(shell)


def lines(failure: BaseException, known_names: list[str] | None = None) -> list[str]:
    """Say what went wrong, and what to do next; `known_names` are the names defined in the notebook so far."""
    if isinstance(failure, LabError):  # its message says both
        return [masked(f"{type(failure).__name__}: {failure}")]
    if "botocore" in sys.modules:  # without it nothing of AWS was asked
        from labkit.show.explain import explanation, is_known

        if is_known(failure):
            return explanation(failure)
    return [masked(_sentence(failure)), f"Next: {_step(failure, known_names or [])}"]


def _sentence(failure: BaseException) -> str:
    name = type(failure).__name__
    if type(failure).__module__.startswith("pyathena."):
        return f"Athena refused the query ({name}): {failure}"
    return f"{name}: {failure}" if str(failure) else f"{name}, without a word of explanation"


def _step(failure: BaseException, known_names: list[str]) -> str:
    if isinstance(failure, NameError):
        near = difflib.get_close_matches(str(failure.name), known_names, n=1)
        return f"Did you mean {near[0]}? If not: {RUN_ABOVE[0].lower()}{RUN_ABOVE[1:]}" if near else RUN_ABOVE
    if isinstance(failure, ModuleNotFoundError):
        return NO_MODULE
    if type(failure).__module__.startswith("pyathena."):
        return NO_TABLE if re.search("(?i)table(_| )not(_| )found", str(failure)) else QUERY
    return LOOK if isinstance(failure, KeyError) else COMPARE


def _show(shell: Any, kind: type, failure: Exception, traceback: Any, tb_offset: int | None = None) -> list[str]:
    """Show the error of a failed cell; IPython calls this handler."""
    from IPython.display import display

    names = [name for name in shell.user_ns if not name.startswith("_")]
    said = lines(failure, names)
    whole = shell.InteractiveTB.structured_traceback(kind, failure, traceback, tb_offset=tb_offset)
    text = masked(_ANSI.sub("", shell.InteractiveTB.stb2text(whole)))
    page = folded("The whole traceback", tag("pre", text, style=_WRAPPED))
    shell._showtraceback(kind, failure, said)
    display({"text/plain": "(%tb shows the whole traceback.)", "text/html": page}, raw=True)  # type: ignore[no-untyped-call]
    return said
