"""The lab as a notebook holds it: settings, the cloud, and the resources that are provided."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from labkit import progress, provided, settings
from labkit.calls import Recorder
from labkit.cloud import Cloud, minutes, no_steps, open_cloud
from labkit.errors import LabError
from labkit.provided import NotProvided, Role, SecurityGroup, Vpc, WebServer
from labkit.settings import Settings
from labkit.show import masking
from labkit.show.cell_errors import explain_in_cells
from labkit.show.tables import CliLines, Note, Table

if TYPE_CHECKING:
    import boto3

    from labkit.phases import Phase
    from labkit.preflight import Preflight
    from labkit.show.cards import Card
    from labkit.show.phase_table import PhaseTable
    from labkit.show.settings_form import SettingsForm

__all__ = ["TAGS", "Lab", "LabError", "Role", "SecurityGroup", "Vpc", "WebServer"]

TAGS = {"labkit": "vpc-flow-logs-lab"}
"""The tags of everything that the lab makes."""


Found = TypeVar("Found")


class WaitInterrupted(LabError):
    """The learner stopped a wait."""


class Lab:
    """What every action of the lab takes first.

    >>> lab = Lab.open()                                        # doctest: +SKIP
    >>> lab.vpc.id, lab.bucket, lab.web_server.public_ip        # doctest: +SKIP
    """

    _current: ClassVar[Lab | None] = None

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self.settings = settings
        self.cloud = cloud
        self.calls = Recorder()
        self.claims_by_name = False
        """True while whatever carries the lab's names counts as made by the lab, by whatever means it was made."""
        self._clients: dict[str, Any] = {}

    @classmethod
    def open(cls, **changes: str) -> Lab:
        """The lab with the settings of notebook 00, on the cloud they name; the sandbox is started if none runs.

        `changes` hold for this lab alone and aren't kept: `Lab.open(region="us-east-1")`.
        """
        wanted = settings.load().changed(**changes)
        lab = cls(wanted, open_cloud(wanted))
        lab.meet_account()
        lab.mask()
        explain_in_cells()
        cls._current = lab
        lab.remind()
        return lab

    @classmethod
    def current(cls) -> Lab:
        """The lab that was opened last in this process; it is opened if none was."""
        return cls._current or cls.open()

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
        """Asks whose the credentials are: ones that don't work, or no network, are best met here, in a sentence."""
        try:
            _ = self.account_id
        except (BotoCoreError, ClientError) as failure:
            raise LabError(f"{self.cloud.advice_if_unreachable} ({failure})") from failure

    def mask(self) -> None:
        """Keeps what is the learner's own out of what cells show, on a cloud where there is such a thing."""
        masking.show_all()
        if self.cloud.is_personal:
            masking.hide({self.account_id: "ACCOUNT", self.email: "E-MAIL", self.cloud.own_address(): "MY-ADDRESS"})
            masking.hide({self.caller_arn: "CALLER", _address_in(self.caller_arn): "CALLER"})

    def remind(self) -> None:
        """Prints a word on a lab that was begun long ago and goes on costing, on a cloud where it does."""
        from labkit import made

        if self.cloud.is_personal and (word := made.forgotten(self)):
            print(word)

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the lab's region, made once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    @cached_property
    def vpc(self) -> Vpc:
        """The VPC tagged `Lab VPC`."""
        return provided.find_vpc(self)

    @property
    def web_server(self) -> WebServer:
        """The instance tagged `Web Server`, looked up anew each time: its security groups change."""
        server = provided.find_web_server(self)
        if self.cloud.is_personal:
            masking.hide({server.public_ip: "SERVER-ADDRESS"})
        return server

    @cached_property
    def bucket(self) -> str:
        """The bucket of the settings, or else the one with `vpcflowlogsbucket` in its name."""
        return provided.find_bucket(self)

    @cached_property
    def delivery_role(self) -> Role:
        """The role with `DeliverVPCFlowLogsRole` in its name."""
        return provided.find_delivery_role(self)

    def security_group(self, name: str) -> SecurityGroup:
        """The group of the lab VPC with `name` in its name: `HTTPOnly` or `HTTPAndSSH`."""
        return provided.find_security_group(self, name)

    def settings_form(self) -> SettingsForm:
        """The form that the settings are changed with; this lab goes over to them when they are saved."""
        from labkit.show.settings_form import SettingsForm

        return SettingsForm(self.settings, find_buckets=_buckets_with, use=self.use)

    def use(self, wanted: Settings) -> None:
        """Goes over to other settings, if the cloud they name can be reached with them."""
        other = Lab(wanted, open_cloud(wanted))
        other.meet_account()
        try:
            other.vpc, other.bucket  # noqa: B018 -- what can't be found is best met here
        except NotProvided:
            if not other.cloud.can_be_provided:
                raise
        vars(self).clear()
        vars(self).update(vars(other))
        self.mask()

    def asked(self, service: str = "", *, last: int = 1, changes: bool = False) -> CliLines:
        """The last calls as AWS CLI lines, a repeated one once.

        Of one service if it is named (`logs`, `athena`); with `changes` only those that change something.
        """
        calls = [call for call in self.calls.calls if service in ("", call.service) and not (changes and call.reads)]
        named = [call.as_cli() for call in calls]
        return CliLines(tuple(dict.fromkeys(reversed(named)))[:last][::-1])

    def phases(self) -> PhaseTable:
        """The phases of the lab, with what is done of each."""
        from labkit.show.phase_table import phase_table

        return phase_table(self)

    def preflight(self) -> Preflight:
        """A table of what stands in the lab's way here, and what to do about each; changes nothing."""
        from labkit.preflight import preflight

        return preflight(self)

    def provide(self, *, ssh_from: str = "") -> Card:
        """Finds the provided environment, or deploys it; `ssh_from` is the address that may try SSH, else your own."""
        from labkit import environment

        return environment.provide(self, ssh_from=ssh_from)

    def provided(self) -> Table:
        """A table of the resources that the lab was given."""
        return provided.describe(self)

    def now(self) -> datetime:
        """The cloud's time, in UTC."""
        return self.cloud.now()

    def wait_until(
        self,
        condition: Callable[[], bool],
        *,
        expect: str = "5-15 min",
        what: str = "it",
        steps: Callable[[], tuple[int, int]] = no_steps,
    ) -> Note:
        """Waits until the condition holds: polls with a progress bar on AWS, skips virtual time in the sandbox.

        `expect` is how long it usually takes; after three times its upper end the wait gives up with an error that
        says what was waited for. `what` names it: "the first log stream". `steps` says how many of how many are done,
        for the bar. Interrupting a wait is fine; running the cell again takes it up.
        """
        usual = _upper_end(expect)
        try:
            passed = self.cloud.wait_until(condition, timeout=3 * usual, what=what, expected=usual, steps=steps)
        except KeyboardInterrupt:
            raise WaitInterrupted(
                f"Stopped waiting for {what}. Nothing is lost: run the cell again to go on waiting."
            ) from None
        took = f"after {minutes(passed)} (expected {expect})" if passed else "at once"
        return Note(f"Waited for {what}: there {took}.")

    def settled(self, look: Callable[[], Found | None], what: str) -> Found:
        """What a look finds, given the time that the cloud takes until all of it knows what was just made."""
        found = look()
        if found is None and self.cloud.settling_seconds:
            self.cloud.wait_until(
                lambda: look() is not None, timeout=self.cloud.settling_seconds, what=f"AWS to know of {what}"
            )
            found = look()
        if found is None:
            raise LabError(f"{what[0].upper()}{what[1:]} was made, but is not there: run this cell again.")
        return found

    def catch_up(self, before: str | int | Phase) -> Note:
        """Does the earlier phases that aren't done yet, so that any notebook can be started first.

        Says what it does while it does it. What it does counts as skipped in the learner's progress.
        """
        from labkit.phases import PHASES, find_phase
        from labkit.phases.inventory import keep_first

        last = find_phase(before)
        keep_first(self)
        for phase in PHASES[: last.number - 1]:
            print(f"{phase.label} ...", end=" ", flush=True)
            print(self._catch_up_with(phase), flush=True)
        progress.note_opened(last.key)
        return Note(f"Ready for {last.label}.")

    def skip(self, name: str | int | Phase) -> Note:
        """Does a phase as its author would, with what comes before it. It counts as skipped."""
        from labkit.phases import find_phase

        phase = find_phase(name)
        self.catch_up(before=phase)
        done = self._catch_up_with(phase)
        return Note(f"{phase.label}: {done}.")

    def reset(self) -> Note:
        """Begins anew with the sandbox in its first minute. An account is cleaned up instead, by notebook 10."""
        from labkit.phases.inventory import forget_first

        self.cloud.reset()
        progress.begin_anew()
        forget_first()
        for name in ("vpc", "bucket", "delivery_role", "account_id"):
            vars(self).pop(name, None)
        return Note("The sandbox is as it was in its first minute; your points and settings are kept.")

    def _catch_up_with(self, phase: Phase) -> str:
        from labkit.checks import note

        found = phase.module.check(self)
        if found.passed:
            note(phase, found, attempt=False)
            return "already done"
        phase.module.solve(self)
        progress.note_skip(phase.key)
        found = phase.module.check(self)
        if not found.passed:
            raise LabError(
                f"Could not catch up with {phase.label}. See what is missing, then run the cell again.\n{found.text()}"
            )
        return "done now, for you"


def _buckets_with(wanted: Settings) -> tuple[str, ...]:
    """The buckets that there are with these settings; none where the cloud that they name doesn't answer."""
    try:
        return provided.list_buckets(Lab(wanted, open_cloud(wanted)))
    except (BotoCoreError, ClientError, LabError):
        return ()


def _address_in(arn: str) -> str:
    """Single sign-on calls a session by its user's e-mail address."""
    name = arn.rpartition("/")[2]
    return name if "@" in name else ""


def _upper_end(expect: str) -> float:
    """Seconds of the upper end of `5-15 min`, `30 s` or `1 h`."""
    match = re.fullmatch(r"(?:\d+\s*-\s*)?(\d+) ?(s|min|h)", expect)
    if not match:
        raise ValueError(f"expect={expect!r}: write how long it usually takes as '30 s', '5 min' or '5-15 min'")
    return int(match[1]) * {"s": 1, "min": 60, "h": 3600}[match[2]]
