"""Answers requests while the sandbox isn't there: until its history is replayed, and while it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.kernel.presence import Kind


@dataclass
class StandIn:
    """The WSGI application while the sandbox isn't there. It answers 503, after which AWS clients try again."""

    kind: Kind
    done: int = 0
    of: int = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer 503: the control API with how far the sandbox is, AWS clients with an empty body.

        An AWS client would fail to parse a body that isn't in its protocol, and not try again.
        """
        far = f": {self.done} of {self.of} changes of its history are repeated" if self.kind is Kind.REPLAYING else ""
        said = {"status": self.kind.value, "done": self.done, "of": self.of}
        said["error"] = f"the sandbox is {'ending' if self.kind is Kind.ENDING else 'starting'}{far}; try again"
        is_control = environ["PATH_INFO"].startswith("/_sandbox/")
        start_response("503 Service Unavailable", [("Content-Type", "application/json"), ("Retry-After", "1")])
        return [json.dumps(said).encode() if is_control else b""]
