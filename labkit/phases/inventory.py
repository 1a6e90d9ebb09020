"""What of the lab is in the cloud: what it made, and what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labkit import provided
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


@dataclass(frozen=True, repr=False)
class Inventory(Shown):
    """What was found at one look."""

    made: tuple[Thing, ...]
    provided: tuple[Thing, ...]

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
        return [
            (title, [(thing.kind, thing.name, thing.cost) for thing in things])
            for title, things in (("Made by the lab", self.made), ("Provided, stays", self.provided))
        ]


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
    made = tuple(thing for look in _LOOKS for thing in look(lab))
    return Inventory(made, tuple(_provided(lab)))


def _alarms(lab: Lab) -> Iterator[Thing]:
    if alarm.find_alarm(lab):
        yield Thing("alarm", alarm.ALARM_NAME, "$0.10 a month")


def _topics(lab: Lab) -> Iterator[Thing]:
    if topic := alarm.find_topic(lab):
        yield Thing("SNS topic", alarm.TOPIC_NAME)
        for each in alarm.subscriptions(lab, topic):
            yield Thing("subscription", f"{each['Protocol']} {each['Endpoint']}")


def _metric_filters(lab: Lab) -> Iterator[Thing]:
    if metric_filter.find_filter(lab):
        yield Thing("metric filter", metric_filter.FILTER_NAME, "$0.30 a month while its metric gets data")


def _flow_logs(lab: Lab) -> Iterator[Thing]:
    destinations = (flow_log_to_cloudwatch.DESTINATION, Destination("s3", lab.bucket))
    for each in flow_logs.find_flow_logs(lab):
        if any(flow_logs.is_the_labs(lab, each, destination) for destination in destinations):
            yield Thing("flow log", each["FlowLogId"], "$0.25-0.50 per GB of records")


def _log_groups(lab: Lab) -> Iterator[Thing]:
    for prefix in (flow_logs.LOG_GROUP, investigation.PREFIX):
        for group in lab.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            if group["logGroupName"] == flow_logs.LOG_GROUP or prefix == investigation.PREFIX:
                yield Thing("log group", group["logGroupName"], "$0.03 per GB and month")


def _tables(lab: Lab) -> Iterator[Thing]:
    glue = lab.client("glue")
    try:
        pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=athena_table.DATABASE))
    except glue.exceptions.EntityNotFoundException:
        return
    for name in (entry["Name"] for page in pages for entry in page["TableList"]):
        if name == athena_table.TABLE or investigation.TABLE_NAME.fullmatch(name):
            yield Thing("Athena table", f"{athena_table.DATABASE}.{name}")


def _folders(lab: Lab) -> Iterator[Thing]:
    """The folders in the bucket that are the lab's own."""
    for kind, prefix in (("query results", athena_table.RESULTS_PREFIX), ("case files", investigation.PREFIX)):
        pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=prefix)
        if count := sum(len(page.get("Contents", [])) for page in pages):
            yield Thing(kind, f"{count} in {prefix}", "$0.023 per GB and month")


def _delivered(lab: Lab) -> Iterator[Thing]:
    if count := sum(1 for _ in delivered.objects(lab)):
        yield Thing("delivered logs", f"{count} in {delivered.folder(lab)}", "$0.023 per GB and month")


_LOOKS: tuple[Callable[[Lab], Iterator[Thing]], ...] = (
    _alarms,
    _topics,
    _metric_filters,
    _flow_logs,
    _log_groups,
    _tables,
    _folders,
    _delivered,
)
"""In the order in which things are removed."""


def _provided(lab: Lab) -> Iterator[Thing]:
    server = lab.web_server
    yield Thing("VPC", lab.vpc.id)
    yield Thing("instance", f"{server.id} ({server.name})", "by the hour, and its public address")
    for name in provided.SECURITY_GROUPS:
        yield Thing("security group", lab.security_group(name).name)
    yield Thing("bucket", lab.bucket, "$0.023 per GB and month")
    yield Thing("role", lab.delivery_role.name)
