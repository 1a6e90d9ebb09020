"""What the lab costs on AWS: a phase, a query, and what costs money as long as it exists. The sandbox costs nothing.

The prices stand in prices.toml, with the day on which they were read and their region. They are AWS's list prices in
USD, without tax and without the free tier, so nobody pays more than stated for what is described here.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.lab.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

DATA = Path(__file__).with_name("prices.toml")
MB = 1024**2
"""Athena and Insights count in binary units: AWS's own examples take 1 TB as 1,024 GB."""
ATHENA_MINIMUM_MB = 10
"""The fewest bytes that a query is charged for. https://aws.amazon.com/athena/pricing/"""


@dataclass(frozen=True)
class Cost:
    """What something costs: `once` in USD, and `daily` in USD for each day that it stays; `words` say for what."""

    once: float = 0.0
    daily: float = 0.0
    words: str = ""

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.once + other.once, self.daily + other.daily, self.words or other.words)

    def __str__(self) -> str:
        """For a table: `about $0.02, then less than a cent a day: one alarm`."""
        if not self.once and not self.daily:
            return self.words or "nothing"
        then = f", then {in_words(self.daily)} a day" if self.daily else ""
        return f"{in_words(self.once)}{then}{f': {self.words}' if self.words else ''}"


@dataclass(frozen=True)
class Prices:
    """The list prices of one region."""

    region: str
    """The region that they are asked for."""
    priced_as: str
    """The region whose prices they are: the same one, if it is listed."""
    read_on: date
    usd: Mapping[str, float]

    def of(self, amounts: Mapping[str, float]) -> float:
        """Return USD for amounts by their names in prices.toml: `{"alarm": 1}` is one alarm for a month."""
        return sum(self.usd[name] * amount for name, amount in amounts.items())

    @property
    def note(self) -> str:
        """The region and the date of the prices, for the line below a table."""
        told = f"AWS's list prices of {self.priced_as}, read on {self.read_on}"
        other = "" if self.region == self.priced_as else f"; {self.region} may cost some more"
        return f"{told}{other}. They change: https://aws.amazon.com/pricing/."


def prices(region: str) -> Prices:
    """Return the prices of a region, or those of the base region if it isn't listed."""
    listed = _data()["regions"]
    priced_as = region if region in listed else _data()["base_region"]
    return Prices(region, priced_as, _data()["read_on"], listed[priced_as])


def phase_cost(key: str, region: str) -> Cost:
    """What a phase costs by its key, such as `"alarm"`: while it is done, and then for each day that it stays.

    >>> phase_cost("clean up", "us-east-1").once
    0
    """
    entry, known = _data()["phases"][key], prices(region)
    return Cost(known.of(entry["once"]), known.of(entry["daily"]), entry["words"])


def standing_cost(kind: str, region: str) -> float:
    """Return USD a day for one thing of that kind while it exists; 0 if AWS doesn't charge for it, as for a topic.

    The kinds are those of the inventory, and `provided environment`.
    """
    return prices(region).of(_data()["standing"].get(kind, {}))


def total(keys: Iterable[str], region: str) -> Cost:
    """Return the running total of the finished phases: what they have cost, and what they cost for each day more.

    `daily` includes the provided environment, which costs money as long as it exists.
    """
    standing = Cost(daily=standing_cost("provided environment", region))
    done = sum((phase_cost(key, region) for key in keys), standing)
    return Cost(done.once, done.daily)


def athena_query(bytes_scanned: int, region: str) -> float:
    """USD for one query by the bytes it scanned: rounded up to a megabyte, and 10 MB at least.

    Statements that define tables and partitions are free, and so are failed ones; a cancelled one is charged for what
    it had scanned. https://aws.amazon.com/athena/pricing/

    >>> f"{athena_query(1, 'us-east-1'):.6f}"
    '0.000048'
    """
    if bytes_scanned < 0:
        raise ValueError(
            f"bytes_scanned={bytes_scanned}: give the bytes that a query scanned, which are no less than nothing"
        )
    megabytes = max(math.ceil(bytes_scanned / MB), ATHENA_MINIMUM_MB)
    return prices(region).of({"athena_scan": megabytes / 1024**2})


def insights_query(bytes_scanned: float, region: str) -> float:
    """USD for one Logs Insights query by the bytes it scanned; there is no minimum."""
    return prices(region).of({"insights_scan": bytes_scanned / 1024**3})


def scanned(answer: pd.DataFrame, attribute: str, ask: str) -> str:
    """Say how much the query behind an answer scanned (the named attribute), and what AWS charges for it.

    Raise for a frame that doesn't come from the function to call for one, such as `"run_query(...)"`.
    """
    if attribute not in answer.attrs:
        raise LabError(
            f"this frame of {len(answer)} rows doesn't say what was scanned: give price() an answer of {ask}"
        )
    return f"Scanned {answer.attrs[attribute]:,} bytes. On AWS: {usd(answer.attrs['usd'])}"


def usd(amount: float) -> str:
    """Return an amount with as few digits as a reader needs.

    >>> usd(1.234), usd(0.0123), usd(0.000048), usd(0)
    ('$1.23', '$0.012', '$0.00005', '$0')
    """
    if amount == 0:
        return "$0"
    if amount >= 0.1:
        return f"${amount:,.2f}"
    digits = 1 - math.floor(math.log10(amount)) if amount >= 0.001 else -math.floor(math.log10(amount))
    whole, _, cents = f"{amount:.{digits}f}".partition(".")
    return f"${whole}.{cents.rstrip('0'):0<2}"


def in_words(amount: float) -> str:
    """An estimate: `about $0.26`, or `less than a cent`."""
    return f"about {usd(amount)}" if amount >= 0.01 else "less than a cent"


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))
