"""Calls a service of a sandbox in this process, as the server would after parsing a request."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.service import Call


def client_call(
    sandbox: AssembledSandbox,
    service: str,
    operation: str,
    *,
    region: str = "eu-west-1",
    signed: bool = True,
    **params: Any,
) -> Any:
    """The result of one operation's handler; errors are raised as ServiceError."""

    def not_here() -> Any:
        raise AssertionError(f"{service} {operation} would go to moto: test it through the server")

    call = Call(service, operation, region, sandbox.account_id, "http://127.0.0.1:4566", params, not_here, signed)
    target = sandbox.services[service]
    if prepare := type(target).preparations.get(operation):
        call = replace(call, prepared=prepare(target, call))
    with sandbox.change():
        return type(target).handlers[operation](target, call)


def refusal(call: Callable[..., Any], *arguments: Any, **params: Any) -> ServiceError:
    """The error that a call of a handler ends with."""
    with pytest.raises(ServiceError) as caught:
        call(*arguments, **params)
    return caught.value


def refused(call: Callable[..., Any], *arguments: Any, **params: Any) -> tuple[str, str]:
    """Code and message of the error that a call of a handler ends with."""
    error = refusal(call, *arguments, **params)
    return error.code, error.message
