"""Flow log files and log events read into tables of records.

Text is read strictly: a line that does not fit its format is never skipped; the error names it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from labkit.flowlog.fields import BY_COLUMN, BY_NAME, Field
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.flowlog.writer import MISSING

if TYPE_CHECKING:
    import pandas as pd

_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_INTEGER_RANGES = {"INT_32": 2**31, "INT_64": 2**63}


class RecordError(ValueError):
    """Bytes or a line don't hold flow log records; the message says where and why."""


def read_file(path: Path | str) -> pa.Table:
    """Read the records of one file, as `read` does; an error names the file."""
    try:
        return read(Path(path).read_bytes())
    except RecordError as error:
        raise RecordError(f"{Path(path).name}: {error}") from error


def read(data: bytes, log_format: LogFormat | None = None) -> pa.Table:
    """Read the records in one file's bytes: gzip text, plain text or Parquet.

    The header line says which fields a text file has; `log_format` is for text without one.
    """
    if data.startswith(_PARQUET_MAGIC):
        return _read_parquet(data)
    if data.startswith(_GZIP_MAGIC):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise RecordError(f"the gzip file is cut off or damaged, fetch it again: {error}") from error
    header, _, body = data.partition(b"\n")
    if log_format is not None:
        return _read_text(data, log_format, first_line=1)
    return _read_text(body, _header_format(header), first_line=2)


def read_lines(lines: Iterable[str], log_format: LogFormat = DEFAULT_FORMAT) -> pa.Table:
    """Read the records of lines without a header, such as the messages of log events."""
    return _read_text("".join(f"{line}\n" for line in lines).encode(), log_format, first_line=1)


def frame(records: pa.Table) -> pd.DataFrame:
    """The records as a DataFrame: integers that can be missing stay integers, start and end become times in UTC."""
    import pandas as pd

    nullable = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
    data = records.to_pandas(types_mapper=nullable.get)
    for column in {"start", "end"} & set(data.columns):
        data[column] = pd.to_datetime(data[column], unit="s", utc=True)
    return data


def _header_format(header: bytes) -> LogFormat:
    names = header.decode(errors="replace").split()
    unknown = [name for name in names if name not in BY_NAME]
    if unknown or not names:
        raise RecordError(
            "line 1 is no header of a flow log file: "
            + (f"{unknown[0]!r} is no field of a record" if unknown else "it is empty")
            + "; for text without a header line give its log_format"
        )
    return LogFormat(tuple(BY_NAME[name] for name in names))


def _read_text(body: bytes, log_format: LogFormat, *, first_line: int) -> pa.Table:
    if not body.strip():
        return log_format.schema.empty_table()
    if _has_hexadecimal(body) and (fault := _first_fault(body, log_format, first_line)):
        raise RecordError(fault)  # Arrow takes hexadecimal numbers too
    try:
        return pa_csv.read_csv(
            pa.BufferReader(body),
            read_options=pa_csv.ReadOptions(column_names=_distinct(log_format.columns)),
            parse_options=pa_csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pa_csv.ConvertOptions(
                column_types=log_format.schema,
                include_columns=log_format.schema.names,
                null_values=[MISSING],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise RecordError(_first_fault(body, log_format, first_line) or str(error)) from error


def _has_hexadecimal(body: bytes) -> bool:
    """Return whether there is a 0x or 0X; look for the letter first, which is quick, as hardly any record has it."""
    return any(letter in body and b"0" + letter in body for letter in (b"x", b"X"))


def _distinct(columns: tuple[str, ...]) -> list[str]:
    """Return a name for each column of the text; a repeated field gets a name that nothing reads."""
    return [column if columns.index(column) == place else f"{column} {place}" for place, column in enumerate(columns)]


def _first_fault(body: bytes, log_format: LogFormat, first_line: int) -> str | None:
    """Return what is wrong with the first line that does not fit; None if all fit."""
    for number, line in enumerate(body.decode(errors="replace").splitlines(), first_line):
        values = line.split(" ")
        if line and len(values) != len(log_format.fields):
            return f"line {number} has {len(values)} fields where the format has {len(log_format.fields)}: {line!r}"
        for field, value in zip(log_format.fields, values, strict=False):
            if line and not _fits(field, value):
                return f"line {number}: {field.name} is {value!r}, not a whole number: {line!r}"
    return None


def _fits(field: Field, value: str) -> bool:
    if value == MISSING or field.parquet_type == "STRING":
        return True
    bound = _INTEGER_RANGES[field.parquet_type]
    return value.lstrip("-").isdecimal() and -bound <= int(value) < bound


def _read_parquet(data: bytes) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise RecordError(f"the Parquet file is cut off or damaged, fetch it again: {error}") from error
    unknown = [name for name in table.column_names if name not in BY_COLUMN]
    if unknown:
        raise RecordError(
            f"the Parquet file is no flow log file: its column {unknown[0]!r} is no field of a record; give one that "
            "VPC Flow Logs delivered"
        )
    return table.cast(pa.schema([(name, BY_COLUMN[name].arrow_type) for name in table.column_names]))
