"""The delivered records as a table in Athena: made, given its partitions, queried into pandas.

https://docs.aws.amazon.com/athena/latest/ug/vpc-flow-logs-create-table-statement.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab import ledger, prices
from labkit.lab.errors import LabError
from labkit.lab.session import Lab
from labkit.show.cards import Card
from labkit.show.tables import Note

if TYPE_CHECKING:
    import pandas as pd

DATABASE = "default"
TABLE = "vpc_flow_logs"
RESULTS_PREFIX = "athena-results/"
"""The folder of results: beside the records, never among them, where Athena would read them as records."""

QUERY = f"""\
SELECT day_of_week(from_iso8601_timestamp(dt)) AS day,
       dt, interfaceid, sourceaddress, destinationport, action, protocol
FROM {TABLE}
WHERE action = 'REJECT' AND protocol = 6
ORDER BY sourceaddress, dt, destinationport
LIMIT 100"""

_CREATE = f"""\
CREATE EXTERNAL TABLE IF NOT EXISTS {DATABASE}.{TABLE} (
  version int,
  account string,
  interfaceid string,
  sourceaddress string,
  destinationaddress string,
  sourceport int,
  destinationport int,
  protocol int,
  numpackets int,
  numbytes bigint,
  starttime int,
  endtime int,
  action string,
  logstatus string
)
PARTITIONED BY (dt string)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ' '
LOCATION '{{location}}'
TBLPROPERTIES ("skip.header.line.count"="1")"""

logging.getLogger("pyathena").addHandler(logging.NullHandler())
"""PyAthena's logger would add a failed query's traceback to the cell, which already says what failed."""

_COLUMNS = re.findall(r"^  (\w+) (\w+)", _CREATE, re.MULTILINE)
"""The columns by name and type."""
_READ_BY = {"int": ("int", "bigint"), "bigint": ("int", "bigint"), "string": ("string",)}
"""Other types that can read a column's values."""
_LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

_SAFE = {
    "bucket": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "account": re.compile(r"[0-9]{12}"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]"),
}


def results_location(lab: Lab) -> str:
    """Return where Athena puts its results: `s3://BUCKET/athena-results/`."""
    return f"s3://{_safe('bucket', lab.bucket)}/{RESULTS_PREFIX}"


def records_location(lab: Lab, day: date | None = None) -> str:
    """Return where the lab region's records are: all of them, or those of one day."""
    prefix = f"AWSLogs/{_safe('account', lab.account_id)}/vpcflowlogs/{_safe('region', lab.region)}/"
    return f"s3://{_safe('bucket', lab.bucket)}/{prefix}{f'{day:%Y/%m/%d}/' if day else ''}"


def connect(lab: Lab) -> Any:
    """Return a PyAthena connection to the lab's database, with results in `results_location`."""
    import pyathena

    _claim_folder(lab)
    return pyathena.connect(
        session=lab.session,
        region_name=lab.region,
        schema_name=DATABASE,
        s3_staging_dir=results_location(lab),
        poll_interval=0.2,
    )


def query(lab: Lab, sql: str) -> pd.DataFrame:
    """Return the rows of a query's result.

    The frame's `attrs` hold the bytes that it read and what AWS charges for them in USD; `price` says it in words.
    """
    from pyathena.pandas.cursor import PandasCursor

    cursor = connect(lab).cursor(PandasCursor).execute(sql)
    frame: pd.DataFrame = cursor.as_pandas()
    scanned = cursor.data_scanned_in_bytes or 0
    frame.attrs = {"bytes_scanned": scanned, "usd": prices.athena_query(scanned, lab.region)}
    return frame


def price(answer: pd.DataFrame) -> Note:
    """What the query behind an answer scanned, and what AWS charges for that; the sandbox charges nothing."""
    said = prices.scanned(answer, "bytes_scanned", "query(lab, ...)")
    least = (
        f", the price of {prices.ATHENA_MINIMUM_MB} MB, the least"
        if answer.attrs["bytes_scanned"] < prices.ATHENA_MINIMUM_MB * prices.MB
        else ""
    )
    return Note(f"{said}{least}.")


