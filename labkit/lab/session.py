"""A lab: settings, the cloud, its clients, and the resources that are provided. What every action takes first.

A notebook holds the lab of `labkit/notebook.py`, which adds what a person asks for; phases, checks and the command line
work with what is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from labkit.lab import ledger, masking, progress, resources, settings
from labkit.lab.calls import Recorder
from labkit.lab.cloud import Cloud, minutes, no_steps, open_cloud
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided, Role, SecurityGroup, Vpc, WebServer
from labkit.lab.settings import Settings

if TYPE_CHECKING:
    import boto3

Found = TypeVar("Found")


class WaitInterrupted(LabError):
    """The learner stopped a wait."""


class Course(Protocol):
    """What a phase needs to rebuild its known start: the earlier phases, done in order."""

    def catch_up(self, before: str) -> object:
        """Do the phases before that one, as far as they aren't done yet."""


class Lab:
    """What every action of the lab takes first.

    >>> lab = Lab.open()                                        # doctest: +SKIP
    >>> lab.vpc.id, lab.bucket, lab.web_server.public_ip        # doctest: +SKIP
    """

    last_opened: ClassVar[Lab | None] = None
    course: Course
    """Set by labkit/phases/course.py: this module imports no phase."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self.settings = settings
        self.cloud = cloud
        self.calls = Recorder()
        self.claims_by_name = False
        """True while everything with the lab's names counts as made by the lab, whoever made it."""
        self._clients: dict[str, Any] = {}

    @classmethod
    def open(cls, **changes: str) -> Self:
        """Open the lab with the settings of notebook 00, on the cloud they name; start the sandbox if none runs.

        `changes` apply to this lab only and aren't saved: `Lab.open(region="us-east-1")`.
        """
        wanted = settings.load().changed(**changes)
        lab = cls(wanted, open_cloud(wanted))
        lab.meet_account()
        lab.mask()
        Lab.last_opened = lab
        lab.remind()
        return lab

    @classmethod
    def current(cls) -> Lab:
        """Return the lab that was opened last in this process; open it if none was."""
        return Lab.last_opened or cls.open()

    def __repr__(self) -> str:
        return f"Lab on {self.settings.cloud} in {self.region}"

    @property
    def region(self) -> str:
        """The region of the settings; every path and name follows it."""
        return self.settings.region

    @property
    def email(self) -> str:
        """The address that the alarm writes to."""
        return self.settings.email

    @property
    def case_number(self) -> int:
        """The number of the learner's own case in the investigation."""
        return progress.load().case

    @cached_property
    def account_id(self) -> str:
        """The account that the cloud's credentials belong to."""
        return str(self._identity["Account"])

    @property
    def caller_arn(self) -> str:
        """The user or the assumed role that the credentials are of."""
        return str(self._identity["Arn"])

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        identity: Mapping[str, str] = self.client("sts").get_caller_identity()
        return identity

    @cached_property
    def session(self) -> boto3.Session:
        """The boto3 session; every client made of it, PyAthena's too, reaches the lab's cloud."""
        return self.cloud.session(self.region, self.calls)

    def meet_account(self) -> None:
        """Ask whose credentials these are, so that a wrong key or a missing network shows here, in a sentence."""
        try:
            _ = self.account_id
        except (BotoCoreError, ClientError) as failure:
            raise LabError(f"{self.cloud.advice_if_unreachable} ({failure})") from failure

    def mask(self) -> None:
        """Hide the learner's own data in what cells show, if the cloud has any."""
        masking.show_all()
        if self.cloud.is_personal:
            masking.hide({self.account_id: "ACCOUNT", self.email: "E-MAIL", self.cloud.own_address(): "MY-ADDRESS"})
            masking.hide({self.caller_arn: "CALLER", _address_in(self.caller_arn): "CALLER"})

    def remind(self) -> None:
        """Print a reminder of a lab that was begun long ago and still costs money, if the cloud charges for it."""
        if self.cloud.is_personal and (word := ledger.forgotten(self)):
            print(word)

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the lab's region, made once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    @cached_property
    def vpc(self) -> Vpc:
        """The VPC tagged `Lab VPC`."""
        return resources.find_vpc(self)

    @property
    def web_server(self) -> WebServer:
        """The instance tagged `Web Server`, looked up anew each time: its security groups change."""
        server = resources.find_web_server(self)
        if self.cloud.is_personal:
            masking.hide({server.public_ip: "SERVER-ADDRESS"})
        return server

    @cached_property
    def bucket(self) -> str:
        """The bucket of the settings, or else the one with `vpcflowlogsbucket` in its name."""
        return resources.find_bucket(self)

    @cached_property
    def delivery_role(self) -> Role:
        """The role with `DeliverVPCFlowLogsRole` in its name."""
        return resources.find_delivery_role(self)

    def security_group(self, name: str) -> SecurityGroup:
        """The group of the lab VPC with `name` in its name: `HTTPOnly` or `HTTPAndSSH`."""
        return resources.find_security_group(self, name)

    def use(self, wanted: Settings) -> None:
        """Change to other settings if their cloud can be reached."""
        other = type(self)(wanted, open_cloud(wanted))
        other.meet_account()
        try:
            other.vpc, other.bucket  # noqa: B018 -- what can't be found is best met here
        except NotProvided:
            if not other.cloud.can_be_provided:
                raise
        kept = vars(self).get("course")
        vars(self).clear()
        vars(self).update(vars(other))
        if kept is not None:
            self.course = kept
        self.mask()

    def now(self) -> datetime:
        """The cloud's time, in UTC."""
        return self.cloud.now()

    def wait(
        self,
        condition: Callable[[], bool],
        *,
        expect: str = "5-15 min",
        what: str = "it",
        steps: Callable[[], tuple[int, int]] = no_steps,
    ) -> str:
        """Wait until the condition is true: poll with a progress bar on AWS, skip virtual time in the sandbox.

        `expect` is how long it usually takes; after three times its upper end the wait fails with an error that names
        `what`, such as "the first log stream". `steps` returns the steps done and the steps in all, for the bar. You
        may interrupt a wait and run the cell again to resume it. Return how long it took, in a sentence.
        """
        usual = _upper_end(expect)
        try:
            passed = self.cloud.wait_until(condition, timeout=3 * usual, what=what, expected=usual, steps=steps)
        except KeyboardInterrupt:
            raise WaitInterrupted(
                f"Stopped waiting for {what}. Nothing is lost: run the cell again to go on waiting."
            ) from None
        took = f"after {minutes(passed)} (expected {expect})" if passed else "at once"
        return f"Waited for {what}: there {took}."

    def settled(self, look: Callable[[], Found | None], what: str) -> Found:
        """Return what `look` finds, waiting as long as the cloud may need to know what was just made."""
        found = look()
        if found is None and self.cloud.settling_seconds:
            self.cloud.wait_until(
                lambda: look() is not None, timeout=self.cloud.settling_seconds, what=f"AWS to know of {what}"
            )
            found = look()
        if found is None:
            raise LabError(f"{what[0].upper()}{what[1:]} was made, but is not there: run this cell again.")
        return found

    def forget_found(self) -> None:
        """Forget cached resources, so that each is looked up again."""
        for name in ("vpc", "bucket", "delivery_role"):
            vars(self).pop(name, None)

    def start_anew(self) -> None:
        """Put the sandbox back into its first minute. An account is cleaned up instead, by notebook 10."""
        self.cloud.reset()
        progress.begin_anew()
        self.forget_found()
        vars(self).pop("account_id", None)


def _address_in(arn: str) -> str:
    """Return the e-mail address in an ARN: single sign-on names a session after its user's address."""
    name = arn.rpartition("/")[2]
    return name if "@" in name else ""


def _upper_end(expect: str) -> float:
    """Return the upper end of `5-15 min`, `30 s` or `1 h` in seconds."""
    match = re.fullmatch(r"(?:\d+\s*-\s*)?(\d+) ?(s|min|h)", expect)
    if not match:
        raise ValueError(f"expect={expect!r}: write how long it usually takes as '30 s', '5 min' or '5-15 min'")
    return int(match[1]) * {"s": 1, "min": 60, "h": 3600}[match[2]]
