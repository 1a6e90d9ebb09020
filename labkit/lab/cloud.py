"""The one seam between the clouds: the sandbox on this machine, and a real AWS account.

They differ in how a boto3 session is made, how time passes, and how a connection is attempted and a mail is read. All
other labkit code is the same for both, and never asks which one it is on.
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
"""How long a connection attempt is given; a security group that drops packets answers nothing at all."""

ADDRESS_SERVICE, ADDRESS_SECONDS = "https://checkip.amazonaws.com", 3.0

_ADVICE = "Run the notebook's first cell again: it starts the sandbox as it was, and nothing you did is lost."


@dataclass(frozen=True)
class Connection:
    """What became of an attempt to connect: `connected`, `timed out` or `refused`, and why where that is known."""

    outcome: str
    why: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail in the mailbox."""

    to: str
    subject: str
    body: str


class WaitedInVain(LabError):
    """What was waited for did not come in time."""


Steps = Callable[[], tuple[int, int]]


def no_steps() -> tuple[int, int]:
    """Of what is waited for it isn't known how much there is."""
    return 0, 0


class Cloud(Protocol):
    """What the lab needs of a cloud."""

    name: str
    is_personal: bool
    """True if its account, addresses and mails are somebody's, and not to be shown around."""
    can_be_provided: bool
    """True if the provided environment can be deployed there where it is missing."""
    advice_if_missing: str
    """What to do when the provided environment is not there."""
    advice_if_unreachable: str
    """What to do when its first answer is an error, or none comes."""
    settling_seconds: float
    """How long it may take until all of the cloud knows what was just made; 0 where there is no such time."""

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """A boto3 session whose clients all reach this cloud; their calls are written down in `calls`."""

    def confirms(self, account: str) -> bool:
        """True if this is the account that was confirmed as the one to work in."""

    def now(self) -> datetime:
        """This cloud's time, in UTC."""

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Lets time pass until the condition holds and says how many seconds it took; WaitedInVain after `timeout`.

        `expected` are the seconds that it usually takes at most; `steps` says how many of how many are done, where
        that is known.
        """

    def connect(self, destination: str, port: int) -> Connection:
        """Attempts a TCP connection."""

    def own_address(self) -> str:
        """The public address that this machine is seen under; empty where that can't be found out."""

    def mails(self, to: str) -> list[Mail]:
        """The mails that came for an address, the latest last; none where the mailbox can't be looked into."""

    def follow(self, link: str) -> None:
        """Opens a link from a mail, as a click would."""

    def reset(self) -> None:
        """Puts everything back to how it was at first, where that can be done."""


def open_cloud(settings: Settings) -> Cloud:
    """The cloud that the settings name; the sandbox is started if none runs."""
    return SandboxCloud.open(settings) if settings.cloud == "sandbox" else AwsCloud.open(settings)


class SandboxCloud:
    """The sandbox on this machine: its time is virtual and is skipped."""

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
        """The sandbox that runs for this LABKIT_HOME, started if none does."""
        from labkit.sandbox import process

        try:
            return cls(process.start(home(), region=settings.region))
        except process.SandboxError as failure:
            raise LabError(_sentence(failure)) from failure

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """A session that knows the sandbox alone: neither ~/.aws nor the environment has a say in it."""
        server = self._server
        botocore_session = SandboxSession(
            server.endpoint, server.access_key_id, server.secret_access_key, region=region
        )
        calls.listen(botocore_session.get_component("event_emitter"))
        return boto3.Session(botocore_session=botocore_session, region_name=region)

    def confirms(self, account: str) -> bool:
        """Always: there is no other."""
        return True

    def now(self) -> datetime:
        """The reading of the sandbox's clock."""
        return datetime.fromisoformat(self._control("GET", "/clock")["now"])

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Skips virtual time, step by step, until the condition holds; a wait that is long for real shows a bar."""
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
        """Move the sandbox's time on; who interrupts that stops it where it is."""
        try:
            self._control("POST", "/clock/advance", {"seconds": seconds})
        except KeyboardInterrupt:
            self._control("POST", "/clock/stop", {})
            raise

    def connect(self, destination: str, port: int) -> Connection:
        """Has an address outside the VPC try it, in the sandbox's network."""
        answer = self._control("POST", "/connect", {"destination": destination, "port": port, "protocol": "tcp"})
        return Connection(answer["outcome"], str(answer.get("why", "")))

    def own_address(self) -> str:
        """None: in the sandbox everybody outside the VPC has an address of the story's."""
        return ""

    def mails(self, to: str) -> list[Mail]:
        """The mails of the sandbox's inbox."""
        messages = self._control("GET", "/inbox")["messages"]
        return [Mail(each["to"], each["subject"], each["body"]) for each in messages if each["to"] == to]

    def follow(self, link: str) -> None:
        """Opens the link, if it is one of the sandbox's own."""
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
        """Puts the sandbox back to its first minute."""
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
        """The account that the credentials belong to, with its alias where it has one: `123456789012 (my-lab)`."""
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
        """A session as boto3 makes it, guarded: nothing of the sandbox, no change in an unconfirmed account."""
        botocore_session = GuardedSession(self._confirmed_account)
        calls.listen(botocore_session.get_component("event_emitter"))
        return boto3.Session(botocore_session=botocore_session, region_name=region)

    def confirms(self, account: str) -> bool:
        """True for the one that the learner confirmed."""
        return account == self._confirmed_account

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def wait_until(
        self, condition: Callable[[], bool], *, timeout: float, what: str, expected: float = 0, steps: Steps = no_steps
    ) -> float:
        """Looks again and again, with growing, jittered pauses, and a progress bar on the way.

        The bar fills with the steps, or else with the expected time, and shows the time that went by. A look at which
        AWS asks to slow down, or doesn't answer, is a look in vain and no more.
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
        """What AWS's own https://checkip.amazonaws.com sees, if it answers; it is asked once."""
        if self._own_address is None:
            try:
                with request.urlopen(ADDRESS_SERVICE, timeout=ADDRESS_SECONDS) as answer:
                    self._own_address = str(ipaddress.IPv4Address(answer.read(64).decode("ascii").strip()))
            except (OSError, ValueError):
                self._own_address = ""
        return self._own_address

    def mails(self, to: str) -> list[Mail]:
        """None: the mailbox is the learner's own."""
        return []

    def follow(self, link: str) -> None:
        """Not done: a link in the learner's own mailbox is the learner's to click."""
        raise LabError("Open the link in your own mailbox.")

    def reset(self) -> None:
        """Not done: an account may hold more than the lab."""
        raise LabError("A real account isn't reset; remove what the lab made with notebook 10 or `labkit clean`.")


_BAR = "{desc}: |{bar:20}|{postfix}"
_BAR_SECONDS = 5.0
"""A wait in the sandbox is over before most people have read a bar; one that takes longer shows it."""
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
