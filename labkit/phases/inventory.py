"""What of the lab is in the cloud: what it made, and what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labkit import environment, made, prices, provided
from labkit.lab import Lab
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
    """One thing in the cloud, and what it goes on costing while it is there."""

    kind: str
    name: str
    cost: str = ""
    is_the_labs: bool = True
    """False for what carries the lab's name and was made by somebody else, or by hand."""


@dataclass(frozen=True, repr=False)
class Inventory(Shown):
    """What was found at one look."""

    made: tuple[Thing, ...]
    provided: tuple[Thing, ...]
    others: tuple[Thing, ...] = ()
    """What carries the lab's names and was not made by it: nothing here touches it."""

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

    def _tables(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        return [(title, [(thing.kind, thing.name, thing.cost) for thing in things]) for title, things in self._sorts()]

    def _sorts(self) -> list[tuple[str, tuple[Thing, ...]]]:
        sorts = [("Made by the lab", self.made), ("Provided, stays", self.provided)]
        return sorts + [("Of the lab's names, but not made by it, stays", self.others)] * bool(self.others)


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two inventories side by side."""

    before: Inventory
    after: Inventory

    @property
    def left(self) -> tuple[Thing, ...]:
        """What the lab made and is still there."""
        return self.after.made

    def text(self) -> str:
        """A row for each thing, and how much is left."""
        return f"{text_table(_SIDES, self._rows())}\n{self._summary()}"

    def html(self) -> Html:
        """A row for each thing, and how much is left."""
        return tag("div", table(_SIDES, self._rows()), tag("p", tag("strong", self._summary())))

    def _summary(self) -> str:
        missing = len(set(self.before.provided) - set(self.after.provided))
        stays = "everything that was provided is still there" if not missing else f"{missing} provided things are gone"
        return f"{len(self.left)} left; {stays}."

    def _rows(self) -> list[tuple[str, ...]]:
        sides = [{*side.made, *side.provided} for side in (self.before, self.after)]
        order = dict.fromkeys((*self.before.made, *self.after.made, *self.before.provided, *self.after.provided))
        return [(thing.kind, thing.name, *("there" if thing in side else "-" for side in sides)) for thing in order]


_HEAD = ("what", "name", "keeps costing")
_SIDES = ("what", "name", "before", "after")


def take_inventory(lab: Lab) -> Inventory:
    """Looks for everything that the lab makes, by name, tag and record, and for what was provided."""
    found = tuple(thing for look in _LOOKS for thing in _seen(lab, look))
    made = tuple(thing for thing in found if thing.is_the_labs)
    return Inventory(made, tuple(_seen(lab, _provided)), tuple(thing for thing in found if not thing.is_the_labs))


def _seen(lab: Lab, look: Callable[[Lab], Iterator[Thing]]) -> list[Thing]:
    """Nothing, where the very place to look in is gone."""
    try:
        return list(look(lab))
    except provided.NotProvided:
        return []


def _alarms(lab: Lab) -> Iterator[Thing]:
    if found := alarm.find_alarm(lab):
        yield Thing("alarm", alarm.ALARM_NAME, "$0.10 a month", alarm.is_the_labs_alarm(lab, found))


def _topics(lab: Lab) -> Iterator[Thing]:
    if topic := alarm.find_topic(lab):
        yield Thing("SNS topic", alarm.TOPIC_NAME, is_the_labs=alarm.is_the_labs_topic(lab, topic))
        for each in alarm.subscriptions(lab, topic):
            name = f"{each['Protocol']} {each['Endpoint']}"
            yield Thing("subscription", name, is_the_labs=alarm.is_the_labs_subscription(lab, topic, each))


def _metric_filters(lab: Lab) -> Iterator[Thing]:
    if metric_filter.find_filter(lab):
        cost, ours = "$0.30 a month while its metric gets data", metric_filter.is_the_labs_filter(lab)
        yield Thing("metric filter", metric_filter.FILTER_NAME, cost, ours)


def _flow_logs(lab: Lab) -> Iterator[Thing]:
    destinations = (flow_log_to_cloudwatch.DESTINATION, Destination("s3", lab.bucket))
    for each in flow_logs.find_flow_logs(lab):
        for destination in destinations:
            if flow_logs.is_in_place(lab, each, destination):
                ours = flow_logs.is_the_labs(lab, each, destination)
                yield Thing("flow log", each["FlowLogId"], "$0.25-0.50 per GB of records", ours)


def _log_groups(lab: Lab) -> Iterator[Thing]:
    for prefix in (flow_logs.LOG_GROUP, investigation.PREFIX):
        for group in lab.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            if group["logGroupName"] == flow_logs.LOG_GROUP or prefix == investigation.PREFIX:
                ours = flow_logs.is_the_labs_group(lab, group)
                yield Thing("log group", group["logGroupName"], "$0.03 per GB and month", ours)


def _tables(lab: Lab) -> Iterator[Thing]:
    glue = lab.client("glue")
    try:
        pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=athena_table.DATABASE))
    except glue.exceptions.EntityNotFoundException:
        return
    for name in (entry["Name"] for page in pages for entry in page["TableList"]):
        if name == athena_table.TABLE or investigation.TABLE_NAME.fullmatch(name):
            kind, known = ("Athena table", name) if name == athena_table.TABLE else ("case", name.removeprefix("case_"))
            ours = made.is_the_labs(lab, kind, known)
            yield Thing("Athena table", f"{athena_table.DATABASE}.{name}", is_the_labs=ours)


def _folders(lab: Lab) -> Iterator[Thing]:
    """The folders in the bucket that are the lab's own."""
    claimed = made.is_the_labs(lab, "folder", athena_table.results_location(lab))
    yield from _folder(lab, "query results", athena_table.RESULTS_PREFIX, claimed)
    yield from _folder(lab, "case files", investigation.PREFIX, bool(made.names(lab, "case")) or lab.claims_by_name)


def _folder(lab: Lab, kind: str, prefix: str, is_the_labs: bool) -> Iterator[Thing]:
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=prefix)
    if count := sum(len(page.get("Contents", [])) for page in pages):
        yield Thing(kind, f"{count} in {prefix}", "$0.023 per GB and month", is_the_labs)


def _delivered(lab: Lab) -> Iterator[Thing]:
    """Objects of flow logs that the lab made; of others there may be any number, and they are nobody's concern."""
    if count := len(delivered.own_keys(lab)):
        yield Thing("delivered logs", f"{count} in {delivered.folder(lab)}", "$0.023 per GB and month")


def _deployed(lab: Lab) -> Iterator[Thing]:
    """The environment, where it was labkit that deployed it."""
    stack = environment.find_stack(lab)
    if stack is not None and environment.is_labkits(stack):
        cost = prices.usd(prices.standing_cost("provided environment", lab.region))
        yield Thing("deployed stack", environment.STACK, f"{cost} a day")
    for name in environment.deployed_buckets(lab):
        yield Thing("deployed bucket", name, "$0.023 per GB and month")


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
"""In the order in which things are removed."""


def _provided(lab: Lab) -> Iterator[Thing]:
    """What a lab platform provided; what labkit deployed in its place is among what was made."""
    stack = environment.find_stack(lab)
    if stack is not None and environment.is_labkits(stack):
        return
    server = lab.web_server
    yield Thing("VPC", lab.vpc.id)
    yield Thing("instance", f"{server.id} ({server.name})", "by the hour, and its public address")
    for name in provided.SECURITY_GROUPS:
        yield Thing("security group", lab.security_group(name).name)
    yield Thing("bucket", lab.bucket, "$0.023 per GB and month")
    yield Thing("role", lab.delivery_role.name)
