"""The only place that knows the difference between the two clouds: the sandbox on this machine, and a real AWS account.

They differ in how a boto3 session is made, how time passes, how a connection is attempted, and how a mail is read. All
other labkit code is the same for both and never asks which one it runs on.
"""

from __future__ import annotations

import ipaddress
import os
import random
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib import error, request

import boto3
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionError_

from labkit.lab.aws_session import BACK_TO_THE_SANDBOX, GuardedSession, SandboxSession
from labkit.lab.calls import Recorder
from labkit.lab.errors import LabError
from labkit.lab.settings import Settings, SettingsError, home, problem

if TYPE_CHECKING:
    from labkit.sandbox.process import Server

CONNECT_SECONDS = 10.0
"""How long a connection attempt may take; a security group that drops packets never answers."""

ADDRESS_SERVICE, ADDRESS_SECONDS = "https://checkip.amazonaws.com", 3.0

_ADVICE = "Run the notebook's first cell again: it starts the sandbox as it was, and nothing you did is lost."


@dataclass(frozen=True)
class Connection:
    """The outcome of an attempt to connect: `connected`, `timed out` or `refused`, and the reason if it is known."""

    outcome: str
    why: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail in the mailbox."""

    to: str
    subject: str
    body: str


class WaitedInVain(LabError):
    """A wait ended because its condition did not become true in time."""


Steps = Callable[[], tuple[int, int]]


def no_steps() -> tuple[int, int]:
    """Progress unknown."""
    return 0, 0


class Cloud(Protocol):
    """What the lab needs of a cloud."""

    name: str
    is_personal: bool
    """True if its account, addresses and mails belong to a person and must not be shown to others."""
    can_be_provided: bool
    """True if labkit can deploy the provided environment there."""
    advice_if_missing: str
    """What to do when the provided environment is not there."""
    advice_if_unreachable: str
    """What to do if its first answer is an error, or if it does not answer."""
    settling_seconds: float
    """Seconds until all of the cloud knows what was just made; 0 if it knows at once."""

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """Return a boto3 session whose clients all reach this cloud and record their calls in `calls`."""

    def confirms(self, account: str) -> bool:
        """Return whether this is the account that the learner confirmed."""

    def now(self) -> datetime:
        """This cloud's time, in UTC."""

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Let time pass until the condition is true, and return the seconds; raise WaitedInVain after `timeout`.

        `expected` is the number of seconds that it usually takes at most; `steps` returns the steps done and the steps
        in all, if they are known.
        """

    def connect(self, destination: str, port: int) -> Connection:
        """Attempt a TCP connection."""

    def own_address(self) -> str:
        """Return this machine's public address; empty if it can't be found out."""

    def mails(self, to: str) -> list[Mail]:
        """Return the mails that came for an address, the latest last; empty if labkit can't read the mailbox."""

    def follow(self, link: str) -> None:
        """Open a link from a mail, as a click would."""

    def reset(self) -> None:
        """Put everything back to its first state, if the cloud can do that."""


def open_cloud(settings: Settings) -> Cloud:
    """Return the cloud that the settings name; start the sandbox if none runs."""
    return SandboxCloud.open(settings) if settings.cloud == "sandbox" else AwsCloud.open(settings)


