"""The lab's resources in the cloud: what it made, and what was provided."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from labkit.lab import deployment, ledger, resources
from labkit.lab.ledger import place
from labkit.lab.prices import in_words, standing_cost
from labkit.lab.session import Lab
from labkit.lab.settings import home, write_private
from labkit.phases import (
    alarm,
    athena_table,
    delivered,
    flow_log_to_cloudwatch,
    flow_logs,
    investigation,
    metric_filter,
)
from labkit.phases.flow_logs import Destination
from labkit.show.html import Html, join, table, tag
from labkit.show.shown import Shown, text_table


@dataclass(frozen=True, order=True)
class Thing:
    """One thing in the cloud, or the number of things in one folder, and what it costs while it exists."""

    kind: str
    name: str
    count: int = field(default=0, compare=False)
    """The number of things, if a folder's contents are counted."""
    usd_a_day: float = field(default=0.0, compare=False)
    """What AWS charges for it per day; the sandbox charges nothing."""
    is_the_labs: bool = field(default=True, compare=False)
    """False for something with the lab's name that was made by somebody else or by hand."""

    @property
    def cost(self) -> str:
        """What it costs a day, in words."""
        return f"{in_words(self.usd_a_day)} a day" if self.usd_a_day else "nothing"

    @property
    def there(self) -> str:
        """The text for its presence in a table."""
        return f"{self.count}" if self.count else "there"


