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
    labels: tuple[str, ...]
    """The parts of the path that stand for members of the input, by their names in the path."""
    query: dict[str, str]
    """Parameters that it has always, by the model's address: `?list-type=2`, `?acl`."""
    required: frozenset[str]
    """Parameters and headers that its input must have."""
    known: frozenset[str]
    """All parameters that it knows."""

    def fits(self, request: Request) -> bool:
        """Whether a request is one of these."""
        return self.resembles(request) and all(
            name in request.args or name in request.headers for name in self.required
        )

    def resembles(self, request: Request) -> bool:
        """Tell whether a request is one of these but for what may be missing."""
        return (
            self.method == request.method
            and all(request.args.get(name) == value for name, value in self.query.items())
            and self.path.fullmatch(request.path) is not None
        )


class Match(NamedTuple):
    """The operation of a request, and what its path says."""

    name: str
    labels: dict[str, str]
    missing: tuple[str, ...]
    """Required parameters and headers that the request lacks."""
    strange: tuple[str, ...]
    """Parameters by which other operations are told apart, and that this one does not have."""


def name(service: str, request: Request) -> str:
    """The operation of a request; empty where the service has none like it."""
    fitting = (route for route in _routes(service).get(request.method, ()) if route.fits(request))
    return next((route.name for route in fitting), "")


def match(service: str, request: Request) -> Match | None:
    """Return the operation of a request with what its path says; None where the service has none like it.

    A request that lacks a parameter of its operation may look like one of another: `PUT /bucket?analytics` without an
    id is no CreateBucket. So the operation that leaves the fewest parameters unexplained is taken.
    """
    routes = [route for route in _routes(service).get(request.method, ()) if route.resembles(request)]
    telling = [name for name in request.args if name in _telling(service)]
    given = set(request.args) | {name.lower() for name, _ in request.headers}

    def faults(route: Route) -> tuple[int, int]:
        lacking = sum(name.lower() not in given and name not in given for name in route.required)
        return sum(name not in route.known for name in telling), lacking

    if not routes:
        return None
    route = min(routes, key=faults)
    found = route.path.fullmatch(request.path)
    assert found is not None
    return Match(
        name=route.name,
        labels=dict(zip(route.labels, found.groups(), strict=True)),
        missing=tuple(sorted(name for name in route.required if name not in given and name.lower() not in given)),
        strange=tuple(name for name in telling if name not in route.known),
    )


@cache
def _routes(service: str) -> dict[str, list[Route]]:
    """The routes of a service by method; those that ask for more come first, a plain path before one with slashes."""
    model = service_model(service)
    routes = [_route(model.operation_model(operation)) for operation in model.operation_names]
    routes.sort(key=lambda route: (-len(route.query) - len(route.required), len(route.path.pattern)))
    return {method: [each for each in routes if each.method == method] for method in {each.method for each in routes}}


@cache
def _telling(service: str) -> frozenset[str]:
    """The parameters that tell one operation of a service from another."""
    routes = [route for routes in _routes(service).values() for route in routes]
    parameters = frozenset(name for route in routes for name in route.known)
    return frozenset(name for route in routes for name in (*route.query, *(route.required & parameters)))


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    places = {
        member.serialization.get("name", name): (member.serialization.get("location"), name in shape.required_members)
        for name, member in (shape.members.items() if shape else ())
    }
    fixed = dict(parse_qsl(query, keep_blank_values=True))
    return Route(
        name=operation.name,
        method=operation.http["method"],
        path=_path_pattern(path),
        labels=tuple(re.findall(r"\{([^}+]+)\+?\}", path)),
        query=fixed,
        required=frozenset(
            name for name, place in places.items() if place in (("header", True), ("querystring", True))
        ),
        known=frozenset(fixed) | {name for name, (location, _) in places.items() if location == "querystring"},
    )


def _path_pattern(path: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` as a pattern; a name with a plus takes slashes too, and any name takes line ends."""
    parts = re.split(r"(\{[^}]+\})", path.rstrip("/") or "/")
    pattern = "".join(_part(part) for part in parts)
    return re.compile(f"{pattern}/?" if pattern != "/" else "/", re.DOTALL)


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return "(.+)" if part.endswith("+}") else "([^/]+)"