def create_database(lab: Lab) -> Card:
    """Make the database `default` if it is missing, as in an account that never used Athena."""
    pages = lab.client("athena").get_paginator("list_databases").paginate(CatalogName="AwsDataCatalog")
    found = any(database["Name"] == DATABASE for page in pages for database in page["DatabaseList"])
    return _run(lab, "Database", DATABASE, f"CREATE DATABASE IF NOT EXISTS {DATABASE}", found)


def create_table_statement(lab: Lab) -> str:
    """The statement that makes the table, with the lab's bucket, account and region in its location."""
    return _CREATE.format(location=records_location(lab))


def create_table(lab: Lab) -> Card:
    """Make the table of the lab's records; a table of that name stays as it is."""
    found = find_table(lab) is not None
    details = {"Location": records_location(lab), "Partitioned by": "dt, a day"}
    if not found:
        ledger.note(lab, "Athena table", TABLE)
    return _run(lab, "Table", f"{DATABASE}.{TABLE}", create_table_statement(lab), found, details)


def add_partition_statement(lab: Lab, days: Iterable[date]) -> str:
    """The statement that tells the table where the records of those days are.

    `IF NOT EXISTS` lets it run twice; without it Athena fails for a day that the table knows already.
    https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-partition.html
    """
    clauses = [f"PARTITION (dt='{day:%Y-%m-%d}') LOCATION '{records_location(lab, day)}'" for day in days]
    return "\n  ".join([f"ALTER TABLE {DATABASE}.{TABLE} ADD IF NOT EXISTS", *clauses])


def add_partition(lab: Lab, day: date | str) -> Card:
    """Tell the table where the records of one day are, as `"2026-10-05"` or a date; a known day stays as it is."""
    day = _day(day)
    found = f"{day:%Y-%m-%d}" in partitions(lab)
    details = {"Location": records_location(lab, day)}
    statement = add_partition_statement(lab, [day])
    return _run(lab, "Partition", f"dt={day:%Y-%m-%d}", statement, found, details)


def add_partitions(lab: Lab, days: Iterable[date | str]) -> Card:
    """Tell the table where the records of several days are, in one statement."""
    if isinstance(days, date | str):
        raise LabError(f"{days} is a single day: give a list of days, or call add_partition(lab, ...) for one")
    wanted = sorted(map(_day, days))
    if not wanted:
        raise LabError(
            "there is no day to add: no records have been delivered yet. Wait for the first as notebook 03 does"
        )
    known = partitions(lab)
    found = all(f"{day:%Y-%m-%d}" in known for day in wanted)
    span = f"dt={wanted[0]:%Y-%m-%d} to {wanted[-1]:%Y-%m-%d}"
    return _run(lab, "Partitions", span, add_partition_statement(lab, wanted), found, {"Days": str(len(wanted))})


def partitions(lab: Lab) -> dict[str, str]:
    """The days that the table knows, and where it looks for their records."""
    if find_table(lab) is None:
        return {}
    partitions = _pages(lab, "get_partitions", "Partitions", DatabaseName=DATABASE, TableName=TABLE)
    return {entry["Values"][0]: entry["StorageDescriptor"]["Location"] for entry in partitions}


