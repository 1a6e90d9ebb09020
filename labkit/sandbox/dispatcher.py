"""Hands each request to the service it is for: one of the sandbox's own, or moto."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Request, Response

from labkit.sandbox import wire
from labkit.sandbox.kernel import inspection
from labkit.sandbox.kernel.account import DEFAULT_REGION
from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.kernel.signatures import Signature
from labkit.sandbox.moto import failures, gaps, objects, reading, services
from labkit.sandbox.moto.adapter import Adapter
from labkit.sandbox.sandbox import Sandbox
from labkit.sandbox.service import Call

LOG = logging.getLogger(__name__)

_READING_OPERATION = re.compile(
    "BatchGet|Check|Describe|Detect|Estimate|Filter|Get|Head|List|Lookup|Preview|Search|Select|Simulate|Test|Validate"
)
_CHANGING_OPERATIONS = frozenset({"GetFederationToken", "GetParametersForImport", "GetSessionToken"})
"""Those that are named like a reading one, and make something: credentials, and a key to import with."""
LINK_ACTIONS = frozenset({"ConfirmSubscription", "Unsubscribe"})
"""What a link in a mail may ask for, without a signature."""


@dataclass(frozen=True)
class Address:
    """Where a request goes: the service by botocore's name, the operation (empty in REST protocols), the region."""

    service: str
    operation: str
    region: str

    @classmethod
    def of(cls, request: Request, signature: Signature | None) -> Address:
        """The address of a request; a link in a mail names its region in the ARN that it carries."""
        if signature is None:
            arn = request.args.get("TopicArn") or request.args.get("SubscriptionArn") or ""
            parts = arn.split(":")
            return cls("sns", request.args.get("Action", ""), parts[3] if len(parts) > 3 else DEFAULT_REGION)
        service = wire.service_name(signature.service, request)
        operation = "" if wire.rest_protocol(service) else wire.operation_name(request)
        return cls(service, operation, signature.region)

    def changes_something(self, method: str) -> bool:
        """Whether the request may change the sandbox; by the operation's name, or by the method where REST has none."""
        if self.operation:
            return self.operation in _CHANGING_OPERATIONS or _READING_OPERATION.match(self.operation) is None
        return method not in ("GET", "HEAD", "OPTIONS")


class Dispatcher:
    """Answers requests on behalf of a sandbox's services."""

    def __init__(self) -> None:
        self._moto = Adapter()

    @staticmethod
    def check(request: Request, address: Address) -> None:
        """Raise AWS's error for a request that carries what must not be read; called before it is journalled."""
        reading.check(request, address.service)

    def prepare(self, sandbox: Sandbox, request: Request, address: Address) -> Any:
        """Do what an operation does before the lock is taken: see `service.preparation`.

        What is wrong with the request is said by `answer`, which meets it again.
        """
        service = sandbox.services.get(address.service)
        if service is None or address.operation not in service.preparations:
            return None
        try:
            params = inspection.inspect(request, address.service, address.operation, address.region).params
            return service.preparations[address.operation](service, self._call(sandbox, request, address, params))
        except ServiceError:
            return None
        except Exception:
            LOG.exception("%s %s could not be prepared", address.service, address.operation)
            return None

    def answer(self, sandbox: Sandbox, request: Request, address: Address, prepared: Any = None) -> Response:
        """The response to a request; an error is a response too. The caller holds the sandbox's lock."""
        try:
            return self._answer(sandbox, request, address, prepared)
        except ServiceError as error:
            return error_response(request, address.service, error)
        except Exception:
            LOG.exception("%s %s failed", address.service, address.operation)
            return error_response(request, address.service, ServiceError("InternalFailure", _INTERNAL, status=500))

    def _answer(self, sandbox: Sandbox, request: Request, address: Address, prepared: Any) -> Response:
        service = sandbox.services.get(address.service)
        if service is None:
            services.check(address.service)
        else:
            wire.check_operation(request, address.service, address.operation)
            if not service.answers(address.operation):
                raise not_implemented(address)
        operation, params = inspection.inspect(request, address.service, address.operation, address.region)
        if service is not None and address.operation in service.handlers:
            call = self._call(sandbox, request, address, params, prepared)
            result = service.handlers[address.operation](service, call)
            if isinstance(result, Response):
                return result
            return wire.serialize(wire.protocol_of(request), address.service, address.operation, result or {})
        reading.check_depth(address.service, params)
        return self._answer_by_moto(sandbox, request, replace(address, operation=operation), params)

    def _call(
        self, sandbox: Sandbox, request: Request, address: Address, params: dict[str, Any], prepared: Any = None
    ) -> Call:
        return Call(
            service=address.service,
            operation=address.operation,
            region=address.region,
            account_id=sandbox.account_id,
            endpoint=sandbox.endpoint,
            params=params,
            forward=lambda: self._answer_by_moto(sandbox, request, address, params),
            signed=Signature.of(request) is not None,
            prepared=prepared,
        )

    def _answer_by_moto(self, sandbox: Sandbox, request: Request, address: Address, params: dict[str, Any]) -> Response:
        if address.operation in gaps.NOT_BY_MOTO.get(address.service, ()):
            raise not_implemented(address)
        # Headers of moto's own would choose another account.
        environ = {name: value for name, value in request.environ.items() if not name.startswith("HTTP_X_MOTO_")}
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        environ.pop("werkzeug.request", None)
        if address.service == "s3":
            environ[objects.PASSAGE] = passage = objects.Passage.of(request, sandbox.files)
            if passage.body is not None:
                environ |= {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
        try:
            response = Response.from_app(self._moto.application(address.service), environ, buffered=True)
            return passage.through(response, sandbox.files) if address.service == "s3" else response
        except NotImplementedError as error:
            raise not_implemented(address) from error
        except Exception as error:
            meaning = failures.meaning(address.service, address.operation, params, error)
            if meaning is None:
                raise
            LOG.info("%s %s: moto failed, which means %s", address.service, address.operation, meaning.code)
            raise meaning from error


_INTERNAL = "The sandbox failed on this request; its log (server.log beside its other files) has the details."


def not_implemented(address: Address) -> ServiceError:
    """The error for what the sandbox does not do."""
    return not_here(
        f"{address.service}:{address.operation}" if address.operation else f"this {address.service} request"
    )


def error_response(request: Request, service: str, error: ServiceError) -> Response:
    """An error in the protocol of its request."""
    protocol = wire.answer_protocol(request, service)
    response = wire.serialize_error(protocol, service, error)
    response.headers["x-amzn-ErrorType"] = error.code  # where clients of REST services that speak JSON look for it
    return response