class SandboxCloud:
    """The sandbox on this machine: its time is virtual, and waits skip it."""

    name = "sandbox"
    is_personal = can_be_provided = False
    advice_if_missing = "Start the sandbox afresh with `labkit sandbox reset`."
    advice_if_unreachable = "The sandbox can't be used: stop it with `labkit sandbox stop`, and open the lab again."
    settling_seconds = 0.0
    step = 30.0
    """Seconds of virtual time between two looks at a condition."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._opener = request.build_opener(request.ProxyHandler({}))

    @classmethod
    def open(cls, settings: Settings) -> SandboxCloud:
        """Return the sandbox that runs for this LABKIT_HOME; start it if none runs."""
        from labkit.sandbox import process

        try:
            return cls(process.start(home(), region=settings.region))
        except process.SandboxError as failure:
            raise LabError(_sentence(failure)) from failure

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """Return a session that knows only the sandbox: it ignores ~/.aws and the environment."""
        server = self._server
        botocore_session = SandboxSession(
            server.endpoint, server.access_key_id, server.secret_access_key, region=region
        )
        calls.listen(botocore_session.get_component("event_emitter"))
        return boto3.Session(botocore_session=botocore_session, region_name=region)

    def confirms(self, account: str) -> bool:
        """Return True: there is no other account."""
        return True

    def now(self) -> datetime:
        """The reading of the sandbox's clock."""
        return datetime.fromisoformat(self._control("GET", "/clock")["now"])

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Skip virtual time in steps until the condition is true; show a bar if the wait takes long in real time."""
        from tqdm import tqdm

        passed = 0.0
        bar = tqdm(desc=what, total=round(timeout), bar_format=_BAR, file=sys.stderr, leave=False, delay=_BAR_SECONDS)
        with bar:
            while not condition():
                if passed >= timeout:
                    raise WaitedInVain(
                        f"Waited {minutes(passed)} of the sandbox's time for {what}, in vain. See with check(...) what "
                        "is missing, then run the cell again."
                    )
                self._advance(self.step)
                passed += self.step
                bar.set_postfix_str(f"{minutes(passed)} of the sandbox's time", refresh=False)
                bar.update(self.step)
        return passed

    def _advance(self, seconds: float) -> None:
        """Move the sandbox's time on; an interrupt stops it where it is."""
        try:
            self._control("POST", "/clock/advance", {"seconds": seconds})
        except KeyboardInterrupt:
            self._control("POST", "/clock/stop", {})
            raise

    def connect(self, destination: str, port: int) -> Connection:
        """Try the connection from an address outside the VPC, in the sandbox's network."""
        answer = self._control("POST", "/connect", {"destination": destination, "port": port, "protocol": "tcp"})
        return Connection(answer["outcome"], str(answer.get("why", "")))

    def own_address(self) -> str:
        """Return no address: in the sandbox everybody outside the VPC has an address of the story."""
        return ""

    def mails(self, to: str) -> list[Mail]:
        """The mails of the sandbox's inbox."""
        messages = self._control("GET", "/inbox")["messages"]
        return [Mail(each["to"], each["subject"], each["body"]) for each in messages if each["to"] == to]

    def follow(self, link: str) -> None:
        """Open the link if it is one of the sandbox's own."""
        if not link.startswith(f"{self._server.endpoint}/"):
            raise LabError(
                "The link in the mail does not lead to the sandbox and is not followed: run subscribe_email(lab) for "
                "one that does."
            )
        try:
            self._opener.open(link, timeout=60).close()
        except error.HTTPError as refusal:
            raise LabError(
                f"The link was refused: HTTP {refusal.code}. Run subscribe_email(lab) again for a new mail."
            ) from refusal
        except OSError as failure:
            raise LabError(f"The sandbox does not answer. {_ADVICE}") from failure

    def reset(self) -> None:
        """Put the sandbox back to its first minute."""
        self._control("POST", "/reset", {})

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        from labkit.sandbox.process import SandboxBusy, SandboxError

        try:
            return self._server.control(method, path, body)
        except SandboxBusy as failure:
            raise LabError(_sentence(failure)) from failure
        except SandboxError as failure:
            raise LabError(f"{_sentence(failure)} {_ADVICE}") from failure


