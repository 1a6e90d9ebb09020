"""The lab as a notebook holds it: settings, the cloud, and the resources that are provided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from labkit.phases import Phase
from labkit.show.shown import Shown

TAGS = {"labkit": "vpc-flow-logs-lab"}
"""The tags of everything that the lab makes."""


class LabError(Exception):
    """Something the lab needs is not there, or not as it should be; the message says what to do."""


@dataclass(frozen=True)
class Vpc:
    """The provided VPC."""

    id: str
    name: str
    cidr: str


@dataclass(frozen=True)
class WebServer:
    """The provided instance, as it is now."""

    id: str
    name: str
    public_ip: str
    private_ip: str
    interface_id: str
    security_groups: tuple[str, ...]
    """The names of the attached groups."""


@dataclass(frozen=True)
class Role:
    """The provided role that lets VPC Flow Logs write to CloudWatch Logs."""

    name: str
    arn: str


@dataclass(frozen=True)
class SecurityGroup:
    """One of the provided security groups."""

    id: str
    name: str


class Lab:
    """What every action of the lab takes first.

    >>> lab = Lab.open()                                        # doctest: +SKIP
    >>> lab.vpc.id, lab.bucket, lab.web_server.public_ip        # doctest: +SKIP
    """

    _current: ClassVar[Lab | None] = None

    @classmethod
    def open(cls) -> Lab:
        """The lab with the settings of notebook 00, on the cloud they name; the sandbox is started if none runs."""
        raise NotImplementedError

    @classmethod
    def current(cls) -> Lab:
        """The lab that was opened last in this process; it is opened if none was."""
        raise NotImplementedError

    region: str
    account_id: str
    email: str

    @property
    def session(self) -> Any:
        """The boto3 session; every client made of it, PyAthena's too, reaches the lab's cloud."""
        raise NotImplementedError

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the lab's region, made once."""
        raise NotImplementedError

    @property
    def vpc(self) -> Vpc:
        """The VPC tagged `Lab VPC`."""
        raise NotImplementedError

    @property
    def web_server(self) -> WebServer:
        """The instance tagged `Web Server`, looked up anew each time: its security groups change."""
        raise NotImplementedError

    @property
    def bucket(self) -> str:
        """The bucket of the settings, or else the one with `vpcflowlogsbucket` in its name."""
        raise NotImplementedError

    @property
    def delivery_role(self) -> Role:
        """The role with `DeliverVPCFlowLogsRole` in its name."""
        raise NotImplementedError

    def security_group(self, name: str) -> SecurityGroup:
        """The group of the lab VPC with `name` in its name: `HTTPOnly` or `HTTPAndSSH`."""
        raise NotImplementedError

    def provided(self) -> Shown:
        """A table of the resources that the lab was given."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The cloud's time, in UTC."""
        raise NotImplementedError

    def wait_until(self, condition: Callable[[], bool], *, expect: str = "5-15 min", what: str = "") -> Shown:
        """Waits until the condition holds: polls with a progress bar on AWS, skips virtual time in the sandbox.

        `expect` is how long it usually takes; after three times its upper end the wait gives up with a LabError that
        says what was waited for. `what` names it: "the first log stream".
        """
        raise NotImplementedError

    def catch_up(self, before: str | int | Phase) -> Shown:
        """Does the earlier phases that aren't done yet, so that any notebook can be started first."""
        raise NotImplementedError
