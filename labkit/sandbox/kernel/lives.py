"""Decides whether a presigned URL has expired, by the sandbox's time that has passed since it was signed.

A URL of version 4 says when it was signed, by the machine's clock, and for how many seconds it is valid. A URL of
version 2, which boto3 makes in most regions, says only when it expires, by the machine's clock, and not how long it was
meant to live. The shortest of the usual lives (`USUAL_LIVES`) that is possible is assumed, so a URL with an unusual
life may live a little longer than it should.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.machine_time import Moments
from labkit.sandbox.kernel.signatures import Signature

LONGEST = 604_800
NOT_YET = timedelta(minutes=15)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
USUAL_LIVES = (
    *(1, 2, 5, 10, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY),
)
_BASIC_FORM = "%Y%m%dT%H%M%SZ"
_LAST_MOMENT = 253_402_300_799
"""The last second of the year 9999, after which Python has no dates."""


def check_life(signature: Signature, signed_at: datetime, now: datetime, reading: float, moments: Moments) -> None:
    """Raise AWS's error for a URL of version 4 that has expired, was signed in the future, or asks for too long a life.

    `now` is the machine's time, like the moments in the URL; `reading` is the sandbox's, in seconds since the epoch.
    """
    life = _seconds(signature)
    if signed_at - now > NOT_YET:
        if signature.service != "s3":
            message = f"Signature not yet current: {signature.moment} is still later than {now.strftime(_BASIC_FORM)}"
            raise ServiceError("SignatureDoesNotMatch", message, status=403)
        members = {"X-Amz-Date": signature.moment, "Expires": _written(signed_at.timestamp() + life)}
        raise _denied("Request is not yet valid", members, now.timestamp())
    moments.observe(reading)  # before `at`: a jump since the last note would otherwise not count against the URL
    began = moments.at(signed_at.timestamp())
    if reading - began <= life:
        return
    if signature.service != "s3":
        ends, present = (datetime.fromtimestamp(each, UTC).strftime(_BASIC_FORM) for each in (began + life, reading))
        raise ServiceError(
            "SignatureDoesNotMatch", f"Signature expired: {ends} is now earlier than {present}", status=403
        )
    members = {"X-Amz-Expires": signature.expires, "Expires": _written(began + life)}
    raise _denied("Request has expired", members, reading)


def check_life_v2(signature: Signature, reading: float, moments: Moments) -> None:
    """Raise AccessDenied for a URL of version 2 that has expired or whose date can't be read."""
    if not re.fullmatch(r"-?\d{1,18}", signature.moment, re.ASCII):
        message = f"Invalid date (should be seconds since epoch): {signature.moment:.100}"
        raise ServiceError("AccessDenied", message, status=403)
    moments.observe(reading)
    expires = min(int(signature.moment), _LAST_MOMENT)
    left = expires - moments.machine()
    life = next((usual for usual in USUAL_LIVES if usual >= left), math.ceil(left))
    end = moments.at(max(expires - life, 0)) + life
    if reading > end:
        raise _denied("Request has expired", {"Expires": _written(end)}, reading)


def _seconds(signature: Signature) -> int:
    text = signature.expires
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        raise _parameters_error(signature, "X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise _parameters_error(signature, "X-Amz-Expires must be non-negative")
    if seconds > LONGEST:
        raise _parameters_error(
            signature,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            "604800 seconds",
        )
    return seconds


def _parameters_error(signature: Signature, message: str) -> ServiceError:
    if signature.service == "s3":
        return ServiceError("AuthorizationQueryParametersError", message)
    return ServiceError("IncompleteSignature", message)


def _denied(message: str, members: dict[str, str], server_time: float) -> ServiceError:
    return ServiceError("AccessDenied", message, status=403, **members, ServerTime=_written(server_time))


def _written(moment: float) -> str:
    return datetime.fromtimestamp(min(max(moment, 0), _LAST_MOMENT), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