def delivered_days(lab: Lab) -> list[date]:
    """The days that have records in the bucket, the first one first."""
    days = {match[1] for key in _keys(lab) if (match := re.search(r"/(\d{4}/\d{2}/\d{2})/[^/]+$", key))}
    return sorted(date(*map(int, day.split("/"))) for day in days)


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left."""
    return lab.course.catch_up(before="Athena table")


def check(lab: Lab) -> Check:
    """Look at the table and its partitions in the Glue data catalog, and at what lies in its folder."""
    return Check("Athena table", (_check_table(lab), _check_partitions(lab), _check_folder(lab)))


def solve(lab: Lab) -> None:
    """Make the table with a partition for each day that has records, and asks it for rejected TCP traffic."""
    create_database(lab)
    create_table(lab)
    add_partitions(lab, delivered_days(lab))
    query(lab, QUERY)


def clean_up(lab: Lab) -> Note:
    """Drop the table, which leaves the records in place, and delete Athena's results."""
    outcome = "already gone"
    if find_table(lab) is not None:
        outcome = "stays, the lab did not make it"
        if ledger.is_the_labs(lab, "Athena table", TABLE):
            connect(lab).cursor().execute(f"DROP TABLE IF EXISTS {DATABASE}.{TABLE}")
            outcome = "dropped"
    ledger.forget(lab, "Athena table", TABLE)
    return Note(f"Table {DATABASE}.{TABLE}: {outcome}. Answers deleted: {delete_results(lab)}.")


def delete_results(lab: Lab) -> int:
    """Delete Athena's results and return how many there were; leave a folder that is somebody else's."""
    if not ledger.is_the_labs(lab, "folder", results_location(lab)):
        return 0
    keys = [entry["Key"] for entry in _objects(lab, RESULTS_PREFIX)]
    for start in range(0, len(keys), 1000):
        batch = [{"Key": key} for key in keys[start : start + 1000]]
        lab.client("s3").delete_objects(Bucket=lab.bucket, Delete={"Objects": batch, "Quiet": True})
    return len(keys)


def _claim_folder(lab: Lab) -> None:
    """Claim the folder of results for the lab if it was empty when the lab first used it."""
    folder = results_location(lab)
    if folder not in ledger.names(lab, "folder") and not _objects(lab, RESULTS_PREFIX):
        ledger.note(lab, "folder", folder)


def _safe(what: str, value: str) -> str:
    """Return the value if it can stand in a quoted string of a statement unchanged."""
    if not _SAFE[what].fullmatch(value):
        raise LabError(f"{value!r} can't be the {what} of an S3 location; correct it in the settings of notebook 00")
    return value


def _day(value: date | str) -> date:
    """Return the day if it is a valid date: it goes into a statement and into the name of a folder."""
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise LabError(f"{value!r} is no day: give one as '2026-10-05', or as date(2026, 10, 5)") from None


def _run(lab: Lab, kind: str, name: str, statement: str, found: bool, details: dict[str, str] | None = None) -> Card:
    mark = lab.calls.mark()
    connect(lab).cursor().execute(statement)
    outcome, calls = "already there" if found else "created", lab.calls.lines_since(mark)
    return Card(kind=kind, id=name, outcome=outcome, details=details or {}, calls=calls)


def _pages(lab: Lab, operation: str, member: str, **parameters: str) -> list[Any]:
    pages = lab.client("glue").get_paginator(operation).paginate(**parameters)
    return [entry for page in pages for entry in page[member]]


def find_table(lab: Lab) -> Any:
    """The lab's table as the Glue data catalog has it."""
    glue = lab.client("glue")
    try:
        return glue.get_table(DatabaseName=DATABASE, Name=TABLE)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return None


def _objects(lab: Lab, prefix: str) -> list[Any]:
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=prefix)
    return [entry for page in pages for entry in page.get("Contents", [])]


def _keys(lab: Lab) -> list[str]:
    """The keys in the table's folder."""
    prefix = records_location(lab).removeprefix(f"s3://{lab.bucket}/")
    return [entry["Key"] for entry in _objects(lab, prefix)]


