"""Translates DuckDB's errors to Athena's."""

from __future__ import annotations

import calendar
import re

import duckdb

from labkit.sandbox.athena.errors import NOT_IN_SANDBOX, SYSTEM, QueryError, too_large
from labkit.sandbox.athena.text import java_double

_OURS = re.compile(r"((?:[A-Z]+_)+[A-Z]+): (.*)")
_AROUND_OURS = re.compile(r"(?:' to (?:U?INT\d+|UHUGEINT|DOUBLE|TIMESTAMP[A-Z ]*)|\", expected format is .*)$")
_CAST = re.compile(r"Could not convert string ['\"](.*?)['\"] to (?:['\"])?(\w+)(\(\d+,\d+\))?", re.DOTALL)
_TO_DECIMAL = re.compile(r"Could not cast value (\S+) to (DECIMAL\(\d+,\d+\))")
_FROM_DECIMAL = re.compile(r"Failed to cast decimal value (\S+) to type (\w+)")
_FIELD = re.compile(r"invalid (\w+) field format: \"(.*?)\"", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"Overflow in (addition|subtraction|multiplication|division) of (INT\d+) \((-?\d+) (.) (-?\d+)\)"
)
_OF_THE_SMALLEST = re.compile(r"Overflow (?:in division of|on) (?:abs\()?(-\d+)(?: / -1|\))")
_SMALLEST = {-(2**7): "tinyint", -(2**15): "smallint", -(2**31): "integer", -(2**63): "bigint"}
_NARROW = re.compile(r"Type \w+ with value (.*?) can't be cast because .* destination type (\w+)")
_DECIMAL = re.compile(r'Casting value "(.*?)" to type (DECIMAL\(\d+,\d+\)) failed')
_DATE_RANGE = re.compile(r'(date|time|timestamp) field value out of range: "(.*?)"')
_FORMAT = re.compile(
    r'Could not parse string "(?P<year>1970\|)?(?P<text>.*?)" according to format specifier ".*\n(?P<caret> *)\^\n'
    r"Error: (?P<what>.*)",
    re.DOTALL,
)
_FORMAT_RANGE = re.compile(r"(\w+) out of range, expected a value between (\d+) and (\d+)")
_FIELDS = {"Month": "monthOfYear", "Day": "dayOfMonth", "Hour": "hourOfDay", "Hour12": "clockhourOfHalfday",
           "Minutes": "minuteOfHour", "Second": "secondOfMinute"}  # fmt: skip
_NO_DATE = re.compile(r"Date out of range: (\d+)-(\d+)-(\d+)")
_JSON = re.compile(r'Malformed JSON at byte .* Input: "(.*?)"', re.DOTALL)
_INTEGERS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
_TYPES = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT", "BOOL": "BOOLEAN", "FLOAT": "REAL"}


def from_duckdb(error: duckdb.Error) -> QueryError:
    """Return Athena's error for an error of DuckDB's."""
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor", category=SYSTEM)
    ours = _OURS.search(text)
    if ours:
        return QueryError(ours[1], _AROUND_OURS.sub("", ours[2]))
    if isinstance(error, duckdb.InterruptException):
        return QueryError("", "Query cancelled by user")
    known = _known(text)
    if known:
        return known
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", _first_line(text))
    if isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException):
        return _conversion(text)
    return QueryError("GENERIC_INTERNAL_ERROR", f"{_first_line(text)}: {NOT_IN_SANDBOX}", category=SYSTEM)


