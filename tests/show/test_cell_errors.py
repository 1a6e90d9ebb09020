"""A cell that fails ends in a sentence and a next step, with the traceback folded, whatever it was."""

import json
import re

import pytest
from botocore.exceptions import ClientError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from pyathena.error import DatabaseError, OperationalError

from labkit.commands import up
from labkit.lab import masking
from labkit.lab.errors import LabError
from labkit.show import cell_errors
from labkit.show.cell_errors import COMPARE, LOOK, NO_MODULE, QUERY, RUN_ABOVE, lines


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    cell_errors.load_ipython_extension(shell)
    yield shell
    InteractiveShell.clear_instance()


def run(shell, code):
    with capture_output() as shown:
        result = shell.run_cell(code)
    return result.error_in_exec, shown


THROTTLED = (
    "from botocore.exceptions import ClientError as E\n"
    "raise E({'Error': {'Code': 'Throttling', 'Message': 'Rate exceeded'}}, 'DescribeVpcs')"
)
WRONG_CELLS = {
    "lab.vpc": f"NameError: name 'lab' is not defined\nNext: {RUN_ABOVE}",
    "import no_such_module": f"ModuleNotFoundError: No module named 'no_such_module'\nNext: {NO_MODULE}",
    "{}['x']": f"KeyError: 'x'\nNext: {LOOK}",
    "len(7)": f"TypeError: object of type 'int' has no len()\nNext: {COMPARE}",
    "assert False": f"AssertionError, without a word of explanation\nNext: {COMPARE}",
    "from labkit.lab.errors import LabError; raise LabError('Do this.')": "LabError: Do this.",
    THROTTLED: "AWS refused DescribeVpcs: Throttling: Rate exceeded",
}


@pytest.mark.parametrize("code", WRONG_CELLS)
def test_a_cell_that_fails_ends_in_a_sentence_and_a_next_step(shell, code):
    error, shown = run(shell, code)
    assert error is not None
    assert WRONG_CELLS[code] in shown.stdout
    assert "Traceback" not in shown.stdout
    assert "File " not in shown.stdout


def test_the_traceback_is_folded_and_escaped_with_no_colours_in_it(shell):
    _, shown = run(shell, "value = '<b>'\nraise ValueError(value)")
    (output,) = shown.outputs
    page = output.data["text/html"]
    assert page.startswith("<details><summary>The whole traceback</summary>")
    assert "ValueError" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "\x1b" not in page


def test_what_is_the_learners_own_is_masked_in_both(shell):
    masking.hide({"me@home.org": "E-MAIL"})
    try:
        _, shown = run(shell, "raise ValueError('me@home.org')")
    finally:
        masking.show_all()
    assert "E-MAIL" in shown.stdout
    assert "me@home.org" not in shown.stdout + shown.outputs[0].data["text/html"]


def test_a_name_that_is_nearly_right_is_suggested(shell):
    _, shown = run(shell, "records = 1\nrecord_s")
    assert "Did you mean records? If not: a cell above was not run" in shown.stdout


@pytest.mark.parametrize("kind", [OperationalError, DatabaseError])
def test_a_query_that_athena_refused_is_told_from_other_errors(kind):
    assert lines(kind("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved")) == [
        f"Athena refused the query ({kind.__name__}): SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved",
        f"Next: {QUERY}",
    ]


def test_an_error_of_awss_keeps_its_own_advice():
    refused = ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "ListBuckets")
    assert "aws sso login" in lines(refused)[1]


def test_a_lab_error_says_all_by_itself():
    assert lines(LabError("The bucket is gone. Choose another.")) == ["LabError: The bucket is gone. Choose another."]


def test_outside_a_notebook_nothing_is_changed():
    cell_errors.explain_in_cells()


def test_kernels_that_the_lab_starts_load_it_before_their_first_cell(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/own")
    first, own = up.kernel_path().split(":")
    assert own == "/own"
    spec = json.loads((up.SETTINGS / "kernels" / "python3" / "kernel.json").read_text())
    assert first == str(up.SETTINGS)
    assert f"--ext={cell_errors.__name__}" in spec["argv"]
    assert re.match(r"Python 3", spec["display_name"])
