"""Rejected traffic of four weeks, by source, port, weekday and hour: Athena counts, pandas receives.

The statements count only the sample's days, so their results don't depend on what the lab itself has delivered since;
on AWS labkit puts the sample into the lab's bucket first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.flowlog import story
from labkit.flowlog.story.files import FLOW_LOG_ID
from labkit.lab import ledger
from labkit.lab.session import Lab
from labkit.phases import athena_table
from labkit.phases.athena_table import TABLE
from labkit.show.cards import Card
from labkit.show.tables import Note

if TYPE_CHECKING:
    import pandas as pd

KEY = "rejects"
FIRST_DAY = story.FIRST_DAY
LAST_DAY = story.FIRST_DAY + timedelta(days=story.DAYS - 1)
IN_SAMPLE = f"dt BETWEEN '{FIRST_DAY}' AND '{LAST_DAY}'"
"""The condition on the partitions: Athena reads, and charges for, the folders of these days only."""
WITHOUT_SWARM = "NOT (dt = '2026-10-14' AND destinationport IN (23, 2323))"
"""All but the afternoon on which a botnet looked for telnet."""

BY_SOURCE = f"""\
SELECT sourceaddress AS source, count(*) AS rejects
FROM {TABLE}
WHERE action = 'REJECT' AND {IN_SAMPLE}
GROUP BY sourceaddress
ORDER BY rejects DESC, source"""

BY_PORT = f"""\
SELECT destinationport AS port, count(*) AS rejects
FROM {TABLE}
WHERE action = 'REJECT' AND {IN_SAMPLE}
GROUP BY destinationport
ORDER BY rejects DESC, port"""

BY_WEEKDAY = f"""\
SELECT day_of_week(from_iso8601_timestamp(dt)) AS weekday, count(*) AS rejects
FROM {TABLE}
WHERE action = 'REJECT' AND {IN_SAMPLE}
GROUP BY day_of_week(from_iso8601_timestamp(dt))
ORDER BY weekday"""

BY_WEEKDAY_AND_HOUR = f"""\
SELECT day_of_week(from_iso8601_timestamp(dt)) AS weekday,
       hour(from_unixtime(starttime)) AS hour, count(*) AS rejects
FROM {TABLE}
WHERE action = 'REJECT' AND {IN_SAMPLE} AND {{also}}
GROUP BY 1, 2
ORDER BY 1, 2"""

BY_DAY = f"""\
SELECT dt, action, count(*) AS flows
FROM {TABLE}
WHERE action IN ('ACCEPT', 'REJECT') AND {IN_SAMPLE}
GROUP BY dt, action
ORDER BY dt, action"""

ASKED_OF_SERVER = f"""\
SELECT sourceaddress AS source, destinationport AS port, action, count(*) AS flows
FROM {TABLE}
WHERE destinationaddress = '{{server}}' AND destinationport < 32768
  AND (sourceport >= 1024 OR protocol = 1) AND action IN ('ACCEPT', 'REJECT') AND {IN_SAMPLE}
GROUP BY sourceaddress, destinationport, action
ORDER BY flows DESC, source, port"""

BY_EVERYTHING = f"""\
SELECT sourceaddress AS source, destinationport AS port,
       day_of_week(from_iso8601_timestamp(dt)) AS weekday,
       hour(from_unixtime(starttime)) AS hour, count(*) AS rejects
