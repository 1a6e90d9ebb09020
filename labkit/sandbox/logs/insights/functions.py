"""The table of the scalar functions: parameters, result, SQL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html

A function that needs more than the SQL of its arguments (a period, a subnet, a field's presence) is in `calls.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.sandbox.logs.insights.values import Kind

TEXT, NUMBER, BOOLEAN, TIME, STRUCTURE = Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.TIME, Kind.STRUCTURE


@dataclass(frozen=True)
class Function:
    """A function; `sql` has a placeholder for each argument, or one for all of them if `rest` is True."""

    parameters: tuple[Kind, ...]
    result: Kind
    sql: str
    optional: tuple[tuple[Kind, str], ...] = ()
    """Optional arguments, each with the SQL of its default."""
    rest: bool = False
    """Whether the last parameter may be repeated."""

    @property
    def arity(self) -> str:
        """The number of arguments it takes, in words."""
        least, most = len(self.parameters), len(self.parameters) + len(self.optional)
        if self.rest:
            return f"{least} or more arguments"
        if least != most:
            return f"{least} to {most} arguments"
        return f"{least} argument" + ("" if least == 1 else "s")

    def applied(self, arguments: Sequence[str]) -> str:
        """Return the SQL of a call, given the SQL of its arguments."""
        return self.sql.format(*arguments, all=", ".join(arguments))

    def takes(self, count: int) -> bool:
        """Tell whether it takes this number of arguments."""
        least = len(self.parameters)
        return count >= least and (self.rest or count <= least + len(self.optional))


_SPACES = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"

_NUMERIC = {
    "abs": Function((NUMBER,), NUMBER, "abs({0})"),
    "ceil": Function((NUMBER,), NUMBER, "ceil({0})"),
    "floor": Function((NUMBER,), NUMBER, "floor({0})"),
    "greatest": Function((NUMBER,), NUMBER, "greatest({all})", rest=True),
    "haversine": Function((NUMBER, NUMBER, NUMBER, NUMBER), NUMBER, "haversine_kilometres({0}, {1}, {2}, {3})"),
    "histogram": Function((NUMBER, NUMBER), NUMBER, "CASE WHEN {1} > 0 THEN floor({0} / {1}) * {1} END"),
    "least": Function((NUMBER,), NUMBER, "least({all})", rest=True),
    # Guarded, here and below: one event with a bad value must not fail the whole query, as DuckDB's error would.
    "log": Function((NUMBER,), NUMBER, "CASE WHEN {0} > 0 THEN ln({0}) END"),
    # A double has fewer than 400 digits, and the bounds keep the cast to INTEGER from overflowing.
    "round": Function(
        (NUMBER,), NUMBER, "round({0}, CAST(least(greatest({1}, -400), 400) AS INTEGER))", optional=((NUMBER, "0"),)
    ),
    "sqrt": Function((NUMBER,), NUMBER, "CASE WHEN {0} >= 0 THEN sqrt({0}) END"),
    "tonumber": Function((NUMBER,), NUMBER, "{0}"),
    "todouble": Function((NUMBER,), NUMBER, "{0}"),
    "toint": Function((NUMBER,), NUMBER, "trunc({0})"),
    "tolong": Function((NUMBER,), NUMBER, "trunc({0})"),
}

_STRING = {
    "isempty": Function((TEXT,), BOOLEAN, "coalesce({0} = '', TRUE)"),
    "isblank": Function((TEXT,), BOOLEAN, f"coalesce(trim({{0}}, {_SPACES}) = '', TRUE)"),
    "concat": Function((TEXT,), TEXT, "concat({all})", rest=True),
    "ltrim": Function((TEXT,), TEXT, "ltrim({0}, {1})", optional=((TEXT, _SPACES),)),
    "rtrim": Function((TEXT,), TEXT, "rtrim({0}, {1})", optional=((TEXT, _SPACES),)),
    "trim": Function((TEXT,), TEXT, "trim({0}, {1})", optional=((TEXT, _SPACES),)),
    "strlen": Function((TEXT,), NUMBER, "CAST(length({0}) AS DOUBLE)"),
    "messagesize": Function((TEXT,), NUMBER, "CAST(strlen({0}) AS DOUBLE)"),
    "toupper": Function((TEXT,), TEXT, "upper({0})"),
    "tolower": Function((TEXT,), TEXT, "lower({0})"),
    "substr": Function(
        (TEXT, NUMBER),
        TEXT,
        "substr({0}, text_index({1}) + 1, text_index({2}))",
        optional=((NUMBER, "1e9"),),
    ),
    "replace": Function((TEXT, TEXT, TEXT), TEXT, "replace({0}, {1}, {2})"),
    "strcontains": Function(
        (TEXT, TEXT),
        NUMBER,
        "CAST(CASE WHEN {2} THEN contains(lower({0}), lower({1})) ELSE contains({0}, {1}) END AS DOUBLE)",
        optional=((BOOLEAN, "FALSE"),),
    ),
    "startswith": Function((TEXT, TEXT), BOOLEAN, "starts_with({0}, {1})"),
    "endswith": Function((TEXT, TEXT), BOOLEAN, "ends_with({0}, {1})"),
    "split": Function((TEXT, TEXT), STRUCTURE, "to_json(string_split({0}, {1}))"),
    "urlencode": Function((TEXT,), TEXT, "url_encode({0})"),
    "urldecode": Function((TEXT,), TEXT, "TRY(url_decode({0}))"),
    "base64encode": Function((TEXT,), TEXT, "base64(encode({0}))"),
    "base64decode": Function((TEXT,), TEXT, "TRY(decode(from_base64({0})))"),
    "md5": Function((TEXT,), TEXT, "md5({0})"),
    "sha256": Function((TEXT,), TEXT, "sha256({0})"),
    "dectohex": Function(
        (NUMBER,),
        TEXT,
        "CASE WHEN {0} <= -1 THEN '-' ELSE '' END || '0x' || format('{{:x}}', TRY_CAST(trunc(abs({0})) AS BIGINT))",
    ),
    "hextodec": Function((TEXT,), NUMBER, "hex_number({0})"),
    "hextoascii": Function((TEXT,), TEXT, "TRY(decode(unhex(regexp_replace({0}, '^0[xX]', ''))))"),
    "isnumeric": Function((TEXT,), BOOLEAN, "(text_number({0}) IS NOT NULL)"),
}

_DATETIME = {
    "frommillis": Function((TIME,), TIME, "{0}"),
    "tomillis": Function((TIME,), NUMBER, "CAST({0} AS DOUBLE)"),
}

_JSON = {
    "jsonparse": Function(
        (TEXT,), STRUCTURE, "CASE WHEN json_whole(TRY_CAST({0} AS JSON)) THEN TRY_CAST({0} AS JSON) END"
    ),
    "jsonstringify": Function((STRUCTURE,), TEXT, "CAST({0} AS VARCHAR)"),
}

_MASKING = {"unmask": Function((TEXT,), TEXT, "{0}")}
"""The sandbox has no data protection policies, so nothing is masked."""

_ADDRESS = {
    "isvalidip": Function((TEXT,), BOOLEAN, "coalesce(is_ipv4({0}) OR is_ipv6({0}), FALSE)"),
    "isvalidipv4": Function((TEXT,), BOOLEAN, "coalesce(is_ipv4({0}), FALSE)"),
    "isvalidipv6": Function((TEXT,), BOOLEAN, "coalesce(is_ipv6({0}), FALSE)"),
    "ipv4tonumber": Function((TEXT,), NUMBER, "CAST(ipv4_number({0}) AS DOUBLE)"),
}

FUNCTIONS: dict[str, Function] = {**_NUMERIC, **_STRING, **_DATETIME, **_JSON, **_MASKING, **_ADDRESS}
"""By name in lower case: names are the same in any case."""
