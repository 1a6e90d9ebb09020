"""botocore sessions that know where they may go: to the sandbox alone, or to AWS alone."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.retries.standard import RetryEventAdapter, ThrottlingErrorDetector

from labkit.lab.calls import is_reading
from labkit.lab.errors import LabError

SANDBOX_KEY_PREFIX = "LKIASANDBOX"
"""How every access key of a sandbox begins."""

ATTEMPTS = 8
"""How often a throttled call is tried, with growing, jittered pauses: about a minute in all.

https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""

_PAUSE = 0.1

BACK_TO_THE_SANDBOX = '`from labkit import settings; settings.change(cloud="sandbox")`'
"""What to do if the form of notebook 00 can't be shown because its cloud can't be opened."""

_AWS_DOMAINS = (".amazonaws.com", ".api.aws", ".amazonaws.com.cn", ".signin.aws.amazon.com")
"""The endings of AWS's own endpoint names.

https://docs.aws.amazon.com/general/latest/gr/rande.html; a VPC endpoint's private name is among them.
"""
_CREDENTIAL_SERVICES = frozenset({"sts", "sso", "sso-oidc", "signin"})
"""The services that boto3 itself asks for credentials. Their calls change nothing in an account."""


_THROTTLED = ThrottlingErrorDetector(RetryEventAdapter())


def _retry_throttled(attempts: int, **answer: Any) -> float | None:
    """Return the pause before the next try at a sandbox that simulates throttling.

    A sandbox that isn't there at all is given up soon: the client's own retries decide about that.
    """
    throttled = _THROTTLED.is_throttling_error(attempts=attempts, **answer)
    return _PAUSE * attempts if throttled and attempts < ATTEMPTS else None


class SandboxSession(botocore.session.Session):  # type: ignore[misc]
    """Every client of this session reaches the sandbox, PyAthena's S3 client too.

    The learner's ~/.aws and environment are for AWS and are ignored here: variables set on the session override both.
    The endpoint is passed to each client, because AWS_ENDPOINT_URL would override a configured one.
    """

    def __init__(self, endpoint: str, access_key_id: str, secret_access_key: str, *, region: str) -> None:
        super().__init__()
        self._endpoint = endpoint
        settled = {
            "region": region,
            "use_dualstack_endpoint": False,
            "use_fips_endpoint": False,
        }
        for name, value in settled.items():
            self.set_config_variable(name, value)
        self.set_credentials(access_key_id, secret_access_key)
        self.set_default_client_config(
            Config(proxies={}, s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 2})
        )
        self.register("needs-retry", _retry_throttled, unique_id="labkit-throttled")

    @property
    def full_config(self) -> dict[str, Any]:
        """Return an empty configuration: no file is read."""
        return {"profiles": {}}

    def get_scoped_config(self) -> dict[str, Any]:
        """Return an empty profile, whatever AWS_PROFILE says."""
        return {}

    def create_client(self, *args: Any, **options: Any) -> Any:
        """A client at the sandbox's endpoint."""
        return super().create_client(*args, **{**options, "endpoint_url": self._endpoint})


class GuardedSession(botocore.session.Session):  # type: ignore[misc]
    """A boto3 session that refuses the sandbox's endpoint and keys, and changes in the wrong account."""

    def __init__(self, confirmed_account: str) -> None:
        super().__init__()
        logging.getLogger("botocore.credentials").setLevel(logging.ERROR)  # it warns with a traceback, then raises
        self._confirmed_account = confirmed_account
        self._account = ""
        self._looking_at_credentials = False
        self.set_default_client_config(Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}))
        self.register("before-parameter-build.*.*", self._guard, unique_id="labkit-guard")

    def create_client(self, *args: Any, **options: Any) -> Any:
        """Return a client of AWS; raise for an endpoint that isn't AWS's and for the sandbox's key."""
        if not self._looking_at_credentials and options.get("aws_access_key_id") is None:
            self._look_at_credentials()
        client = super().create_client(*args, **options)
        if not is_of_aws(client.meta.endpoint_url):
            raise LabError(_advice_on(f"the endpoint is {client.meta.endpoint_url}, which is not AWS's"))
        return client

    def account(self) -> str:
        """The id of the account that the credentials belong to."""
        if not self._account:
            sts = self.create_client("sts", region_name=self.get_config_variable("region") or "us-east-1")
            self._account = sts.get_caller_identity()["Account"]
        return self._account

    def _look_at_credentials(self) -> None:
        """Let clients pass that single sign-on and assumed roles make of this very session to get credentials."""
        self._looking_at_credentials = True
        try:
            credentials = self.get_credentials()
            key = "" if credentials is None else credentials.access_key or ""
        finally:
            self._looking_at_credentials = False
        if credentials is None:
            raise LabError(
                "No AWS credentials were found. Run `aws configure` or `aws sso login`, or go back to the sandbox: "
                f"{BACK_TO_THE_SANDBOX}."
            )
        if key.startswith(SANDBOX_KEY_PREFIX):
            raise LabError(_advice_on("the AWS credentials are the sandbox's"))

    def _guard(self, params: Any, model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        is_dry = service == "ec2" and params.get("DryRun") is True
        if is_dry or service in _CREDENTIAL_SERVICES or is_reading(model.name):
            return
        if not self._confirmed_account:
            raise LabError(
                f"Nothing is changed before you confirm the account: it is {self.account()}. Confirm it in the form "
                "of notebook 00, or set LABKIT_AWS_ACCOUNT to it."
            )
        if self.account() != self._confirmed_account:
            raise LabError(
                f"The credentials belong to account {self.account()}, but you confirmed {self._confirmed_account}. "
                "Nothing was changed. Use the other credentials, or confirm this account in the form of notebook 00."
            )


def is_of_aws(endpoint: str) -> bool:
    """True for an endpoint that is AWS's own.

    >>> is_of_aws("https://ec2.eu-west-1.amazonaws.com"), is_of_aws("http://localhost:4566")
    (True, False)
    """
    return f".{urlsplit(endpoint).hostname or ''}".endswith(_AWS_DOMAINS)


def _advice_on(fact: str) -> str:
    return (
        f"The lab is set to AWS, but {fact}. Unset AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
        "this terminal, take `endpoint_url` out of the AWS configuration file, or go back to the sandbox: "
        f"{BACK_TO_THE_SANDBOX}."
    )