def _check_table(lab: Lab) -> Item:
    name, wanted = f"table {DATABASE}.{TABLE}", records_location(lab)
    table = find_table(lab)
    if table is None:
        return absent(name, wanted=f"a table at {wanted}", hint="run the cell with create_table")
    seen = table["StorageDescriptor"]["Location"]
    if seen.rstrip("/") != wanted.rstrip("/"):
        hint = f"drop it (DROP TABLE {DATABASE}.{TABLE}; the records stay) and make it again for bucket and region"
        return wrong(name, seen=f"a table at {seen}", wanted=f"at {wanted}", hint=hint)
    if fault := next(_misdescribed(table), None):
        hint = f"drop it (DROP TABLE {DATABASE}.{TABLE}; the records stay) and make it again as the notebook does"
        return wrong(name, seen=fault[0], wanted=fault[1], hint=hint)
    return right(name, f"at {seen}")


def _misdescribed(table: Any) -> Iterator[tuple[str, str]]:
    """Return where the table describes its files wrongly, and what it should say.

    A file's fields go to the columns by position, and the lab's queries ask for them by name.
    """
    storage = table["StorageDescriptor"]
    columns = [(column["Name"], column["Type"]) for column in storage["Columns"]]
    if len(columns) != len(_COLUMNS):
        yield f"{len(columns)} columns", f"the {len(_COLUMNS)} of a record's fields"
    for place, (seen, wanted) in enumerate(zip(columns, _COLUMNS, strict=False), 1):
        if seen[0] != wanted[0] or seen[1] not in _READ_BY[wanted[1]]:
            yield f"column {place} is {' '.join(seen)}", " ".join(wanted)
    keys = ", ".join(f"{key['Name']} {key['Type']}" for key in table.get("PartitionKeys", []))
    if keys != "dt string":
        yield f"partitioned by {keys or 'nothing'}", "by dt string, a day as 2026-10-05"
    serde = storage["SerdeInfo"]
    delimiter = serde.get("Parameters", {}).get("field.delim", "\x01")
    if serde["SerializationLibrary"] == _LAZY_SIMPLE and delimiter != " ":
        yield f"fields separated by {delimiter!r}", "by a space, ' '"
    elif serde["SerializationLibrary"] not in (_LAZY_SIMPLE, _REGEX):
        yield f"files read by {serde['SerializationLibrary'].rpartition('.')[2]}", "as delimited text"
    if (skipped := table.get("Parameters", {}).get("skip.header.line.count", "0")) != "1":
        yield f"{skipped} lines skipped at the top of a file", "1: the names of the fields"


def _check_partitions(lab: Lab) -> Item:
    name, known = "partitions", partitions(lab)
    if not known:
        return absent(name, wanted="one for each day", hint="run the cell with add_partition: no partition, no rows")
    for day, location in sorted(known.items()):
        if not _DAY.fullmatch(day):
            hint = f"drop it (ALTER TABLE {DATABASE}.{TABLE} DROP PARTITION (dt='{day}')) and add it with dashes"
            return wrong(name, seen=f"dt={day}", wanted="a day as 2026-10-05", hint=hint)
        wanted = f"{records_location(lab)}{day.replace('-', '/')}"
        if location.rstrip("/") != wanted:
            hint = f"drop it (ALTER TABLE {DATABASE}.{TABLE} DROP PARTITION (dt='{day}')) and add it again"
            return wrong(name, seen=f"dt={day} at {location}", wanted=f"at {wanted}/", hint=hint)
    return right(name, f"{len(known)} day{'s' if len(known) > 1 else ''}")


def _check_folder(lab: Lab) -> Item:
    name = "the table's folder"
    keys = _keys(lab)
    litter = [key for key in keys if not key.endswith((".log.gz", ".log.parquet"))]
    if not keys:
        return absent(name, wanted="delivered records", hint="records take 5-15 minutes: wait, as notebook 03 does")
    if litter:
        hint = f"delete them, and let Athena put its answers under {RESULTS_PREFIX}"
        return wrong(name, seen=f"{len(litter)} files that aren't records", wanted="records only", hint=hint)
    return right(name, "records only", given=True)
