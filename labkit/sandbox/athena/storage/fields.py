"""A block of lines as an Arrow table: its lines, the fields between delimiters, or the fields of CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
from pyarrow import csv as arrow_csv

from labkit.sandbox.athena.storage.lines import count as line_count


def lines(block: bytes) -> pa.Table:
    """One column, `line`."""
    return pa.table({"line": pa.array(_decoded(block), pa.string())})


def delimited(block: bytes, delimiter: str, null: str, numbers: Sequence[int]) -> pa.Table:
    """The fields of some numbers as text, columns `c0`, `c1` and so on. One that its line lacks is NULL."""
    try:
        return _read(block, delimiter, {n: pa.string() for n in numbers}, [null], strings_can_be_null=True)
    except pa.ArrowInvalid:  # lines of different lengths, or bytes that are no UTF-8
        return _columns([line.split(delimiter) for line in _decoded(block)], numbers, null)


def plain(block: bytes, delimiter: str, null: str, types: Mapping[int, pa.DataType]) -> pa.Table | None:
    """The fields of some numbers as text and integers, read by Arrow alone: many times faster than through their texts.

    None where Arrow and the LazySimpleSerDe may disagree: Arrow refuses `5.9`, and reads ` 5` and `0x10` as numbers.
    """
    has_integers = any(pa.types.is_integer(each) for each in types.values())
    if has_integers and any(_holds(block, odd) for odd in (b"0x", b"0X", b"\t", b" ") if odd != delimiter.encode()):
        return None
    # "-" is what a flow log has where it knows no value. As an integer it is NULL, whatever the table's NULL is.
    is_null_in_strings = null == "-" or _holds(block, null.encode())
    nulls = [null] if is_null_in_strings else ["-", ""]
    try:
        return _read(block, delimiter, types, nulls, strings_can_be_null=is_null_in_strings)
    except pa.ArrowInvalid:
        return None


def quoted(block: bytes, separator: str, quote: str, escape: str, numbers: Sequence[int]) -> pa.Table:
    """The fields of CSV as text, columns `c0`, `c1` and so on. A line is a row; an empty one has no field."""
    rows = (
        _quoted_fields(line, separator, quote, escape)
        if quote in line or escape in line
        else line.split(separator) if line else []
        for line in _decoded(block)
    )  # fmt: skip
    return _columns(rows, numbers, None)


def _quoted_fields(line: str, separator: str, quote: str, escape: str) -> list[str]:
    """The fields of a line as the OpenCSVSerde finds them; a last one whose quote is not closed is left out.

    A quote and an escape character stand for themselves after an escape character or, a quote, after a quote, but at
    the beginning of a field. A quote inside a word stands for itself and still opens or closes
    (lib/trino-hive-formats, line/csv, of Trino).
    """
    found: list[str] = []
    text, in_quotes, in_field, passed = "", False, False, -1
    for at, letter in enumerate(line):
        if at == passed:
            continue
        before, after = line[at - 1 : at], line[at + 1 : at + 2]
        if (in_quotes or in_field) and letter in (quote, escape) and after in (quote, letter):
            text, passed = text + after, at + 1
        elif letter == quote:
            if at > 2 and before != separator and after not in ("", separator):
                text = text + quote if text.strip() or not text else ""
            in_quotes = not in_quotes
        elif letter == separator and not in_quotes:
            found.append(text)
            text, in_field = "", False
        elif letter != escape:
            text, in_field = text + letter, True
        if letter == quote:
            in_field = not in_field
    return found if in_quotes else [*found, text]


def _holds(block: bytes, sought: bytes) -> bool:
    """`in`, asked of the last byte first: that is ten times faster, and it is a rare one."""
    return sought[-1:] in block and sought in block


def _decoded(block: bytes) -> list[str]:
    return block.decode("utf-8", "replace").split("\n")[:-1]


def _columns(rows: Iterable[Sequence[str]], numbers: Sequence[int], null: str | None) -> pa.Table:
    rows = list(rows)
    return pa.table(
        {
            f"c{n}": pa.array([row[n] if n < len(row) and row[n] != null else None for row in rows], pa.string())
            for n in numbers
        }
    )


def _read(
    block: bytes, delimiter: str, types: Mapping[int, pa.DataType], nulls: list[str], *, strings_can_be_null: bool
) -> pa.Table:
    """Raises ArrowInvalid where the lines have not as many fields each, or none, or a field is not of its type."""
    fields = block.count(delimiter.encode(), 0, block.find(b"\n")) + 1
    table = arrow_csv.read_csv(
        pa.BufferReader(block),
        arrow_csv.ReadOptions(
            use_threads=False, block_size=len(block) + 1, column_names=[f"c{n}" for n in range(fields)]
        ),
        arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False),
        arrow_csv.ConvertOptions(
            column_types={f"c{n}": kind for n, kind in types.items()},
            include_columns=[f"c{n}" for n in types],
            include_missing_columns=True,
            null_values=nulls,
            strings_can_be_null=strings_can_be_null,
        ),
    )
    if len(table) != line_count(block):
        raise pa.ArrowInvalid("a line has nothing in it, which Arrow passes over")
    return table
