"""Searching the log group with CloudWatch Logs Insights."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab import prices
from labkit.lab.errors import LabError, require_positive
from labkit.lab.session import Lab
from labkit.phases.flow_logs import LOG_GROUP, find_log_group
from labkit.show.tables import Note

if TYPE_CHECKING:
    import pandas as pd

QUERY = """\
filter action="REJECT"
| stats count(*) as numRejections by srcAddr
| sort numRejections desc
| limit 20"""
"""AWS's sample query "Top 20 source IP addresses with highest number of rejected requests".

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-examples.html
"""

_UNFINISHED = frozenset({"Scheduled", "Running", "Unknown"})
_POLLS, _SECONDS_BETWEEN_POLLS = 300, 0.2
_SHOWN = 60
"""The number of characters of a query that a check shows."""


def run_query(lab: Lab, query: str = QUERY, *, log_group: str = LOG_GROUP, hours: float = 24) -> pd.DataFrame:
    """Return the query's results over the records of the last hours, a column for each field.

    Insights answers in text; a column of only whole numbers or decimals becomes numeric, so that it can be sorted and
    charted. The frame's `attrs` hold the bytes scanned, which AWS charges for.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
    """
    import pandas as pd

    require_positive(hours=hours)
    now = lab.now()
    query_id = lab.client("logs").start_query(
        logGroupName=log_group,
        startTime=int((now - timedelta(hours=hours)).timestamp()),
        endTime=int(now.timestamp()),
        queryString=query,
    )["queryId"]
    answer = _finished(lab, query_id)
    rows = [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]
    frame = pd.DataFrame(rows).apply(_as_numbers)
    frame.attrs = {name: int(value) for name, value in answer.get("statistics", {}).items()}
    frame.attrs["usd"] = prices.insights_query(frame.attrs.get("bytesScanned", 0), lab.region)
    return frame


def price(answer: pd.DataFrame) -> Note:
    """What the query behind an answer scanned, and what AWS charges for that; the sandbox charges nothing."""
    return Note(f"{prices.scanned(answer, 'bytesScanned', 'run_query(...)')}.")


def top_rejected_sources(lab: Lab) -> pd.DataFrame:
    """Return the sources with most rejections in the last day: srcAddr, numRejections."""
    return run_query(lab, QUERY)


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left."""
    return lab.course.catch_up(before="Logs Insights")


def check(lab: Lab) -> Check:
    """Look for records in the log group, and for a finished query of it about rejected traffic."""
    return Check("Logs Insights", (_check_records(lab), _check_queries(lab)))


def solve(lab: Lab) -> None:
    """Query the sources with most rejections."""
    top_rejected_sources(lab)


def clean_up(lab: Lab) -> Note:
    """Remove nothing: a query leaves only its entry in the list of recent queries, which AWS removes in time."""
    return Note("Queries leave nothing behind.")


def _finished(lab: Lab, query_id: str) -> Any:
    for _ in range(_POLLS):
        answer = lab.client("logs").get_query_results(queryId=query_id)
        if answer["status"] == "Complete":
            return answer
        if answer["status"] not in _UNFINISHED:
            raise LabError(
                f"the Insights query ended as {answer['status']}; run the cell again, or ask for fewer hours"
            )
        time.sleep(_SECONDS_BETWEEN_POLLS)
    raise LabError(f"the Insights query {query_id} is still running after a minute; run it for fewer hours")


def _as_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    try:
        return pd.to_numeric(column)
    except (TypeError, ValueError):
        return column


def _check_records(lab: Lab) -> Item:
    name = f"records in the log group {LOG_GROUP}"
    if find_log_group(lab, LOG_GROUP) is None:
        return absent(name, wanted="a log group with at least one stream", hint="do notebooks 02 and 03 first")
    streams = lab.client("logs").describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    if not streams:
        return absent(name, wanted="at least one stream", hint="records take 5-15 minutes: wait, as notebook 03 does")
    return right(name, f"{len(streams)} stream{'s' if len(streams) > 1 else ''}", given=True)


def _check_queries(lab: Lab) -> Item:
    name = "a query for rejected traffic"
    queries = lab.client("logs").describe_queries(logGroupName=LOG_GROUP, status="Complete")["queries"]
    if any("REJECT" in query["queryString"] for query in queries):
        return right(name, "run and complete")
    wanted = 'a finished query of the log group with action="REJECT" in it'
    hint = "run AWS's sample query for the top 20 rejected sources, here or in the console"
    if queries:
        seen = " ".join(str(queries[0]["queryString"]).split())
        return wrong(name, seen=seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]} ...", wanted=wanted, hint=hint)
    return absent(name, wanted=wanted, hint=hint)
