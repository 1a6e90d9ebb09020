"""Functions that need more than the SQL of their arguments: periods, subnets, presence, choices, the query's time."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

import duckdb

from labkit.sandbox.logs.insights import dates, periods, tree, values
from labkit.sandbox.logs.insights.fields import Window
from labkit.sandbox.logs.insights.reading import Reading
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*subnets: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(subnet) for subnet in subnets)


PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
RESERVED = _networks(
    *("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/127", "100::/64", "2001:db8::/32", "fe80::/10", "ff00::/8"),
)
"""Special-purpose addresses other than private ones: https://www.iana.org/assignments/iana-ipv4-special-registry"""


MAX_BRANCHES = 10
"""The maximum number of branches of a case()."""


class Compiler(Protocol):
    """The part of the compiler of expressions that a call needs."""

    reading: Reading

    def compile(self, expression: tree.Expression) -> Value: ...  # noqa: D102

    def structure(self, expression: tree.Expression) -> str: ...  # noqa: D102

    def time(self, expression: tree.Expression) -> str: ...  # noqa: D102


Compile = Callable[[Compiler, tree.Call], Value]


def _bin(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `bin(period)`, which always rounds `@timestamp`."""
    (period,) = _arguments(call, 1, 1)
    time = compiler.time(tree.Field(call.span, ("@timestamp",)))
    return Value(periods.rounded(time, _period(period), up=False), Kind.TIME)


def _date(up: bool) -> Compile:
    def compile_date(compiler: Compiler, call: tree.Call) -> Value:
        time, period = _arguments(call, 2, 2)
        moment = Value(compiler.time(time), Kind.TIME)
        return Value(values.once(lambda given: periods.rounded(given[0], _period(period), up=up), [moment]), Kind.TIME)

    return compile_date


def _now(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `now()`: the moment at which the query was started, in whole seconds."""
    _arguments(call, 0, 0)
    return values.number(int(compiler.reading.now))


def _of_range(moment: Callable[[Window], int]) -> Compile:
    """Compile a function of the query's time range, in milliseconds."""

    def compile_moment(compiler: Compiler, call: tree.Call) -> Value:
        _arguments(call, 0, 0)
        return values.number(moment(compiler.reading.window))

    return compile_moment


def _parse_date(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `parseDate(text, format, timezone)`: milliseconds since the epoch.

    An offset in the format takes precedence over the time zone.
    """
    subject, pattern, *zone = _arguments(call, 2, 3)
    date_format = dates.of_java(_constant(compiler, pattern, call.name), pattern.span)
    text = converted(compiler.compile(subject), Kind.TEXT)
    if dates.ZONE in date_format:
        # Java accepts these names as offsets; strptime's %z takes only digits.
        text = f"regexp_replace({text}, '(Z|UTC|GMT)$', '+0000')"
    local = f"try_strptime({text}, {values.quoted(date_format)})"
    if dates.ZONE not in date_format and zone:
        local = f"timezone({_zone(compiler, zone[0], call.name)}, {local})"
    return Value(f"CAST(epoch_ms({local}) AS DOUBLE)", Kind.NUMBER)


def _format_date(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `formatDate(time, format, timezone)`."""
    subject, pattern, *zone = _arguments(call, 2, 3)
    date_format = dates.of_strftime(_constant(compiler, pattern, call.name), pattern.span)
    local = "time_stamp({})"
    if zone:
        local = f"timezone({_zone(compiler, zone[0], call.name)}, timezone('UTC', {local}))"
    # Braces are doubled because the text goes through str.format below.
    shown = f"strftime({local}, {values.quoted(date_format).replace('{', '{{').replace('}', '}}')})"
    time = Value(compiler.time(subject), Kind.TIME)
    return Value(values.once(lambda given: shown.format(*given), [time]), Kind.TEXT)


def _constant(compiler: Compiler, expression: tree.Expression, name: str) -> str:
    value = compiler.compile(expression)
    if value.constant is None or value.kind is not Kind.TEXT:
        raise QueryError(f"{name}: a quoted string is wanted here", expression.span)
    return value.constant


def _zone(compiler: Compiler, expression: tree.Expression, name: str) -> str:
    """Return the SQL of a constant time zone; raise QueryError unless DuckDB knows it."""
    zone = _constant(compiler, expression, name)
    try:
        _engine().execute("SELECT epoch_ms(timezone($1, TIMESTAMP '2020-01-01'))", [zone])
    except duckdb.Error:
        message = f"{name}: {zone} is no time zone, such as UTC or Europe/Dublin"
        raise QueryError(message, expression.span) from None
    return values.quoted(zone)


def _array_size(compiler: Compiler, call: tree.Call) -> Value:
    (argument,) = _arguments(call, 1, 1)
    whole = Value(compiler.structure(argument), Kind.STRUCTURE)
    return Value(values.once(lambda given: f"CAST(len(json_list({given[0]})) AS DOUBLE)", [whole]), Kind.NUMBER)


def _array_contains(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `jsonArrayContains(list, value)`: whether an element equals the text; FALSE for anything but a list."""
    argument, wanted = _arguments(call, 2, 2)
    whole = Value(compiler.structure(argument), Kind.STRUCTURE)
    text = Value(converted(compiler.compile(wanted), Kind.TEXT), Kind.TEXT)

    def contains(given: list[str]) -> str:
        elements = f"list_transform(json_list({given[0]}), lambda element: json_leaf(element))"
        return f"coalesce(list_contains({elements}, {given[1]}), FALSE)"

    return Value(values.once(contains, [whole, text]), Kind.BOOLEAN)


def _is_present(compiler: Compiler, call: tree.Call) -> Value:
    (argument,) = _arguments(call, 1, 1)
    return Value(f"({compiler.compile(argument).sql} IS NOT NULL)", Kind.BOOLEAN)


def _coalesce(compiler: Compiler, call: tree.Call) -> Value:
    choices = [compiler.compile(argument) for argument in _arguments(call, 1)]
    kind = values.common_kind(choices)
    return Value(f"coalesce({', '.join(converted(choice, kind) for choice in choices)})", kind)


def _case(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `if(condition, value, otherwise)` and `case(condition, value, ..., otherwise)`."""
    arguments = _arguments(call, 3, 3 if call.name.lower() == "if" else 2 * MAX_BRANCHES + 1)
    otherwise = [compiler.compile(arguments[-1])] if len(arguments) % 2 else []
    pairs = arguments[: len(arguments) - len(otherwise)]
    conditions = [converted(compiler.compile(condition), Kind.BOOLEAN) for condition in pairs[::2]]
    choices = [compiler.compile(value) for value in pairs[1::2]]
    kind = values.common_kind(choices + otherwise)
    whens = [
        f"WHEN {condition} THEN {converted(choice, kind)}"
        for condition, choice in zip(conditions, choices, strict=True)
    ]
    last = f" ELSE {converted(otherwise[0], kind)}" if otherwise else ""
    return Value(f"(CASE {' '.join(whens)}{last} END)", kind)


def _regex_replace(compiler: Compiler, call: tree.Call) -> Value:
    """Compile `regexReplace(text, regex, replacement)`: all matches; RE2 syntax, `$1` or `\\1` for a group."""
    subject, pattern, replacement = _arguments(call, 3, 3)
    regex = compiler.compile(pattern)
    if regex.constant is None or regex.kind is not Kind.TEXT:
        raise QueryError("regexReplace: the regular expression must be a quoted string", pattern.span)
    check_regex(regex.constant, pattern.span)
    text = compiler.compile(replacement)
    new = f"regexp_replace({converted(text, Kind.TEXT)}, '\\$([0-9])', '\\\\\\1', 'g')"
    old = converted(compiler.compile(subject), Kind.TEXT)
    return Value(f"regexp_replace({old}, {regex.sql}, {new}, 'g')", Kind.TEXT)


def _in_subnet(versions: tuple[int, ...]) -> Compile:
    def compile_subnet(compiler: Compiler, call: tree.Call) -> Value:
        address, subnet = _arguments(call, 2, 2)
        network = _network(compiler.compile(subnet), subnet, call.name)
        # FALSE, not an error: isIpv4InSubnet with an IPv6 subnet is valid, and no address is in it.
        if network.version not in versions:
            return Value("FALSE", Kind.BOOLEAN)
        text = Value(converted(compiler.compile(address), Kind.TEXT), Kind.TEXT)
        return Value(values.once(lambda given: in_networks(given[0], [network]), [text]), Kind.BOOLEAN)

    return compile_subnet


def _network(value: Value, expression: tree.Expression, name: str) -> Network:
    if value.constant is None:
        raise QueryError(f'{name}: the subnet must be a quoted string, such as "192.0.2.0/24"', expression.span)
    try:
        return ipaddress.ip_network(value.constant, strict=False)
    except ValueError:
        raise QueryError(
            f'{name}: {value.constant} is no subnet in CIDR notation, such as "192.0.2.0/24"', expression.span
        ) from None


def in_networks(address: str, networks: Sequence[Network]) -> str:
    """Return the SQL condition that a text is an address in one of the networks."""
    return f"coalesce({' OR '.join(_tests(address, networks, '{}'))}, FALSE)"


def outside_networks(address: str, networks: Sequence[Network]) -> str:
    """Return the SQL condition that a text is an address in none of the networks."""
    return f"coalesce({' OR '.join(_tests(address, networks, 'NOT ({})'))}, FALSE)"


def _tests(address: str, networks: Sequence[Network], form: str) -> list[str]:
    """Return a test per IP version; the lambda makes DuckDB parse the address once, however many networks there are."""
    version_4 = [f"n BETWEEN {int(net[0])} AND {int(net[-1])}" for net in networks if net.version == 4]
    version_6 = [f"n BETWEEN '{int(net[0]):032x}' AND '{int(net[-1]):032x}'" for net in networks if net.version == 6]
    return [
        f"list_transform([{reading}({address})], lambda n: {form.format(' OR '.join(ranges))})[1]"
        for reading, ranges in (("ipv4_number", version_4), ("ipv6_digits", version_6))
        if ranges
    ]


def _special(call_for: Callable[[str], str]) -> Compile:
    def compile_special(compiler: Compiler, call: tree.Call) -> Value:
        (argument,) = _arguments(call, 1, 1)
        text = Value(converted(compiler.compile(argument), Kind.TEXT), Kind.TEXT)
        return Value(values.once(lambda given: call_for(given[0]), [text]), Kind.BOOLEAN)

    return compile_special


def _arguments(call: tree.Call, least: int, most: int | None = None) -> tuple[tree.Expression, ...]:
    count = len(call.arguments)
    if count < least or (most is not None and count > most):
        wanted = str(least) if most == least else f"{least} or more" if most is None else f"{least} to {most}"
        raise QueryError(f"{call.name} takes {wanted} argument{'' if wanted == '1' else 's'}, not {count}", call.span)
    return call.arguments


def _period(expression: tree.Expression) -> tree.Period:
    if not isinstance(expression, tree.Period):
        raise QueryError("a period is wanted here, such as 5m or 1h", expression.span)
    return expression


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def check_regex(pattern: str, span: tree.Span, groups: int = 0) -> None:
    """Raise QueryError for a regular expression that RE2 rejects, or that has fewer than `groups` groups."""
    names = [str(number) for number in range(groups)]
    try:
        _engine().execute("SELECT regexp_matches('', $1)", [pattern])
        if names:
            _engine().execute(f"SELECT regexp_extract('', $1, {names})", [pattern])
    except duckdb.Error as error:
        reason = str(error).partition("Error: ")[2]
        raise QueryError(f"invalid regular expression /{pattern}/: {reason}", span) from None


CALLS: dict[str, Compile] = {
    "bin": _bin,
    "case": _case,
    "coalesce": _coalesce,
    "dateceil": _date(up=True),
    "datefloor": _date(up=False),
    "if": _case,
    "isipinsubnet": _in_subnet((4, 6)),
    "isipv4insubnet": _in_subnet((4,)),
    "isipv6insubnet": _in_subnet((6,)),
    "isprivateip": _special(lambda address: in_networks(address, PRIVATE)),
    "ispublicip": _special(lambda address: outside_networks(address, PRIVATE + RESERVED)),
    "isreservedip": _special(lambda address: in_networks(address, RESERVED)),
    "formatdate": _format_date,
    "ispresent": _is_present,
    "jsonarraycontains": _array_contains,
    "jsonarraysize": _array_size,
    "now": _now,
    "parsedate": _parse_date,
    "queryendtime": _of_range(lambda window: window.end),
    "querystarttime": _of_range(lambda window: window.start),
    "querytimerange": _of_range(lambda window: window.end - window.start),
    "regex_replace": _regex_replace,
    "regexreplace": _regex_replace,
    "strftime": _format_date,
}
"""By name in lower case: names are the same in any case."""
