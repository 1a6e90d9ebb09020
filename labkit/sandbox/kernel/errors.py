"""Errors as AWS answers them."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """An error as AWS answers it: code, message, HTTP status, and further members of the error's shape.

    `detail` adds what AWS doesn't say, such as where the mistake is. It goes into the response header
    `x-sandbox-detail`, so that the message stays AWS's.

    >>> raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
    Traceback (most recent call last):
    labkit.sandbox.kernel.errors.ServiceError: ResourceNotFoundException: The specified log group does not exist.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, detail: str = "", **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.detail = detail
        self.members = members


def not_here(what: str) -> ServiceError:
    """Return the error (501) for something that AWS has and the sandbox doesn't support; `what` names it."""
    message = f"The sandbox does not implement {what}. docs/sandbox.md lists what it does."
    return ServiceError("NotImplemented", message, status=501)
