"""An incident: a port is open to the world for an hour, and somebody who has waited for it gets in.

The same few facts make the sample data's incident and, drawn from another number, a learner's own case. An
investigation has to find these facts, so they are data here and in no notebook.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.flowlog.story.flows import TCP, Flows, Truths, make_flows, number_of
from labkit.flowlog.story.scenes import SERVER, knock, ssh_session

Generator = np.random.Generator


@dataclass(frozen=True)
class Incident:
    """What happened, in the order in which it happened; moments are seconds since the epoch."""

    port: int
    opened: float
    """When a rule let the world in to the port, and for how many seconds."""
    open_seconds: float
    intruder: str
    guesses: int
    """Logins that the intruder got wrong: accepted by the rule, refused by the server."""
    got_in: float
    stayed_seconds: float
    drop_host: str
    drop_port: int
    stolen_bytes: int

    def lets_in(self, flows: Flows) -> Truths:
        """Which flows come in through the rule that should not have been."""
        moments = flows["start"]
        while_open = (moments >= self.opened) & (moments < self.opened + self.open_seconds)
        let_in: Truths = while_open & (flows["destination_port"] == self.port) & (flows["protocol"] == TCP)
        return let_in

    def flows(self, rng: Generator) -> Flows:
        """The intruder's guesses, the session that followed, and what the server then sent away."""
        intruder = number_of(self.intruder)
        guessing = np.sort(rng.uniform(self.opened + 120, self.got_in, self.guesses))
        session = ssh_session(rng, np.array([self.got_in]), np.array([self.stayed_seconds]), intruder)
        session["destination_port"] = self.port
        leaves = self.got_in + self.stayed_seconds
        sending = make_flows(
            np.array([leaves - self.stayed_seconds / 2]),
            seconds=self.stayed_seconds / 3,
            source=SERVER,
            source_port=rng.integers(32768, 61000, 1),
            destination=number_of(self.drop_host),
            destination_port=self.drop_port,
            protocol=TCP,
            packets=self.stolen_bytes // 1400,
            bytes=self.stolen_bytes,
        )
        return np.concatenate([knock(rng, guessing, intruder, self.port), session, sending])


def draw_incident(
    rng: Generator, *, earliest: float, port: int, intruders: tuple[str, ...], drop_hosts: tuple[str, ...]
) -> Incident:
    """Draw an incident within three hours of `earliest`, and everything else at random."""
    opened = earliest + 60 * float(rng.integers(5, 90))
    open_seconds = 60 * float(rng.integers(52, 68))
    stayed = 60 * float(rng.integers(11, 16))
    return Incident(
        port=port,
        opened=opened,
        open_seconds=open_seconds,
        intruder=str(rng.choice(intruders)),
        guesses=int(rng.integers(140, 260)),
        got_in=opened + 60 * float(rng.integers(24, 36)),
        stayed_seconds=stayed,
        drop_host=str(rng.choice(drop_hosts)),
        drop_port=int(rng.choice([4444, 8443, 9001, 6667])),
        stolen_bytes=int(rng.integers(180, 420)) * 1_000_000,
    )
