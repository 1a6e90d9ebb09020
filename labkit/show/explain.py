"""What a cell shows in place of a traceback when AWS refuses: what was refused, in AWS's words, and the next step.

`%tb` still shows the whole traceback.
"""

from __future__ import annotations

import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labkit.show.masking import masked

_LOG_IN_AGAIN = "Log in again (`aws sso login`, or new keys), then run this cell again: nothing that was done is lost."
_NOT_ALLOWED = "Your credentials may not do this; `labkit policy` prints what the lab needs."
_NOT_VALID = "The credentials aren't valid any more: run the notebook's first cell again, then this one."
_SLOW_DOWN = "AWS asks to slow down: wait a minute, then run this cell again."
_MISSING = "Something that this step builds on isn't there: run the notebook's lab.catch_up(...) cell, then this one."

NEXT_STEPS = {
    "AccessDenied": _NOT_ALLOWED,
    "AccessDeniedException": _NOT_ALLOWED,
    "AuthorizationError": _NOT_ALLOWED,
    "UnauthorizedOperation": _NOT_ALLOWED,
    "ExpiredToken": _LOG_IN_AGAIN,
    "ExpiredTokenException": _LOG_IN_AGAIN,
    "RequestExpired": _LOG_IN_AGAIN,
    "AuthFailure": _NOT_VALID,
    "InvalidAccessKeyId": _NOT_VALID,
    "InvalidClientTokenId": _NOT_VALID,
    "SignatureDoesNotMatch": _NOT_VALID,
    "UnrecognizedClientException": _NOT_VALID,
    "RequestLimitExceeded": _SLOW_DOWN,
    "SlowDown": _SLOW_DOWN,
    "Throttling": _SLOW_DOWN,
    "ThrottlingException": _SLOW_DOWN,
    "TooManyRequestsException": _SLOW_DOWN,
    "EntityNotFoundException": _MISSING,
    "NoSuchBucket": _MISSING,
    "NotFound": _MISSING,
    "ResourceNotFound": _MISSING,
    "ResourceNotFoundException": _MISSING,
    "NotImplemented": "The sandbox can't do this; docs/sandbox.md says what it can.",
    "InternalFailure": "The sandbox failed, and that is its fault: .labkit/sandbox/server.log says where.",
}
"""What to do about AWS's error codes that a learner meets."""

_OTHERWISE = "Read what AWS says, and compare with the cell above; `check(...)` says what is there and what is not."
_NO_ANSWER = (
    "No answer came: see that the network, or the sandbox, is there; then run the first cell again and this one."
)


def explanation(failure: Exception) -> list[str]:
    """The lines that say what was refused and what to do."""
    if isinstance(failure, ClientError):
        error = failure.response.get("Error", {})
        code = error.get("Code", "")
        said = f"AWS refused {failure.operation_name}: {code}: {error.get('Message', '')}"
        return [masked(said), f"Next: {NEXT_STEPS.get(code, _OTHERWISE)}", "(%tb shows the whole traceback.)"]
    return [masked(f"{type(failure).__name__}: {failure}"), f"Next: {_NO_ANSWER}", "(%tb shows the whole traceback.)"]


def explain_in_cells() -> None:
    """Has the notebook that this runs in, if it runs in one, show the explanation of AWS's errors."""
    if "IPython" not in sys.modules:  # no notebook, and an import that takes its time
        return
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is not None:
        shell.set_custom_exc((ClientError, BotoCoreError), _show)


def _show(shell: Any, kind: type, failure: Exception, traceback: Any, tb_offset: int | None = None) -> list[str]:
    lines = explanation(failure)
    shell._showtraceback(kind, failure, lines)
    return lines