def _known(text: str) -> QueryError | None:
    """Return Trino's wording of an error that DuckDB words differently."""
    if "Max expression depth limit" in text:
        return too_large()
    if found := _OVERFLOW.search(text):
        what, kind, left, operator, right = found.groups()
        message = f"{_INTEGERS.get(kind, kind.lower())} {what} overflow: {left} {operator} {right}"
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", message)
    if found := _OF_THE_SMALLEST.search(text):
        kind = _SMALLEST.get(int(found[1]), "bigint")
        if "abs" in text:
            return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Value {found[1]} is out of range for abs({kind})")
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"{kind} division overflow: {found[1]} / -1")
    if found := _NARROW.search(text):
        if found[1] in ("inf", "-inf", "nan", "-nan"):
            name = _INTEGERS.get(found[2], found[2].lower())
            return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast {java_double(float(found[1]))} to {name}")
        value = found[1] if found[1].lstrip("-").isdigit() else java_double(float(found[1]))
        if found[2] == "INT64" and value != found[1]:
            return QueryError("INVALID_CAST_ARGUMENT", f"Unable to cast {value} to bigint")
        message = f"Out of range for {_INTEGERS.get(found[2], found[2].lower())}: {value}"
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", message)
    if found := _DECIMAL.search(text):
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast DECIMAL '{found[1]}' to {found[2].replace(',', ', ')}")
    if found := _DATE_RANGE.search(text):
        return QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to {found[1]}: {found[2]}")
    if found := _FORMAT.search(text):
        return _not_parsed(found)
    if found := _NO_DATE.search(text):
        year, month, day = map(int, found.groups())
        return _out_of_field(
            f"{year:04}-{month:02}-{day:02}", day, "dayOfMonth", f"1,{calendar.monthrange(year, month)[1]}"
        )
    if found := _JSON.search(text):
        return QueryError("INVALID_FUNCTION_ARGUMENT", f"Cannot convert value to JSON: '{found[1]}'")
    if "Overflow in" in text and "DECIMAL" in text:
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow")
    if "Like pattern must not end with escape character" in text:
        return QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            "Escape character must be followed by '%', '_' or the escape character itself",
        )
    if "Invalid escape string" in text:
        return QueryError("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character")
    if "More than one row returned by a subquery" in text:
        return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if "QUANTILE can only take parameters" in text:
        return QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    if "Max expression depth limit" in text:
        return too_large()
    if "Map keys must be unique" in text:
        return QueryError("INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed")
    return None


def _not_a_decimal(value: str, kind: str) -> QueryError:
    if value.lstrip("-").isdigit():
        given = "INTEGER" if -(2**31) <= int(value) < 2**31 else "BIGINT"
    else:
        given, value = "DOUBLE", java_double(float(value))
    return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast {given} '{value}' to {kind}")


def _not_parsed(found: re.Match[str]) -> QueryError:
    """The error of a text that does not fit its date format, which says from where on, as Joda's does."""
    text, what = found["text"], found["what"].strip()
    at = len(found["caret"]) - len(found["year"] or "") - what.startswith("Literal")
    if what.startswith("Full specifier"):  # blanks are passed over before it sees that there is more
        at = len(text[:at].rstrip())
    limits = _FORMAT_RANGE.match(what)
    number = re.match(r"\d+", text[max(at, 0) :])
    if limits and number and limits[1] in _FIELDS:
        return _out_of_field(text, int(number[0]), _FIELDS[limits[1]], f"{limits[2]},{limits[3]}")
    where = f' is malformed at "{text[at:]}"' if 0 < at < len(text) else " is too short" if 0 < len(text) <= at else ""
    return QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{text}"{where}')


def _out_of_field(text: str, value: int, field: str, limits: str) -> QueryError:
    return QueryError(
        "INVALID_FUNCTION_ARGUMENT", f'Cannot parse "{text}": Value {value} for {field} must be in the range [{limits}]'
    )


def _conversion(text: str) -> QueryError:
    cast = _CAST.search(text)
    if cast and cast[2] in ("INT128", "UUID"):
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast value to UUID: {cast[1]}")
    if cast and cast[3]:
        kind = f"DECIMAL{cast[3].replace(',', ', ')}"
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast VARCHAR '{cast[1]}' to {kind}. Value too large.")
    if cast:
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{cast[1]}' to {_TYPES.get(cast[2], cast[2])}")
    if found := _TO_DECIMAL.search(text):
        return _not_a_decimal(found[1], found[2].replace(",", ", "))
    if found := _FROM_DECIMAL.search(text):
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{found[1]}' to {_TYPES.get(found[2], found[2])}")
    field = _FIELD.search(text)
    if field:
        return QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to {field[1]}: {field[2]}")
    if "out of range" in text.lower():
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", _first_line(text))
    return QueryError("INVALID_FUNCTION_ARGUMENT", _first_line(text))


def _first_line(text: str) -> str:
    return text.partition(": ")[2].splitlines()[0] if ": " in text else text.splitlines()[0]
