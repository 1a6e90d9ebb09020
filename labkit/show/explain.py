"""Explains AWS's errors, and failures to reach AWS: what failed, in AWS's words, and the next step."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownServiceError,
)

from labkit.lab.masking import masked

_LOG_IN_AGAIN = "Log in again (`aws sso login`, or new keys), then run this cell again: nothing that was done is lost."
_NOT_ALLOWED = "Your credentials may not do this; `labkit policy` prints what the lab needs."
_NOT_VALID = "The credentials aren't valid any more: run the notebook's first cell again, then this one."
_SLOW_DOWN = "AWS asks to slow down: wait a minute, then run this cell again."
_BUCKET_POLICY = (
    "The bucket's policy doesn't let VPC Flow Logs in: explain_bucket_policy(lab) shows it, and "
    "infra/lab_environment.yaml has one that does. If you have just changed it, wait a minute and run this cell again."
)
_ROLE = (
    "VPC Flow Logs can't assume the role: its trust policy has to name vpc-flow-logs.amazonaws.com. If the role was "
    "just made, wait a minute and run this cell again."
)
_BUSY = "Something on AWS's side failed, and not yours: wait a minute, then run this cell again."
_NO_PROFILE = (
    "Name a profile that `aws configure list-profiles` lists in AWS_PROFILE, or unset it; then restart the kernel."
)
_NO_CREDENTIALS = "Run `aws configure` or `aws sso login` in a terminal, then the notebook's first cell again."
_QUOTA = (
    "The account is at a quota of AWS: `labkit preflight` says which; remove what you don't need, or ask AWS for more."
)
_NOT_ENABLED = "This region isn't enabled in the account: choose another in notebook 00, or enable it in the console."
_MISSING = "Something that this step builds on isn't there: run the notebook's lab.catch_up(...) cell, then this one."
_TWICE = (
    "A flow log to that place is there already, with other settings, and they can't be changed: delete it, as the last "
    "hint of `check(...)` shows, then run this cell again."
)
_NO_POLICY = (
    "AWS adds one with the first flow log to the bucket, if you may put bucket policies; one to copy is in "
    "infra/lab_environment.yaml."
)

NEXT_STEPS = {
    "AccessDenied": _NOT_ALLOWED,
    "AccessDeniedException": _NOT_ALLOWED,
    "AuthorizationError": _NOT_ALLOWED,
    "UnauthorizedOperation": _NOT_ALLOWED,
    "ExpiredToken": _LOG_IN_AGAIN,
    "ExpiredTokenException": _LOG_IN_AGAIN,
    "RequestExpired": _LOG_IN_AGAIN,
    "AuthFailure": _NOT_VALID,
    "InvalidAccessKeyId": _NOT_VALID,
    "InvalidClientTokenId": _NOT_VALID,
    "SignatureDoesNotMatch": _NOT_VALID,
    "UnrecognizedClientException": _NOT_VALID,
    "OptInRequired": _NOT_ENABLED,
    "LimitExceeded": _QUOTA,
    "LimitExceededException": _QUOTA,
    "FlowLogsLimitExceeded": _QUOTA,
    "InstanceLimitExceeded": _QUOTA,
    "ResourceLimitExceeded": _QUOTA,
    "VcpuLimitExceeded": _QUOTA,
    "VpcLimitExceeded": _QUOTA,
    "InternalError": _BUSY,
    "ServiceUnavailable": _BUSY,
    "ServiceUnavailableException": _BUSY,
    "RequestLimitExceeded": _SLOW_DOWN,
    "SlowDown": _SLOW_DOWN,
    "Throttling": _SLOW_DOWN,
    "ThrottlingException": _SLOW_DOWN,
    "TooManyRequestsException": _SLOW_DOWN,
    "EntityNotFoundException": _MISSING,
    "NoSuchBucket": _MISSING,
    "NotFound": _MISSING,
    "ResourceNotFound": _MISSING,
    "ResourceNotFoundException": _MISSING,
    "FlowLogAlreadyExists": _TWICE,
    "NoSuchBucketPolicy": _NO_POLICY,
    "NotImplemented": "The sandbox can't do this; docs/sandbox.md says what it can.",
    "InternalFailure": "The sandbox failed, and that is its fault: .labkit/sandbox/server.log says where.",
}
"""What to do about AWS's error codes that a learner meets."""