class AwsCloud:
    """A real AWS account, by the credentials that boto3 finds."""

    name = "aws"
    is_personal = can_be_provided = True
    advice_if_missing = "`labkit provide` deploys what the lab needs into this region; or choose another region."
    advice_if_unreachable = (
        "AWS can't be used: see that there is a network, and that `aws sts get-caller-identity` works; or go back "
        f"to the sandbox, which needs neither: {BACK_TO_THE_SANDBOX}."
    )
    settling_seconds = 120.0
    shortest_pause, longest_pause = 5.0, 30.0

    def __init__(self, confirmed_account: str = "") -> None:
        self._confirmed_account = confirmed_account
        self._own_address: str | None = None

    @classmethod
    def open(cls, settings: Settings) -> AwsCloud:
        """AWS with the account that was confirmed, in LABKIT_AWS_ACCOUNT or in the form."""
        account = os.environ.get("LABKIT_AWS_ACCOUNT", "").strip()
        if text := problem("aws_account", account):
            raise SettingsError({"LABKIT_AWS_ACCOUNT": text}, advice="Set it to the account to work in, or unset it.")
        return cls(account or settings.aws_account)

    @staticmethod
    def identity(region: str) -> str:
        """Return the account that the credentials belong to, with its alias if it has one: `123456789012 (my-lab)`."""
        session = GuardedSession("")
        try:
            account = session.account()
            iam = session.create_client("iam", region_name=region)
            aliases = iam.list_account_aliases()["AccountAliases"]
        except (BotoCoreError, ClientError) as failure:
            raise LabError(
                f"AWS could not be asked whose the credentials are: {failure}. See that there is a network, and that "
                "`aws sts get-caller-identity` works."
            ) from failure
        return f"{account} ({aliases[0]})" if aliases else account

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """Return a guarded session, which never reaches the sandbox and changes nothing in an unconfirmed account."""
        botocore_session = GuardedSession(self._confirmed_account)
        calls.listen(botocore_session.get_component("event_emitter"))
        return boto3.Session(botocore_session=botocore_session, region_name=region)

    def confirms(self, account: str) -> bool:
        """Return whether this is the account that the learner confirmed."""
        return account == self._confirmed_account

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Poll with growing, jittered pauses, and show a progress bar.

        The bar fills with the steps, or else with the expected time, and shows the elapsed time. If AWS throttles a
        poll or doesn't answer it, the wait goes on.
        """
        from tqdm import tqdm

        start = time.monotonic()
        pause = self.shortest_pause
        with tqdm(desc=what, total=round(expected or timeout), bar_format=_BAR, file=sys.stderr, leave=False) as bar:
            while not _holds_by_now(condition):
                passed = time.monotonic() - start
                if passed >= timeout:
                    raise WaitedInVain(
                        f"Waited {minutes(passed)} for {what}, in vain. Run the cell again to go on waiting, or see "
                        "with check(...) what is missing."
                    )
                _fill(bar, passed, expected or timeout, steps)
                time.sleep(pause * random.uniform(0.8, 1.2))
                pause = min(pause * 1.3, self.longest_pause)
        return time.monotonic() - start

    def connect(self, destination: str, port: int) -> Connection:
        """A TCP connection from this machine."""
        try:
            socket.create_connection((destination, port), timeout=CONNECT_SECONDS).close()
        except TimeoutError:
            return Connection("timed out", f"no answer within {CONNECT_SECONDS:.0f} s")
        except ConnectionRefusedError:
            return Connection("refused", "the machine answered that nothing listens on the port")
        except OSError as failure:
            raise LabError(
                f"No connection could be tried from this machine: {failure.strerror}. See that it has a network, then "
                "run the cell again."
            ) from failure
        return Connection("connected")

    def own_address(self) -> str:
        """Return the address that AWS's own https://checkip.amazonaws.com sees, if it answers; ask it once."""
        if self._own_address is None:
            try:
                with request.urlopen(ADDRESS_SERVICE, timeout=ADDRESS_SECONDS) as answer:
                    self._own_address = str(ipaddress.IPv4Address(answer.read(64).decode("ascii").strip()))
            except (OSError, ValueError):
                self._own_address = ""
        return self._own_address

    def mails(self, to: str) -> list[Mail]:
        """Return no mails: the mailbox is the learner's own."""
        return []

    def follow(self, link: str) -> None:
        """Raise LabError: only the learner clicks a link in the learner's own mailbox."""
        raise LabError("Open the link in your own mailbox.")

    def reset(self) -> None:
        """Raise LabError: an account may hold more than the lab."""
        raise LabError("A real account isn't reset; remove what the lab made with notebook 10 or `labkit clean`.")


_BAR = "{desc}: |{bar:20}|{postfix}"
_BAR_SECONDS = 5.0
"""Seconds before a wait shows a bar: most waits in the sandbox end before anybody could read one."""
_PASSING = frozenset(
    {"RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)


def _holds_by_now(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] not in _PASSING:
            raise
    except (ConnectionError_, HTTPClientError):
        pass
    return False


def _fill(bar: Any, passed: float, expected: float, steps: Steps) -> None:
    done, total = steps()
    bar.total, bar.n = (total, done) if total else (round(expected), min(round(passed), round(expected)))
    told = f"{done} of {total}, " if total else ""
    bar.set_postfix_str(f"{told}{minutes(passed)}, usually up to {minutes(expected)}")


def _sentence(failure: Exception) -> str:
    text = str(failure)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!')) else '.'}"


def minutes(seconds: float) -> str:
    """A duration in words: `6 min 30 s`."""
    whole, rest = divmod(round(seconds), 60)
    return " ".join(filter(None, [f"{whole} min" if whole else "", f"{rest} s" if rest or not whole else ""]))
