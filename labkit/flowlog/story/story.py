"""The story as flow log records: scenes and an incident, seen by one network interface behind one security group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import ip_address

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.flowlog.story.cast import ACCOUNT_ID, INTERFACE_ID
from labkit.flowlog.story.flows import TCP, WINDOW_SECONDS, Flows, Numbers, Truths, cut_at_windows, number_of, responses
from labkit.flowlog.story.incident import Incident, draw_incident
from labkit.flowlog.story.rhythm import HOUR, hours_of, seconds_of
from labkit.flowlog.story.scenes import SCENES, SERVER, SWARM_COMES
from labkit.flowlog.writer import conform

FIRST_DAY, DAYS, SEED = date(2026, 10, 5), 28, 2026
"""The sample: four weeks from a Monday to a Sunday."""
SSH_OPENED_AFTER = datetime(2026, 10, 24, 21, tzinfo=UTC).timestamp()

OPEN_TO_ALL = (80, 443)
OFFICE = number_of("203.0.113.10")
STOPPED = (datetime(2026, 10, 18, 3, tzinfo=UTC).timestamp(), datetime(2026, 10, 18, 4, tzinfo=UTC).timestamp())
"""A Sunday's maintenance: the server is off, and the flow log has NODATA for every window of the hour."""
SKIPPED = (SWARM_COMES, SWARM_COMES + WINDOW_SECONDS)
"""The windows of the botnet's attack in which the flow log could not keep up: SKIPDATA beside the records it has."""


@dataclass(frozen=True)
class Story:
    """A stretch of time in the life of the web server; the same story gives the same records."""

    first_day: date = FIRST_DAY
    days: int = DAYS
    seed: int = SEED
    incident: Incident | None = None

    @classmethod
    def of_sample(cls, seed: int = SEED) -> Story:
        """The story of data/sample_flowlogs: one Saturday night SSH is open to the world, and the night shift waits."""
        rng = np.random.Generator(np.random.PCG64([seed, 1000]))
        night_shift = ("198.51.100.25", "198.51.100.26", "198.51.100.27")
        drop_hosts = tuple(f"192.0.2.{number}" for number in range(40, 60))
        incident = draw_incident(rng, earliest=SSH_OPENED_AFTER, port=22, intruders=night_shift, drop_hosts=drop_hosts)
        return cls(seed=seed, incident=incident)

    def records(self) -> pa.Table:
        """All records in the order of their windows, in the default format."""
        flows = self._flows()
        table = pa.concat_tables([_ok_records(flows), self._gaps(flows)])
        return table.take(pc.sort_indices(table, [("start", "ascending")]))

    def _flows(self) -> Flows:
        hours = hours_of(self.first_day, self.days)
        scenes = [scene(self._random(number), hours) for number, scene in enumerate(SCENES)]
        incident = [self.incident.flows(self._random(len(SCENES)))] if self.incident else []
        flows = np.concatenate(scenes + incident)
        flows = self._behind_security_group(flows[~_between(flows["start"], *STOPPED)])
        flows = np.concatenate([flows, responses(flows, self._random(len(SCENES) + 1))])
        cut = cut_at_windows(flows)
        in_time: Flows = cut[cut["start"] < hours[-1] + HOUR]
        return in_time

    def _behind_security_group(self, flows: Flows) -> Flows:
        """The verdict on each flow; a knock that is let in at a login port becomes a failed login.

        sshd lets a client guess a few times before it hangs up, so failed logins are of a few sizes.
        """
        outgoing = flows["source"] == SERVER
        web = (flows["protocol"] == TCP) & np.isin(flows["destination_port"], OPEN_TO_ALL)
        office = (flows["source"] == OFFICE) & (flows["destination_port"] == 22)
        astray = self.incident.lets_in(flows) if self.incident else np.zeros(len(flows), bool)
        flows["accepted"] = outgoing | web | office | astray
        failed_login = astray & (flows["packets"] <= 3)
        guesses = 1 + flows["source_port"][failed_login] % 3
        flows["packets"][failed_login] += 10 + 4 * guesses
        flows["bytes"][failed_login] += 1500 + 700 * guesses
        flows["seconds"][failed_login] += 2 * guesses
        return flows

    def _gaps(self, flows: Flows) -> pa.Table:
        """Return a record for every window without traffic (NODATA), and for each that the log missed (SKIPDATA)."""
        begin = seconds_of(self.first_day)
        windows = np.arange(begin, begin + self.days * 86400, WINDOW_SECONDS)
        silent = np.setdiff1d(windows, flows["start"] // WINDOW_SECONDS * WINDOW_SECONDS)
        skipped = np.array([moment for moment in SKIPPED if begin <= moment < windows[-1]])
        return pa.concat_tables([_empty_records(silent, "NODATA"), _empty_records(skipped, "SKIPDATA")])

    def _random(self, number: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, number]))


def _between(moments: Numbers, begin: float, end: float) -> Truths:
    return (moments >= begin) & (moments < end)


def _ok_records(flows: Flows) -> pa.Table:
    start = flows["start"].astype(np.int64)
    columns = {
        **_who_and_how(len(flows), "OK"),
        "srcaddr": _addresses(flows["source"]),
        "dstaddr": _addresses(flows["destination"]),
        "srcport": flows["source_port"].astype(np.int32),
        "dstport": flows["destination_port"].astype(np.int32),
        "protocol": flows["protocol"].astype(np.int32),
        "packets": flows["packets"].astype(np.int64),
        "bytes": flows["bytes"].astype(np.int64),
        "start": start,
        "end": start + flows["seconds"].astype(np.int64),
        "action": np.where(flows["accepted"], "ACCEPT", "REJECT"),
    }
    return conform(pa.table(columns), DEFAULT_FORMAT)


def _empty_records(windows: Numbers, status: str) -> pa.Table:
    start = windows.astype(np.int64)
    columns = {**_who_and_how(len(start), status), "start": start, "end": start + WINDOW_SECONDS - 1}
    return conform(pa.table(columns), DEFAULT_FORMAT)


def _who_and_how(count: int, status: str) -> dict[str, pa.Array]:
    values = {"version": 2, "account_id": ACCOUNT_ID, "interface_id": INTERFACE_ID, "log_status": status}
    return {name: pa.repeat(pa.scalar(value), count) for name, value in values.items()}


def _addresses(numbers: NDArray[np.uint32]) -> pa.Array:
    """Return addresses as text; there are few different ones, so each is formatted once."""
    different, places = np.unique(numbers, return_inverse=True)
    return pa.array([str(ip_address(int(number))) for number in different]).take(pa.array(places))
