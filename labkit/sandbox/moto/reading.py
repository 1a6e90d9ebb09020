"""Read what a request carries before anything else does: what is refused here reaches neither moto nor the journal."""

from __future__ import annotations

from werkzeug.wrappers import Request

from labkit.sandbox import wire


def check(request: Request, service: str) -> None:
    """Raise AWS's error for a request with a document that can't be read safely."""
    if service == "cloudformation":
        # CloudFormation of moto takes a while to import: only for those who use it.
        from labkit.sandbox.moto import stacks

        stacks.check_request(wire.query_parameters(request))