FROM {TABLE}
WHERE action = 'REJECT' AND {IN_SAMPLE}
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4"""

_QUERIES_LOOKED_AT = 200
_QUERIES_A_REQUEST = 50


def provide_sample(lab: Lab) -> Card:
    """Put the four weeks of sample records into the bucket if they are missing; the sandbox always has them.

    They go where VPC Flow Logs would put them, for this account and region, so the lab's table finds them.
    """
    missing = set(sample_days()) - set(athena_table.delivered_days(lab))
    if missing:
        ledger.note(lab, "sample", FLOW_LOG_ID)
        records = story.Story.of_sample().records()
        for key, body in story.objects(records, account_id=lab.account_id, region=lab.region):
            lab.client("s3").put_object(Bucket=lab.bucket, Key=key, Body=body)
    return Card(
        "Sample records",
        f"{FIRST_DAY} to {LAST_DAY}",
        "created" if missing else "already there",
        details={"Location": athena_table.records_location(lab), "Days": str(story.DAYS)},
    )


def sample_days() -> list[date]:
    """The days of the sample, the first one first."""
    return [FIRST_DAY + timedelta(days=day) for day in range(story.DAYS)]


def rejects_by_source(lab: Lab) -> pd.DataFrame:
    """Count rejects by source: source, rejects; the most first."""
    return athena_table.query(lab, BY_SOURCE)


def rejects_by_port(lab: Lab) -> pd.DataFrame:
    """Count rejects by port: port, rejects; the most first."""
    return athena_table.query(lab, BY_PORT)


def rejects_by_weekday(lab: Lab) -> pd.DataFrame:
    """Count rejects by weekday, Monday being 1: weekday, rejects."""
    return athena_table.query(lab, BY_WEEKDAY)


def rejects_by_weekday_and_hour(lab: Lab, *, also: str = "true") -> pd.DataFrame:
    """Count rejects for each hour of the week, in UTC: weekday, hour, rejects; `also` is a further condition in SQL."""
    return athena_table.query(lab, BY_WEEKDAY_AND_HOUR.format(also=also))


def verdicts_by_day(lab: Lab) -> pd.DataFrame:
    """Count accepted and rejected flows by day: dt, action, flows."""
    return athena_table.query(lab, BY_DAY)


def asked_of_server(lab: Lab) -> pd.DataFrame:
    """Count who asked the web server for which port, and the outcome: source, port, action, flows.

    Answers to the server's own requests are left out: they go to a port from 32768 up, which the server chose, or come
    from a well-known port.
    """
    return athena_table.query(lab, ASKED_OF_SERVER.format(server=lab.web_server.private_ip))


def reject_counts(lab: Lab) -> pd.DataFrame:
    """Count everything at once, for exploring by hand: source, port, weekday, hour, rejects."""
    return athena_table.query(lab, BY_EVERYTHING)


QUESTIONS = {
    "rejects by source": (rejects_by_source, "sourceaddress"),
    "rejects by port": (rejects_by_port, "destinationport"),
    "rejects by weekday": (rejects_by_weekday, "day_of_week"),
}
"""The phase's questions: the function that asks each, and the columns that any query for it groups by."""


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for the sample's days among the table's partitions, and for queries that counted rejects."""
    asked = [text.lower() for text in _finished_queries(lab)]
    return Check(KEY, (_check_days(lab), *(_check_question(name, asked) for name in QUESTIONS)))


def solve(lab: Lab) -> None:
    """Provide the records and their partitions, and query rejects by source, by port and by weekday."""
    provide_sample(lab)
    athena_table.add_partitions(lab, sample_days())
    for ask, _ in QUESTIONS.values():
        ask(lab)


def clean_up(lab: Lab) -> Note:
    """Delete Athena's answers; sample records that the lab put into the bucket go with the delivered ones."""
    return Note(f"Athena's answers deleted: {athena_table.delete_results(lab)}.")


def _check_days(lab: Lab) -> Item:
    name = "the sample's days in the table"
    known = athena_table.partitions(lab)
    missing = [day for day in sample_days() if str(day) not in known]
    if not missing:
        return right(name, f"{story.DAYS} days")
    hint = "run the cell with add_partitions, or ALTER TABLE ... ADD PARTITION for each day"
    return absent(f"{name}: {len(missing)}, the first {missing[0]}", wanted="a partition for each day", hint=hint)


def _check_question(name: str, asked: list[str]) -> Item:
    _, grouped_by = QUESTIONS[name]
    hint = f"count rejected flows with GROUP BY {grouped_by}, here or in Athena's console"
    grouped = [text for text in asked if _groups_by(grouped_by, text)]
    if any("reject" in text.partition("group by")[0] for text in grouped):
        return right(name, "asked and answered")
    if grouped:
        return wrong(name, seen="a count of all flows, let in or not", wanted="of those with REJECT alone", hint=hint)
    return absent(name, wanted="a finished query that counts REJECT", hint=hint)


def _groups_by(column: str, text: str) -> bool:
    """Return whether a query groups by the column, by name or by its position in the SELECT."""
    before, _, after = text.partition("group by")
    return column in after or bool(after and column in before)


def _finished_queries(lab: Lab) -> Iterator[str]:
    """The latest successful statements of the primary workgroup."""
    athena = lab.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(
        PaginationConfig={"MaxItems": _QUERIES_LOOKED_AT, "PageSize": _QUERIES_A_REQUEST}
    )
    for page in pages:
        if ids := page.get("QueryExecutionIds"):
            executions: list[Any] = athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
            yield from (each["Query"] for each in executions if each["Status"]["State"] == "SUCCEEDED")