KNOWN = (ClientError, BotoCoreError)
_OTHERWISE = "Read what AWS says, and compare with the cell above; `check(...)` says what is there and what is not."
_NO_ANSWER = (
    "No answer came: see that the network, or the sandbox, is there; then run the first cell again and this one."
)


_PATTERN = "Look for a missing bracket or quotation mark, and for curly ones; the cheat sheet has all forms."
_QUERY = "Look at the place that the message names, and compare with the query above; the cheat sheet has the forms."
_DESTINATION = "Name a bucket that is there and yours: `lab.bucket` is the lab's."
_VALUE = "The message names the value that AWS doesn't take, and what it may be: correct it in the cell."
_CALL = "The call was not made: the message names what is wrong in it. Correct it in the cell."
_INTERVAL = "A flow log gathers for 60 or for 600 seconds: give one of these."

_BY_WORDS = {
    "Invalid metric filter pattern": _PATTERN,
    "Invalid Flow Log Max Aggregation Interval": _INTERVAL,
    "MalformedQueryException": _QUERY,
    "mismatched input": _QUERY,
    "Access Denied for LogDestination": _BUCKET_POLICY,
    "Unable to assume given IAM role": _ROLE,
    "Invalid filter pattern": _PATTERN,
    "LogDestination: ": _DESTINATION,
    "LogDestination arn:": _DESTINATION,
    "failed to satisfy constraint": _VALUE,
}
"""What to do about errors whose code has many meanings."""
_WITHOUT_ANSWER: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((ProfileNotFound,), _NO_PROFILE),
    ((NoCredentialsError, PartialCredentialsError), _NO_CREDENTIALS),
    ((SSOError, TokenRetrievalError, CredentialRetrievalError), _LOG_IN_AGAIN),
    ((ParamValidationError, UnknownServiceError), _CALL),
)
"""What to do if botocore gave up before AWS answered, by the kind of error."""


def explanation(failure: BaseException) -> list[str]:
    """Return the lines that say what failed and what to do."""
    known = _known_cause(failure) or failure
    if isinstance(known, ClientError):
        error = known.response.get("Error", {})
        code = error.get("Code", "")
        said = f"AWS refused {known.operation_name}: {code}: {error.get('Message', '')}"
        return [masked(said), f"Next: {next_step(code, said)}"]
    words = str(known).partition(". Valid service names are")[0]  # of which there are hundreds
    return [masked(f"{type(known).__name__}: {words}"), f"Next: {_step_without_answer(known)}"]


def next_step(code: str, said: str) -> str:
    """Say what to do about an AWS error, by its text if the code says little, or else by its code."""
    return next((step for words, step in _BY_WORDS.items() if words in said), NEXT_STEPS.get(code, _OTHERWISE))


def is_known(failure: BaseException) -> bool:
    """Return whether this is AWS's error or one of reaching AWS, also if PyAthena wrapped it in its own."""
    return _known_cause(failure) is not None


def needs_new_credentials(failure: BaseException) -> bool:
    """Return whether the learner has to log in again first."""
    known = _known_cause(failure)
    if isinstance(known, ClientError):
        return NEXT_STEPS.get(known.response["Error"]["Code"]) in (_LOG_IN_AGAIN, _NOT_VALID)
    return known is not None and _step_without_answer(known) in (_LOG_IN_AGAIN, _NO_CREDENTIALS)


def _known_cause(failure: BaseException | None) -> BaseException | None:
    while failure is not None and not isinstance(failure, KNOWN):
        failure = failure.__cause__
    return failure


def _step_without_answer(failure: BaseException) -> str:
    return next((step for kinds, step in _WITHOUT_ANSWER if isinstance(failure, kinds)), _NO_ANSWER)
