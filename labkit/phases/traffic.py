"""Traffic to the web server, let in and turned away, and the records it leaves."""

from __future__ import annotations

import pandas as pd

from labkit.checks import Check
from labkit.lab import Lab
from labkit.phases.flow_logs import LOG_GROUP
from labkit.show.cards import Card
from labkit.show.shown import Shown


def connect_by_ssh(lab: Lab) -> Card:
    """Tries a connection to port 22 of the web server; the card's `outcome` is connected, timed out or refused."""
    raise NotImplementedError


def swap_security_group(lab: Lab, name: str) -> Card:
    """Attaches the named group (HTTPOnly, HTTPAndSSH) to the web server in place of those it has."""
    raise NotImplementedError


def wait_for_log_events(lab: Lab, *, action: str = "REJECT", log_group: str = LOG_GROUP) -> Shown:
    """Waits until the log group holds a record of SSH traffic with that action, made since the last attempt."""
    raise NotImplementedError


def read_log_events(lab: Lab, *, log_group: str = LOG_GROUP, pattern: str = "", limit: int = 1000) -> pd.DataFrame:
    """The flow log records in the log group, the latest last, a column for each field."""
    raise NotImplementedError


def wait_for_delivered_objects(lab: Lab) -> Shown:
    """Waits until the bucket holds an object of the lab's flow log."""
    raise NotImplementedError


def list_delivered_objects(lab: Lab) -> pd.DataFrame:
    """The objects that the lab's flow log put into the bucket: key, bytes, last modified."""
    raise NotImplementedError


def read_delivered_objects(lab: Lab, *, limit: int = 10) -> pd.DataFrame:
    """The flow log records in the latest objects of the lab's flow log, a column for each field."""
    raise NotImplementedError


def set_up(lab: Lab) -> Shown:
    """Rebuilds what the earlier phases should have left."""
    raise NotImplementedError


def check(lab: Lab) -> Check:
    """Reads the cloud, changes nothing."""
    raise NotImplementedError


def solve(lab: Lab) -> None:
    """Does the phase as its notebook does."""
    raise NotImplementedError


def clean_up(lab: Lab) -> None:
    """Removes what the phase made."""
    raise NotImplementedError
