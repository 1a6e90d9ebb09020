"""The alarm on rejected SSH attempts, and the e-mail it sends."""

from __future__ import annotations

import pandas as pd

from labkit.checks import Check
from labkit.lab import Lab
from labkit.show.cards import Card
from labkit.show.shown import Shown

TOPIC_NAME = "Default_CloudWatch_Alarms_Topic"
ALARM_NAME = "SSH Rejects"


def create_topic(lab: Lab) -> Card:
    """Makes the topic `Default_CloudWatch_Alarms_Topic`; the card's `id` is its ARN."""
    raise NotImplementedError


def subscribe_email(lab: Lab) -> Card:
    """Subscribes the e-mail address of the settings to the topic."""
    raise NotImplementedError


def confirm_subscription(lab: Lab) -> Card:
    """Follows the link in the confirmation mail; where there is no mailbox to look into, says that you have to."""
    raise NotImplementedError


def create_alarm(lab: Lab) -> Card:
    """Makes the alarm `SSH Rejects`: sum of ssh-rejects over a minute, at least 1."""
    raise NotImplementedError


def provoke_rejected_ssh(lab: Lab) -> Card:
    """Swaps the web server's group for HTTPOnly, tries SSH, which times out, and swaps it back."""
    raise NotImplementedError


def watch_alarm(lab: Lab, *, state: str = "ALARM") -> Card:
    """Waits until the alarm is in that state and says why it changed, in CloudWatch's words."""
    raise NotImplementedError


def read_metric(lab: Lab, *, minutes: int = 60) -> pd.DataFrame:
    """The metric's datapoints of the last minutes: timestamp, sum."""
    raise NotImplementedError


def read_inbox(lab: Lab) -> Shown:
    """The mails that came to the e-mail address of the settings, the latest last."""
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
