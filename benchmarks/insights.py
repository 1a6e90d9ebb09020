"""Logs Insights: the top 20 rejected sources over 4 million events, beside the same aggregate written by hand.

By hand means in DuckDB's SQL over the same table that holds the events, in the fastest way that we found: a record is
split only if its end says that it was rejected.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np

from benchmarks.measured import Measured, seconds_in_turn
from labkit.phases.insights import QUERY
from labkit.sandbox.logs.insights import engine, fields
from labkit.sandbox.logs.store import EventStore

EVENTS = 4_000_000
BATCH = 200_000
START = 1_793_610_000
DAY = 86_400
SOURCES = [f"198.51.{third}.{fourth}" for third in range(100, 116) for fourth in range(256)]
REGION, GROUP, STREAM = "eu-west-1", "VPCFlowLogs", "eni-0a1b2c3d4e5f60718-all"

BY_HAND = (
    "split_part(message, ' ', 13) = 'REJECT'",
    "contains(message, ' REJECT ') AND split_part(message, ' ', 13) = 'REJECT'",
    "message LIKE '% REJECT OK'",
)
"""What an expert may write for `action = "REJECT"`; a rejected record's status is always OK."""


def measure() -> Iterator[Measured]:
    """A query as the lab asks it: the first time over these events, and again."""
    store = EventStore()
    _fill(store)
    relation = store.relation(REGION, GROUP)
    events = engine.Events(relation, f"123456789012:{GROUP}", None)
    window = fields.Window(START * 1000, (START + DAY) * 1000, EVENTS)
    job = engine.Job(QUERY, (events,), window, START + DAY, None)
    seen: engine.Seen = {}
    with store.cursor() as cursor:
        by_hand = [lambda sql=sql: cursor.execute(sql).fetchall() for sql in _by_hand(relation)]
        again, first, *theirs = seconds_in_turn(
            [lambda: engine.run(job, cursor, seen), lambda: engine.run(job, cursor), *by_hand], times=7
        )
        _compare(cursor, job, relation)
    store.close()
    name = "top 20 rejected sources of 4 million events / by hand in SQL"
    yield Measured(name, again, min(theirs), "s", 1.25)
    yield Measured(f"{name}, events never looked at before", first, min(theirs), "s", 1.75)


def _by_hand(relation: str) -> list[str]:
    window = f"timestamp >= {START * 1000} AND timestamp < {(START + DAY) * 1000}"
    return [
        f"SELECT split_part(message, ' ', 4) AS srcAddr, count(*) AS numRejections FROM {relation}"
        f" WHERE {window} AND {condition} GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
        for condition in BY_HAND
    ]


def _compare(cursor: duckdb.DuckDBPyConnection, job: engine.Job, relation: str) -> None:
    """Both ways must count the same."""
    ours = [[value for _, value in row][1] for row in engine.run(job, cursor).rows]
    for sql in _by_hand(relation):
        counts = [str(count) for _, count in cursor.execute(sql).fetchall()]
        assert ours == counts, f"{ours} are not {counts}"


def _fill(store: EventStore) -> None:
    """A day of records; three in ten are rejected, few sources make most of the noise."""
    store.create(REGION, GROUP)
    random = np.random.default_rng(2026)
    for _ in range(EVENTS // BATCH):
        starts = START + np.sort(random.integers(0, DAY - 60, BATCH))
        messages = [
            f"2 123456789012 eni-0a1b2c3d4e5f60718 {SOURCES[source]} 10.0.0.5 {source_port} {port} 6 {packets} {size}"
            f" {start} {start + 60} {'REJECT' if rejected else 'ACCEPT'} OK"
            for source, source_port, port, packets, size, start, rejected in zip(
                random.zipf(1.3, BATCH) % len(SOURCES),
                random.integers(1024, 65535, BATCH),
                random.choice([22, 80, 443, 3389, 53], BATCH),
                random.integers(1, 50, BATCH),
                random.integers(40, 60_000, BATCH),
                starts,
                random.random(BATCH) < 0.3,
                strict=True,
            )
        ]
        store.append(REGION, GROUP, STREAM, (starts * 1000).tolist(), messages, ingestion_time=START * 1000)
