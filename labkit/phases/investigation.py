"""The investigation: a case with its evidence in two places, and an incident note with what was found.

The flow log records of the day lie in the bucket, for Athena; the server's log of logins is a log group, for Logs
Insights. A note in the bucket closes the case. The check reads that note and generates the case again from its number,
so no notebook contains the answers, and a note written by hand counts like one filed by labkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right
from labkit.flowlog import story
from labkit.flowlog.s3_keys import S3Layout, parse_key
from labkit.flowlog.story.case import Case
from labkit.lab import ledger
from labkit.lab.errors import LabError
from labkit.lab.ledger import TAGS
from labkit.lab.session import Lab
from labkit.phases import athena_table, flow_logs
from labkit.phases.findings import FINDINGS, UNKNOWN, note_text, read_note, true_findings
from labkit.show.cards import Card
from labkit.show.tables import Note, Table

KEY = "investigation"
PREFIX = "investigation/"
LOG_STREAM = "secure"
TABLE_NAME = re.compile(r"case_\d+")
_EVENTS_A_REQUEST = 1000
_KEYS_A_REQUEST = 1000


@dataclass(frozen=True)
class CaseFile:
    """Where the evidence of a case is."""

    case: Case

    @property
    def prefix(self) -> str:
        """The folder of the case in the bucket."""
        return f"{PREFIX}case-{self.case.number}/"

    @property
    def log_group(self) -> str:
        """The log group with the server's log of logins."""
        return f"{self.prefix}logins"

    @property
    def table(self) -> str:
        """The table of the flow log records, in the lab's database."""
        return f"case_{self.case.number}"

    @property
    def note_key(self) -> str:
        """Where the incident note belongs."""
        return f"{self.prefix}incident-note.md"


def open_case(lab: Lab, number: int | None = None) -> Card:
    """Put the evidence of a case into the cloud: records into the bucket, logins into a log group, a table over them.

    The case happened on the day before it was opened; a case that is already open stays as it is. Without a number it
    is the learner's own, `lab.case_number`: another learner's has another intruder and other amounts.
    """
    number = lab.case_number if number is None else number
    if not (isinstance(number, int) and 0 <= number <= 9999):
        raise LabError(f"{number!r} is no number of a case: choose one from 0 to 9999, any of them will do")
    mark = lab.calls.mark()
    known = next((each for each in _open_cases(lab) if each.case.number == number), None)
    file = known or CaseFile(Case(number, lab.now().date() - timedelta(days=1)))
    if known is None:
        ledger.note(lab, "case", str(number))
        _put_logins(lab, file)
        _put_records(lab, file)
    athena_table.create_database(lab)
    athena_table.connect(lab).cursor().execute(create_table_statement(lab, file))
    return Card(
        "Case",
        str(number),
        "already there" if known else "created",
        details={
            "Day": f"{file.case.day:%A}, {file.case.day}",
            "Flow log records": f"table {file.table} in Athena",
            "Log of logins": f"log group {file.log_group} in Logs Insights",
            "Incident note": f"s3://{lab.bucket}/{file.note_key}",
        },
        calls=_told(lab.calls.lines_since(mark)),
    )


def create_table_statement(lab: Lab, file: CaseFile) -> str:
    """The lab's own statement, for a table of one case: its folder is small, so it needs no partitions."""
    statement = athena_table.create_table_statement(lab)
    statement = statement.replace(
        f"{athena_table.DATABASE}.{athena_table.TABLE}", f"{athena_table.DATABASE}.{file.table}"
    )
    statement = statement.replace("PARTITIONED BY (dt string)\n", "")
    return statement.replace(athena_table.records_location(lab), _records_location(lab, file))


def file_note(lab: Lab, number: int | None = None, **findings: object) -> Card:
    """Write the incident note of a case from its template into the bucket, in place of an earlier one.

    The findings are those of `labkit.phases.findings`, such as `intruder="192.0.2.1"`; one that is left out
    counts as not found yet.
    """
    unknown = sorted(findings.keys() - FINDINGS.keys())
    if unknown:
        raise LabError(f"an incident note has no place for {unknown[0]!r}; give it one of {', '.join(FINDINGS)}")
    file = _case_file(lab, number)
    number = file.case.number
    mark = lab.calls.mark()
    text = note_text(file.case, {name: str(value) for name, value in findings.items()})
    lab.client("s3").put_object(Bucket=lab.bucket, Key=file.note_key, Body=text.encode(), ContentType="text/markdown")
    return Card(
        "Incident note",
        f"case {number}",
        "filed",
        details=read_note(text),
        calls=lab.calls.lines_since(mark),
    )


def read_filed_note(lab: Lab, number: int | None = None) -> str:
    """The incident note of a case, as it lies in the bucket."""
    file = _case_file(lab, number)
    number = file.case.number
    note = _read_object(lab, file.note_key)
    if note is None:
        raise LabError(f"case {number} has no incident note yet: write it with file_note(lab, number={number}, ...)")
    return note


