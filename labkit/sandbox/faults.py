"""Faults on demand: what AWS answers on a bad day, by service, operation and rate; deliveries that are late or lost.

Sources: the errors that all actions of a service have in common, such as
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from random import Random
from typing import Any, NamedTuple

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.wire import service_model


class Words(NamedTuple):
    """An error as one service words it; `{action}` stands for the action that was asked for."""

    code: str
    message: str
    status: int = 400


_DENIED = "User is not authorized to perform: {action}"
_DENIED_BY_EC2 = f"You are not authorized to perform this operation. {_DENIED}"
_EXPIRED = "The security token included in the request is expired"
_JSON = {
    "throttling": Words("ThrottlingException", "Rate exceeded"),
    "server error": Words("InternalFailure", "The request processing has failed.", 500),
    "access denied": Words("AccessDeniedException", _DENIED),
    "expired token": Words("ExpiredTokenException", _EXPIRED),
}
"""How services that speak JSON word it."""
_QUERY = {
    "throttling": Words("Throttling", "Rate exceeded"),
    "server error": Words("InternalFailure", "The request processing has failed.", 500),
    "access denied": Words("AccessDenied", _DENIED, 403),
    "expired token": Words("ExpiredToken", _EXPIRED, 403),
}
_EC2 = {
    "throttling": Words("RequestLimitExceeded", "Request limit exceeded.", 503),
    "server error": Words("InternalError", "An internal error has occurred", 500),
    "access denied": Words("UnauthorizedOperation", _DENIED_BY_EC2, 403),
    "expired token": Words("RequestExpired", "Request has expired."),
}
_S3 = {
    "throttling": Words("SlowDown", "Please reduce your request rate.", 503),
    "server error": Words("InternalError", "We encountered an internal error. Please try again.", 500),
    "access denied": Words("AccessDenied", "Access Denied", 403),
    "expired token": Words("ExpiredToken", "The provided token has expired."),
}
_SNS = {**_QUERY, "access denied": Words("AuthorizationError", _DENIED, 403)}
_OWN_WORDS = {
    "ec2": _EC2,
    "s3": _S3,
    "sns": _SNS,
    **dict.fromkeys(("cloudwatch", "iam", "sts", "cloudformation"), _QUERY),
}

REQUEST_KINDS = (*_JSON, "latency")
DELIVERY_KINDS = ("delayed delivery", "lost delivery")
KINDS = REQUEST_KINDS + DELIVERY_KINDS
_LONGEST = {"latency": 60.0, "delayed delivery": 86_400.0}
"""The most seconds that a fault may last; the kinds that last any."""


@dataclass(frozen=True)
class Fault:
    """One rule. `*` stands for every service or operation.

    `rate` is the share of requests, or of aggregation intervals for lost deliveries; `seconds` is how long latency
    lasts, or how late deliveries are.
    """

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
        longest = _LONGEST.get(fault.kind, 0.0)
        if not _is_number(fault.rate) or not 0 <= fault.rate <= 1:
            raise ValueError(f"rate is a share from 0 to 1, not {fault.rate!r}")
        if not _is_number(fault.seconds) or not 0 <= fault.seconds <= longest:
            raise ValueError(f"seconds is from 0 to {longest:g} for {fault.kind}, not {fault.seconds!r}")
        fault._check_target()
        return fault

    def _check_target(self) -> None:
        """Raise ValueError for an unknown service or operation, because such a rule would never apply."""
        if self.kind in DELIVERY_KINDS and (self.service, self.operation) != ("*", "*"):
            raise ValueError(f"{self.kind} concerns all flow logs: it has no service and no operation")
        if self.service == "*":
            if self.operation != "*":
                raise ValueError(f"operation {self.operation!r} is of which service? Name it in service")
            return
        if self.service not in Loader().list_available_services("service-2"):
            raise ValueError(f"service is boto3's name of one, such as ec2, logs or cloudwatch, not {self.service!r}")
        if self.operation not in ("*", *_operations(self.service)):
            raise ValueError(f"{self.service} has no operation {self.operation!r}; names are like the API's: PutObject")

    def concerns(self, service: str, operation: str) -> bool:
        """Whether the rule is about this operation."""
        return self.service in ("*", service) and self.operation in ("*", operation)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _operations(service: str) -> frozenset[str]:
    try:
        return frozenset(service_model(service).operation_names)
    except UnknownServiceError:
        return frozenset()


class Faults:
    """The rules in force."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed} faults")
        self._rules: list[Fault] = []

    def set(self, rules: Sequence[Any]) -> list[dict[str, Any]]:
        """Replace all rules and return them in full; an empty list removes them.

        Raise ValueError for an invalid rule, and change nothing then.
        """
        self._rules = [Fault.parse(rule) for rule in rules]
        return self.rules

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules in force, as `set` takes them."""
        return [asdict(rule) for rule in self._rules]

    @property
    def names_operations(self) -> bool:
        """Whether a rule asks which operation a request is."""
        return any(rule.operation != "*" for rule in self._rules)

    @property
    def delay_of_deliveries(self) -> float:
        """Seconds by which flow logs are delivered late."""
        return max((rule.seconds for rule in self._rules if rule.kind == "delayed delivery"), default=0.0)

    @property
    def lost_deliveries(self) -> float:
        """The share of aggregation intervals that is lost."""
        return max((rule.rate for rule in self._rules if rule.kind == "lost delivery"), default=0.0)

    def strike(self, service: str, operation: str) -> ServiceError | None:
        """Return the error for a request, or None. For a latency rule, sleep here, before any lock is taken."""
        for rule in self._rules:
            if rule.kind in REQUEST_KINDS and rule.concerns(service, operation) and self._random.random() < rule.rate:
                if rule.kind != "latency":
                    return _error(rule.kind, service, operation)
                time.sleep(rule.seconds)
        return None


def _error(kind: str, service: str, operation: str) -> ServiceError:
    words = _OWN_WORDS.get(service, _JSON)[kind]
    message = words.message.format(action=f"{service}:{operation}")
    return ServiceError(words.code, message, status=words.status)
