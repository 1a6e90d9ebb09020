"""A case to investigate: one day of the web server with an incident in it, different for every number.

Flow logs show who spoke to whom and how much; the server's log of logins shows the account. Neither tells the whole
story, so an investigation needs both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from labkit.flowlog.story.cast import WEB_SERVER
from labkit.flowlog.story.incident import Incident, draw_incident
from labkit.flowlog.story.rhythm import HOUR, seconds_of
from labkit.flowlog.story.story import Story

INTRUDERS = tuple(f"198.51.100.{host}" for host in range(60, 120))
DROP_HOSTS = tuple(f"192.0.2.{host}" for host in range(12, 70))
ACCOUNTS = ("backup", "deploy", "jenkins", "postgres", "www-data")
GUESSED_NAMES = ("root", "admin", "ubuntu", "test", "oracle", "guest", "pi", "ftpuser")
OFFICE_ADDRESS = "203.0.113.10"
HOST_NAME = "web"


@dataclass(frozen=True)
class LoginEvent:
    """One line of the server's log of logins, and when it was written: seconds since the epoch."""

    at: int
    line: str


@dataclass(frozen=True)
class Case:
    """The case of that number, on that day."""

    number: int
    day: date

    @cached_property
    def incident(self) -> Incident:
        """What happened."""
        rng = self._random()
        earliest = seconds_of(self.day) + HOUR * float(rng.integers(0, 20))
        return draw_incident(rng, earliest=earliest, port=22, intruders=INTRUDERS, drop_hosts=DROP_HOSTS)

    @cached_property
    def account(self) -> str:
        """Whose password was guessed."""
        return str(np.random.Generator(np.random.PCG64([self.number, 2000])).choice(ACCOUNTS))

    @cached_property
    def records(self) -> pa.Table:
        """The day's flow log records."""
        return Story(self.day, 1, self.number, self.incident).records()

    def first_let_in(self) -> datetime:
        """When SSH first let in somebody from outside the office."""
        return datetime.fromtimestamp(int(self._let_in_by_ssh()["start"].min()), UTC)

    def logins(self) -> list[LoginEvent]:
        """What sshd logged about everybody whom the security group let in, in the order of time."""
        logins = self._let_in_by_ssh(office=True).drop_duplicates(["srcaddr", "srcport"])
        rng = np.random.Generator(np.random.PCG64([self.number, 3000]))
        names = rng.choice(GUESSED_NAMES, len(logins))
        return [
            LoginEvent(int(row.start) + 2, self._line(row, str(name)))
            for row, name in zip(logins.itertuples(), names, strict=True)
        ]

    def _line(self, row: tuple[int, ...], guessed: str) -> str:
        source, port, moment = row.srcaddr, int(row.srcport), int(row.start)  # type: ignore[attr-defined]
        if source == OFFICE_ADDRESS:
            outcome = "Accepted publickey for ec2-user"
        elif source == self.incident.intruder and moment >= int(self.incident.got_in):
            outcome = f"Accepted password for {self.account}"
        else:
            outcome = f"Failed password for {'' if guessed == 'root' else 'invalid user '}{guessed}"
        written = datetime.fromtimestamp(moment + 2, UTC)
        when = f"{written:%b} {written.day:2d} {written:%H:%M:%S}"
        return f"{when} {HOST_NAME} sshd[{2000 + port % 7000}]: {outcome} from {source} port {port} ssh2"

    def _let_in_by_ssh(self, *, office: bool = False) -> pd.DataFrame:
        asked = self.records.to_pandas().query(f"dstport == 22 and dstaddr == '{WEB_SERVER}' and action == 'ACCEPT'")
        asked = asked.sort_values(["start", "srcport"], kind="stable")
        return asked if office else asked[asked["srcaddr"] != OFFICE_ADDRESS]

    def _random(self) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.number, 1000]))
