"""Faults on demand: what AWS answers on a bad day, by service, operation and rate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import Any

from labkit.sandbox.service import ServiceError

_ERRORS = {
    "throttling": ServiceError("ThrottlingException", "Rate exceeded"),
    "server error": ServiceError("InternalFailure", "The request processing has failed.", status=500),
    "access denied": ServiceError("AccessDeniedException", "User is not authorized to perform this action", status=403),
    "expired token": ServiceError("ExpiredTokenException", "The security token included in the request is expired"),
}
_OWN_WORDS = {
    ("ec2", "throttling"): ServiceError("RequestLimitExceeded", "Request limit exceeded.", status=503),
    ("ec2", "access denied"): ServiceError(
        "UnauthorizedOperation", "You are not authorized to perform this operation.", status=403
    ),
    ("s3", "throttling"): ServiceError("SlowDown", "Please reduce your request rate.", status=503),
    ("s3", "access denied"): ServiceError("AccessDenied", "Access Denied", status=403),
    ("s3", "expired token"): ServiceError("ExpiredToken", "The provided token has expired."),
    ("cloudwatch", "throttling"): ServiceError("Throttling", "Rate exceeded"),
    ("sns", "throttling"): ServiceError("Throttling", "Rate exceeded"),
}
KINDS = (*_ERRORS, "latency")


@dataclass(frozen=True)
class Fault:
    """One rule. `*` stands for every service or operation; `rate` is the share of requests, `seconds` the latency."""

    kind: str
    service: str = "*"
    operation: str = "*"
    rate: float = 1.0
    seconds: float = 0.0

    @classmethod
    def parse(cls, rule: Any) -> Fault:
        """A rule from JSON; raises ValueError with what is wrong with it."""
        if not isinstance(rule, dict) or not set(rule) <= set(cls.__dataclass_fields__):
            raise ValueError(f"a fault has the members {', '.join(cls.__dataclass_fields__)}, not {rule!r}")
        if rule.get("kind") not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {rule.get('kind')!r}")
        fault = cls(**rule)
        if not 0 <= float(fault.rate) <= 1:
            raise ValueError(f"rate is a share from 0 to 1, not {fault.rate!r}")
        if not 0 <= float(fault.seconds) <= 60:
            raise ValueError(f"seconds is from 0 to 60, not {fault.seconds!r}")
        return fault

    def concerns(self, service: str, operation: str) -> bool:
        """Whether the rule is about this operation."""
        return self.service in ("*", service) and self.operation in ("*", operation)


class Faults:
    """The rules in force."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed} faults")
        self._rules: list[Fault] = []

    def set(self, rules: list[Any]) -> None:
        """Replaces the rules; none at all ends the bad day. Raises ValueError, changing nothing, for a wrong rule."""
        self._rules = [Fault.parse(rule) for rule in rules]

    def strike(self, service: str, operation: str) -> ServiceError | None:
        """The error that a request meets, if any; latency is waited out here."""
        for rule in self._rules:
            if rule.concerns(service, operation) and self._random.random() < rule.rate:
                if rule.kind != "latency":
                    return _OWN_WORDS.get((service, rule.kind), _ERRORS[rule.kind])
                time.sleep(rule.seconds)
        return None
