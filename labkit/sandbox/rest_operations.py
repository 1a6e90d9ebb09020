"""Which operation a request asks for in a REST protocol, where method and address tell it rather than a name.

Source: the `http` traits of botocore's service models; for Amazon S3
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from botocore.model import OperationModel
from werkzeug.wrappers import Request

from labkit.sandbox.wire import service_model


class Route(NamedTuple):
    """What requests of one operation look like."""

    name: str
    method: str
    path: re.Pattern[str]
    query: dict[str, str]
    """Parameters that it has always, by the model's address: `?list-type=2`, `?acl`."""
    required: frozenset[str]
    """Parameters and headers that its input must have."""

    def fits(self, request: Request) -> bool:
        """Whether a request is one of these."""
        return (
            self.method == request.method
            and self.path.fullmatch(request.path) is not None
            and all(request.args.get(name) == value for name, value in self.query.items())
            and all(name in request.args or name in request.headers for name in self.required)
        )


def name(service: str, request: Request) -> str:
    """The operation of a request; empty where the service has none like it."""
    fitting = (route for route in _routes(service) if route.fits(request))
    return next((route.name for route in fitting), "")


@cache
def _routes(service: str) -> list[Route]:
    """The routes of a service; those that ask for more come first, a plain path before one that holds slashes."""
    model = service_model(service)
    routes = [_route(model.operation_model(operation)) for operation in model.operation_names]
    return sorted(routes, key=lambda route: (-len(route.query) - len(route.required), len(route.path.pattern)))


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    members = operation.input_shape.members if operation.input_shape else {}
    required = {
        members[member].serialization.get("name", member)
        for member in (operation.input_shape.required_members if operation.input_shape else ())
        if members[member].serialization.get("location") in ("header", "querystring")
    }
    return Route(
        name=operation.name,
        method=operation.http["method"],
        path=_path_pattern(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        required=frozenset(required),
    )


def _path_pattern(path: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` as a pattern; a name with a plus takes slashes too."""
    parts = re.split(r"(\{[^}]+\})", path.rstrip("/") or "/")
    pattern = "".join(_part(part) for part in parts)
    return re.compile(f"{pattern}/?" if pattern != "/" else "/")


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith("+}") else "[^/]+"