@dataclass(frozen=True, repr=False)
class Inventory(Shown):
    """What was found at one time."""

    made: tuple[Thing, ...]
    provided: tuple[Thing, ...]
    others: tuple[Thing, ...] = ()
    """Things with the lab's names that the lab did not make: nothing here touches them."""

    def text(self) -> str:
        """Two tables, and the count of what the lab made."""
        tables = [
            f"{title}\n{text_table(_HEAD, rows)}" if rows else f"{title}: nothing" for title, rows in self._tables()
        ]
        return "\n\n".join(tables)

    def html(self) -> Html:
        """Two tables."""
        return tag(
            "div",
            join(
                table(_HEAD, rows, caption=title) if rows else tag("p", f"{title}: nothing")
                for title, rows in self._tables()
            ),
        )

    def find(self, thing: Thing) -> Thing | None:
        """Return the same thing as this inventory found it."""
        return next((each for each in (*self.made, *self.provided) if each == thing), None)

    def _tables(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        return [(title, [(each.kind, _named(each), each.cost) for each in things]) for title, things in self._sorts()]

    def _sorts(self) -> list[tuple[str, tuple[Thing, ...]]]:
        sorts = [("Made by the lab", self.made), ("Provided, stays", self.provided)]
        return sorts + [("Of the lab's names, but not made by it, stays", self.others)] * bool(self.others)


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Inventories side by side: before the lab if that is known, after it, and after its clean-up."""

    before: Inventory
    after: Inventory
    first: Inventory | None = None

    @property
    def left(self) -> tuple[Thing, ...]:
        """What the lab made and what still exists."""
        return self.after.made

    def text(self) -> str:
        """A row for each thing: how much is left, why, and what it costs per day."""
        return "\n".join((text_table(self._head(), self._rows()), self._summary(), *self._remains()))

    def html(self) -> Html:
        """The same as HTML."""
        remains = tag("ul", *(tag("li", line) for line in self._remains())) if self.left else ""
        return tag("div", table(self._head(), self._rows()), tag("p", tag("strong", self._summary())), remains)

    def _summary(self) -> str:
        missing = len(set(self.before.provided) - set(self.after.provided))
        stays = "everything that was provided is still there" if not missing else f"{missing} provided things are gone"
        return f"{len(self.left)} left; {stays}."

    def _remains(self) -> list[str]:
        return [
            f"{each.kind} {_named(each)}: {_WHY.get(each.kind, _NOT_YET)} It costs {each.cost}." for each in self.left
        ]

    def _looks(self) -> tuple[Inventory, ...]:
        return (self.before, self.after) if self.first is None else (self.first, self.before, self.after)

    def _head(self) -> tuple[str, ...]:
        labels = ("before", "after") if self.first is None else ("before the lab", "after it", "after clean-up")
        return "what", "name", *labels

    def _rows(self) -> list[tuple[str, ...]]:
        order = dict.fromkeys([thing for look in self._looks() for thing in look.made])
        order |= dict.fromkeys([thing for look in self._looks() for thing in look.provided])
        return [
            (thing.kind, thing.name, *(found.there if (found := look.find(thing)) else "-" for look in self._looks()))
            for thing in order
        ]


_HEAD = ("what", "name", "costs on AWS")
_NOT_YET = "it wasn't removed, or was made anew since; remove again."
_WHY = {
    "log group": "a last delivery came after the flow log had gone, and made it anew; wait ten minutes, remove again.",
    "delivered logs": "a last delivery came after the flow log had gone; wait ten minutes, remove again.",
    "subscription": "an unconfirmed one can't be removed; AWS forgets it after two days.",
    "query results": "a query was run since; remove again.",
}
"""Why something may be left, by kind."""
_FILE = "first_inventory.json"


def keep_first(lab: Lab) -> None:
    """Take an inventory before the lab makes anything, unless one was taken already, and save it on this machine."""
    kept = _kept()
    if place(lab) not in kept:
        write_private(home() / _FILE, json.dumps({**kept, place(lab): asdict(take_inventory(lab))}, indent=1) + "\n")


def first_inventory(lab: Lab) -> Inventory | None:
    """Return the inventory from before the lab; None if none was taken."""
    kept = _kept().get(place(lab))
    if kept is None:
        return None
    return Inventory(
        *(tuple(Thing(**thing) for thing in kept.get(part, ())) for part in ("made", "provided", "others"))
    )


def forget_first() -> None:
    """Forget the first inventory, as the sandbox starts anew."""
    (home() / _FILE).unlink(missing_ok=True)


def _kept() -> dict[str, Any]:
    """Read the saved inventory; a file that can't be parsed counts as missing, as the inventory is a convenience."""
    try:
        kept = json.loads((home() / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _named(thing: Thing) -> str:
    return f"{thing.count} in {thing.name}" if thing.count else thing.name


def take_inventory(lab: Lab) -> Inventory:
    """Look for everything that the lab makes, by name, tag and record, and for the provided resources."""
    found = tuple(thing for look in _LOOKS for thing in _seen(lab, look))
    ours = tuple(thing for thing in found if thing.is_the_labs)
    return Inventory(ours, tuple(_seen(lab, _provided)), tuple(thing for thing in found if not thing.is_the_labs))


def _seen(lab: Lab, look: Callable[[Lab], Iterator[Thing]]) -> list[Thing]:
    """Return what a search finds, with its price; nothing if the place to search is gone."""
    try:
        return [_priced(lab, thing) for thing in look(lab)]
    except resources.NotProvided:
        return []


def _priced(lab: Lab, thing: Thing) -> Thing:
    return replace(thing, usd_a_day=thing.usd_a_day or standing_cost(thing.kind, lab.region))


def _alarms(lab: Lab) -> Iterator[Thing]:
    if found := alarm.find_alarm(lab):
        yield Thing("alarm", alarm.ALARM_NAME, is_the_labs=alarm.is_the_labs_alarm(lab, found))


def _topics(lab: Lab) -> Iterator[Thing]:
    if topic := alarm.find_topic(lab):
        yield Thing("SNS topic", alarm.TOPIC_NAME, is_the_labs=alarm.is_the_labs_topic(lab, topic))
        for each in alarm.subscriptions(lab, topic):
            name = f"{each['Protocol']} {each['Endpoint']}"
            yield Thing("subscription", name, is_the_labs=alarm.is_the_labs_subscription(lab, topic, each))


def _metric_filters(lab: Lab) -> Iterator[Thing]:
    if metric_filter.find_filter(lab):
        yield Thing("metric filter", metric_filter.FILTER_NAME, is_the_labs=metric_filter.is_the_labs_filter(lab))


def _flow_logs(lab: Lab) -> Iterator[Thing]:
    destinations = (flow_log_to_cloudwatch.DESTINATION, Destination("s3", lab.bucket))
    for each in flow_logs.find_flow_logs(lab):
        for destination in destinations:
            if flow_logs.is_in_place(lab, each, destination):
                ours = flow_logs.is_the_labs(lab, each, destination)
                cost = standing_cost(f"flow log to {destination.type}", lab.region)
                yield Thing("flow log", each["FlowLogId"], usd_a_day=cost, is_the_labs=ours)


def _log_groups(lab: Lab) -> Iterator[Thing]:
    for prefix in (flow_logs.LOG_GROUP, investigation.PREFIX):
        for group in flow_logs.log_groups(lab, logGroupNamePrefix=prefix):
            if group["logGroupName"] == flow_logs.LOG_GROUP or prefix == investigation.PREFIX:
                yield Thing("log group", group["logGroupName"], is_the_labs=flow_logs.is_the_labs_group(lab, group))


def _tables(lab: Lab) -> Iterator[Thing]:
    glue = lab.client("glue")
    try:
        pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=athena_table.DATABASE))
    except glue.exceptions.EntityNotFoundException:
        return
    for name in (entry["Name"] for page in pages for entry in page["TableList"]):
        if name == athena_table.TABLE or investigation.TABLE_NAME.fullmatch(name):
            kind, known = ("Athena table", name) if name == athena_table.TABLE else ("case", name.removeprefix("case_"))
            ours = ledger.is_the_labs(lab, kind, known)
            yield Thing("Athena table", f"{athena_table.DATABASE}.{name}", is_the_labs=ours)


def _folders(lab: Lab) -> Iterator[Thing]:
    """Return the bucket's folders that are the lab's own."""
    claimed = ledger.is_the_labs(lab, "folder", athena_table.results_location(lab))
    yield from _folder(lab, "query results", athena_table.RESULTS_PREFIX, claimed)
    yield from _folder(lab, "case files", investigation.PREFIX, bool(ledger.names(lab, "case")) or lab.claims_by_name)


def _folder(lab: Lab, kind: str, prefix: str, is_the_labs: bool) -> Iterator[Thing]:
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=prefix)
    if count := sum(len(page.get("Contents", [])) for page in pages):
        yield Thing(kind, prefix, count, is_the_labs=is_the_labs)


