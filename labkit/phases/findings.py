"""What an investigation has to find, how exact a finding has to be, and the note that reports the findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from string import Template

from labkit.checks.items import Item, absent, right, wrong
from labkit.flowlog.story.case import Case

UNKNOWN = "?"
"""Stands in a note for a missing finding."""

Likeness = Callable[[str, str], bool]
"""Compares a finding with the truth; raises ValueError if the finding can't be read."""


@dataclass(frozen=True)
class Finding:
    """One question of a case: how a note calls the answer, what an answer looks like, what happened, and a hint."""

    label: str
    form: str
    truth: Callable[[Case], str]
    is_like: Likeness
    hint: str

    def judge(self, found: str, case: Case) -> Item:
        """The finding as an item of a check; it never says what the truth is."""
        if found in ("", UNKNOWN):
            return absent(self.label, wanted=self.form, hint=self.hint)
        try:
            if self.is_like(found, self.truth(case)):
                return right(self.label, found)
        except ValueError:
            hint = f"write it as {self.form}"
            return wrong(self.label, seen=found, wanted=self.form, hint=hint)
        return wrong(self.label, seen=found, wanted="what the evidence says", hint=self.hint)


def same_address(found: str, truth: str) -> bool:
    """Compare addresses as addresses, not as text."""
    return ip_address(found) == ip_address(truth)


def same_name(found: str, truth: str) -> bool:
    """Compare account names letter by letter."""
    return found == truth


def same_number(found: str, truth: str) -> bool:
    """Compare whole numbers."""
    return int(found) == int(truth)


def within_a_twentieth(found: str, truth: str) -> bool:
    """Accept amounts that differ by up to 5 %: where an upload begins and ends is a matter of taste."""
    return abs(float(found) - float(truth)) <= 0.05 * float(truth)


def within_ten_minutes(found: str, truth: str) -> bool:
    """Accept times of day that differ by up to ten minutes, an aggregation window of the case's flow log."""
    return abs(_minutes(found) - _minutes(truth)) <= 10


FINDINGS: dict[str, Finding] = {
    "first_let_in": Finding(
        "First let in (UTC)",
        "a time of day, HH:MM",
        lambda case: f"{case.first_let_in():%H:%M}",
        within_ten_minutes,
        "the earliest flow to port 22 that was accepted and did not come from the office at 203.0.113.10",
    ),
    "intruder": Finding(
        "Intruder",
        "an address",
        lambda case: case.incident.intruder,
        same_address,
        "several were let in to port 22, and nearly all failed; look for the one whose session carried most bytes, "
        "or ask the log of logins who was accepted",
    ),
    "account": Finding(
        "Account used",
        "a name",
        lambda case: case.account,
        same_name,
        "flow logs don't know names; search the log of logins for Accepted, and mind who comes from the office",
    ),
    "sent_to": Finding(
        "Data sent to",
        "an address",
        lambda case: case.incident.drop_host,
        same_address,
        "add up the bytes that went out from 10.0.1.10, for each destination, while the intruder was in",
    ),
    "sent_to_port": Finding(
        "At port",
        "a number",
        lambda case: str(case.incident.drop_port),
        same_number,
        "the destination port of the flows that carried the data out",
    ),
    "megabytes_sent": Finding(
        "Megabytes sent",
        "a number of millions of bytes",
        lambda case: str(case.incident.stolen_bytes / 1e6),
        within_a_twentieth,
        "add up numbytes over all flows from the server to that address; a long flow has a record in every window",
    ),
}

_NOTE = Template("""\
# Incident note: case $number

Day: $day. Server: 10.0.1.10.

$findings

## What happened

A security group let the whole world in to SSH. Password guessers who try every night were let in with everybody else;
one of them guessed right, stayed for a while and sent data away.

## What to do

- Take the server off the network and keep its disk; change every password and key that was on it.
- Let SSH in from the office alone, and have changes of security groups reported.
- Log in with keys, never with passwords.
""")


def note_text(case: Case, findings: Mapping[str, str]) -> str:
    """The incident note from its template; a missing finding is a question mark."""
    lines = (f"- {finding.label}: {findings.get(name) or UNKNOWN}" for name, finding in FINDINGS.items())
    return _NOTE.substitute(number=case.number, day=case.day, findings="\n".join(lines))


def read_note(text: str) -> dict[str, str]:
    """Return the findings in a note by their labels: its lines `- Label: value`."""
    labels = {finding.label for finding in FINDINGS.values()}
    lines = re.findall(r"^\s*[-*]\s*([^:]+):[ \t]*(.*?)\s*$", text, re.MULTILINE)
    return {label.strip(): value for label, value in lines if label.strip() in labels}


def true_findings(case: Case) -> dict[str, str]:
    """Return what a note should say."""
    return {name: finding.truth(case) for name, finding in FINDINGS.items()}


def _minutes(time_of_day: str) -> int:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(:\d\d)?", time_of_day)
    if not match:
        raise ValueError(f"{time_of_day!r} is no time of day: write one as 21:04")
    return 60 * int(match[1]) + int(match[2])