def questions() -> Table:
    """Show what a case asks for, what an answer looks like, and its name in file_note."""
    rows = [(finding.label, finding.form, f"{name}=") for name, finding in FINDINGS.items()]
    return Table("To be found", ("what", "an answer is", "in file_note"), rows)


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for an open case and its incident note, and compare each finding in it with what happened."""
    cases = _open_cases(lab)
    if not cases:
        hint = "run the cell with open_case; any number will do"
        return Check(KEY, (absent("a case", wanted="evidence in the bucket", hint=hint),))
    judged = [_judge(lab, file) for file in cases]
    return Check(KEY, max(judged, key=lambda items: sum(item.hint == "" for item in items)))


def solve(lab: Lab) -> Card:
    """Open a case if none is open, and file the note that its investigation should end in."""
    cases = _open_cases(lab)
    number = cases[0].case.number if cases else lab.case_number
    open_case(lab, number)
    return file_note(lab, number, **true_findings(_case_file(lab, number).case))


def clean_up(lab: Lab) -> Note:
    """Remove every case that the lab opened: its table, its log group, its records and its note."""
    numbers = {file.case.number for file in _open_cases(lab)} if lab.claims_by_name else set()
    opened = sorted(numbers | set(map(int, ledger.names(lab, "case"))))
    objects = sum(_close_case(lab, CaseFile(Case(number, lab.now().date()))) for number in opened)
    return Note(f"Cases removed: {len(opened)}, with {objects} objects.")


def _close_case(lab: Lab, file: CaseFile) -> int:
    """Remove a case's table, log group and objects, as far as they exist; return how many objects there were."""
    if _has_table(lab, file.table):
        athena_table.connect(lab).cursor().execute(f"DROP TABLE IF EXISTS {athena_table.DATABASE}.{file.table}")
    if file.log_group in _log_groups(lab):
        lab.client("logs").delete_log_group(logGroupName=file.log_group)
    keys = [key for key in _keys(lab) if key.startswith(file.prefix)]
    for first in range(0, len(keys), _KEYS_A_REQUEST):
        doomed = [{"Key": key} for key in keys[first : first + _KEYS_A_REQUEST]]
        lab.client("s3").delete_objects(Bucket=lab.bucket, Delete={"Objects": doomed, "Quiet": True})
    ledger.forget(lab, "case", str(file.case.number))
    return len(keys)


def _has_table(lab: Lab, name: str) -> bool:
    glue = lab.client("glue")
    try:
        glue.get_table(DatabaseName=athena_table.DATABASE, Name=name)
    except glue.exceptions.EntityNotFoundException:
        return False
    return True


def _judge(lab: Lab, file: CaseFile) -> tuple[Item, ...]:
    """The items of one case."""
    evidence = right(f"case {file.case.number}", "open")
    note = _read_object(lab, file.note_key)
    if note is None:
        hint = "run the cell with file_note, with what you have found so far"
        return evidence, absent("the incident note", wanted=f"at {file.note_key}", hint=hint)
    found = read_note(note)
    findings = (finding.judge(found.get(finding.label, UNKNOWN), file.case) for finding in FINDINGS.values())
    return evidence, right("the incident note", "filed"), *findings


def _case_file(lab: Lab, number: int | None) -> CaseFile:
    number = lab.case_number if number is None else number
    for file in _open_cases(lab):
        if file.case.number == number:
            return file
    raise LabError(f"case {number} is not open: run open_case(lab, number={number})")


def _open_cases(lab: Lab) -> list[CaseFile]:
    """Return the cases whose records are in the bucket, the lowest number first; the first file's name has the day."""
    days: dict[int, date] = {}
    for key in _keys(lab):
        match, name = re.match(rf"{PREFIX}case-(\d+)/", key), parse_key(key)
        if match and name:
            days.setdefault(int(match[1]), name.time.date())
    return [CaseFile(Case(number, day)) for number, day in sorted(days.items())]


def _put_records(lab: Lab, file: CaseFile) -> None:
    for key, body in story.objects(file.case.records, account_id=lab.account_id, region=lab.region):
        lab.client("s3").put_object(Bucket=lab.bucket, Key=f"{file.prefix}{key}", Body=body)


def _put_logins(lab: Lab, file: CaseFile) -> None:
    logs = lab.client("logs")
    if file.log_group not in _log_groups(lab):
        logs.create_log_group(logGroupName=file.log_group, tags=TAGS)
        logs.create_log_stream(logGroupName=file.log_group, logStreamName=LOG_STREAM)
    events = [{"timestamp": 1000 * login.at, "message": login.line} for login in file.case.logins()]
    for first in range(0, len(events), _EVENTS_A_REQUEST):
        batch = events[first : first + _EVENTS_A_REQUEST]
        logs.put_log_events(logGroupName=file.log_group, logStreamName=LOG_STREAM, logEvents=batch)


def _told(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the calls without their contents: the learner should not read the evidence before asking for it."""
    return tuple(line for line in lines if "put-log-events" not in line and "put-object" not in line)


def _records_location(lab: Lab, file: CaseFile) -> str:
    folder = S3Layout(prefix=file.prefix).folder(lab.account_id, lab.region)
    return f"s3://{lab.bucket}/{folder}"


def _log_groups(lab: Lab) -> list[str]:
    return [group["logGroupName"] for group in flow_logs.log_groups(lab, logGroupNamePrefix=PREFIX)]


def _keys(lab: Lab) -> Iterator[str]:
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.bucket, Prefix=PREFIX)
    return (each["Key"] for page in pages for each in page.get("Contents", []))


def _read_object(lab: Lab, key: str) -> str | None:
    s3 = lab.client("s3")
    try:
        body: bytes = s3.get_object(Bucket=lab.bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return body.decode(errors="replace")