def _delivered(lab: Lab) -> Iterator[Thing]:
    """Return objects of the lab's own flow logs; others, of which there may be many, are ignored."""
    sample = [] if deployment.deployed_buckets(lab) else delivered.sample_keys(lab)
    if count := len(delivered.own_keys(lab)) + len(sample):
        yield Thing("delivered logs", delivered.folder(lab), count)


def _deployed(lab: Lab) -> Iterator[Thing]:
    """Return the environment if labkit deployed it."""
    stack = deployment.find_stack(lab)
    if stack is not None and deployment.is_labkits(stack):
        cost = standing_cost("provided environment", lab.region)
        yield Thing("deployed stack", deployment.STACK, usd_a_day=cost)
    for name in deployment.deployed_buckets(lab):
        yield Thing("deployed bucket", name)


_LOOKS: tuple[Callable[[Lab], Iterator[Thing]], ...] = (
    _alarms,
    _topics,
    _metric_filters,
    _flow_logs,
    _log_groups,
    _tables,
    _folders,
    _delivered,
    _deployed,
)
"""In the order of removal."""


def _provided(lab: Lab) -> Iterator[Thing]:
    """Return what a lab platform provided; what labkit deployed in its place counts as made by the lab."""
    stack = deployment.find_stack(lab)
    if stack is not None and deployment.is_labkits(stack):
        return
    server = lab.web_server
    yield Thing("VPC", lab.vpc.id)
    running = standing_cost("provided environment", lab.region)
    yield Thing("instance", f"{server.id} ({server.name})", usd_a_day=running)
    for name in resources.SECURITY_GROUPS:
        yield Thing("security group", lab.security_group(name).name)
    yield Thing("bucket", lab.bucket)
    yield Thing("role", lab.delivery_role.name)
