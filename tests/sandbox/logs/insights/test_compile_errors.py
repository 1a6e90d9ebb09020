"""Queries that parse but mean nothing: each is refused with what is wrong and where."""

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError

ERRORS = [
    ("fields nosuch(a)", "unknown function nosuch", "nosuch(a)"),
    ("fields rate(a, 1m)", "unknown function rate", "rate(a, 1m)"),
    ("stats rate(a, b)", "rate: a period is wanted here, such as 5m or 1h", "b"),
    ("stats histogram(a, 0)", "histogram: the number of buckets must be a whole number from 1 to 100", "0"),
    ("stats histogram(a, b)", "histogram: the number of buckets must be a whole number from 1 to 100", "b"),
    ("stats topk(3, a) by b", "topk stands alone, without by, as in stats topk(3, field)", "stats topk(3, a) by b"),
    (
        "stats topk(3, a), sum(a)",
        "topk stands alone, without by, as in stats topk(3, field)",
        "stats topk(3, a), sum(a)",
    ),
    ("stats topk(0, a)", "topk: the number of values must be a whole number from 1 to 10000", "0"),
    ("stats topk(3, abs(a))", "topk: a field is wanted here", "abs(a)"),
    ("fields avg(a)", "unknown function avg", "avg(a)"),
    ("fields abs()", "abs takes 1 argument, not 0", "abs()"),
    ("fields abs(a, b)", "abs takes 1 argument, not 2", "abs(a, b)"),
    ("fields substr(a)", "substr takes 2 to 3 arguments, not 1", "substr(a)"),
    ("fields concat()", "concat takes 1 or more arguments, not 0", "concat()"),
    ("fields replace(a, b)", "replace takes 3 arguments, not 2", "replace(a, b)"),
    ("fields now(1)", "now takes 0 arguments, not 1", "now(1)"),
    ("fields if(a, b)", "if takes 3 arguments, not 2", "if(a, b)"),
    ("fields case(a)", "case takes 3 to 21 arguments, not 1", "case(a)"),
    ("fields ispresent(a, b)", "ispresent takes 1 argument, not 2", "ispresent(a, b)"),
    ("fields bin(a)", "a period is wanted here, such as 5m or 1h", "a"),
    ("fields bin()", "bin takes 1 argument, not 0", "bin()"),
    ("fields datefloor(@timestamp, 5)", "a period is wanted here, such as 5m or 1h", "5"),
    ("fields bin(0m)", "a period needs a count of at least 1: 0m", "0m"),
    ("fields a + 5m", "a value is wanted here", "5m"),
    ("fields abs(*)", "a value is wanted here", "abs(*)"),
    (
        "fields isIpInSubnet(a, b)",
        'isIpInSubnet: the subnet must be a quoted string, such as "192.0.2.0/24"',
        "b",
    ),
    (
        "fields isIpv4InSubnet(a, 'x')",
        'isIpv4InSubnet: x is no subnet in CIDR notation, such as "192.0.2.0/24"',
        "'x'",
    ),
    ("fields regexReplace(a, b, 'c')", "regexReplace: the regular expression must be a quoted string", "b"),
    ("stats avg(a) as m, b", "b is neither a field after by nor inside an aggregation function", "b"),
    ("stats sum(a, b)", "sum takes 1 argument", "sum(a, b)"),
    ("stats pct(a)", "pct takes 2 arguments", "pct(a)"),
    ("stats pct(a, 101)", "pct: the percentage must be a number from 0 to 100", "101"),
    ("stats pct(a, b)", "pct: the percentage must be a number from 0 to 100", "b"),
    (
        "FIELDS @message | STATS SUM(Fault) by Operation | STATS MAX(strlen(@message)) AS MaxMessageSize",
        "@message is not defined by the stats command before it",
        "@message",
    ),
    (
        "STATS sum(a) AS n BY @logStream | STATS avg(n) BY bin(5m)",
        "@timestamp is not defined by the stats command before it",
        "bin(5m)",
    ),
    ("stats count(*) as n | filter a = 1", "a is not defined by the stats command before it", "a"),
    (
        "stats count(*) as n by a | stats latest(n)",
        "latest needs @timestamp, which the stats command before it left out",
        "latest(n)",
    ),
    (
        "stats count(*) as c by a | sort c desc | stats max(c)",
        "unexpected symbol found sort: it must come after the last stats command",
        "sort c desc",
    ),
    (
        "limit 5 | stats count(*) as c by a | stats max(c)",
        "unexpected symbol found limit: it must come after the last stats command",
        "limit 5",
    ),
    ("stats count(*) as c" + " | stats max(c) as c" * 10, "a query has at most 10 stats commands", "stats max(c) as c"),
    ("dedup a | sort a", "unexpected symbol found sort: only limit can follow dedup", "sort a"),
    ("dedup a | limit 1 | display a", "unexpected symbol found display: only limit can follow dedup", "display a"),
    ('parse a "*" as b | parse c "*" as b', "Ephemeral field is already defined: b", 'parse c "*" as b'),
    (
        "parse @message /(a)/ as x, y",
        "invalid regular expression /(a)/: Not enough capturing groups (1) for provided names (2)",
        "/(a)/",
    ),
    (
        'fields parseDate(a, "QQ")',
        "parseDate: QQ in QQ is no pattern letter, there are y, u, M, L, d, D, H, h, a, m, s, S, E, Z, X, x and"
        " 'quoted text'",
        '"QQ"',
    ),
    ("fields parseDate(a, b)", "parseDate: a quoted string is wanted here", "b"),
    (
        'fields parseDate(a, "yyyy", "Nowhere")',
        "parseDate: Nowhere is no time zone, such as UTC or Europe/Dublin",
        '"Nowhere"',
    ),
    (
        'fields formatDate(a, "%s")',
        "formatDate: %s in %s is no directive, there are %a %A %b %B %c %d %f %G %h %H %I %j %m %M %p %S %T %u %U %V %w"
        " %W %x %X %y %Y %% %-d %-H %-I %-j %-m %-M %-S %-y %D %e %F %R",
        '"%s"',
    ),
    (
        "SOURCE logGroups(namePrefix: ['a', 'b', 'c', 'd', 'e', 'f'])",
        "SOURCE: there can be at most 5 prefixes, not 6",
        "SOURCE logGroups(namePrefix: ['a', 'b', 'c', 'd', 'e', 'f'])",
    ),
    ("fields queryEndTime(1)", "queryEndTime takes 0 arguments, not 1", "queryEndTime(1)"),
    (
        f"fields case({', '.join(['a', '1'] * 11)})",
        "case takes 3 to 21 arguments, not 22",
        f"case({', '.join(['a', '1'] * 11)})",
    ),
    ("filter a like /(?=x)/", "invalid regular expression /(?=x)/: invalid perl operator: (?=", "/(?=x)/"),
    ("fields a as x | fields b as x", "Ephemeral field is already defined: x", "fields b as x"),
    ("filter a | diff", "Diff compilation Failed : Diff operation has to be used after Pattern", "diff"),
    ("diff", "Diff compilation Failed : Diff operation has to be used after Pattern", "diff"),
    (
        "stats count(*) by a | pattern a",
        "pattern needs the text of events, which the stats command before it left out",
        "pattern a",
    ),
    (
        "stats count(*) as n by a | fillmissing",
        "fillmissing needs a stats command before it that groups by bin() alone",
        "fillmissing",
    ),
    (
        "stats count(*) as n by bin(1mo) | fillmissing",
        "fillmissing: the sandbox fills bins of a fixed length, not months, quarters or years",
        "fillmissing",
    ),
    (
        "stats count(*) as n by a | sessionize a",
        "sessionize needs @timestamp, which the stats command before it left out",
        "sessionize a",
    ),
]


@pytest.mark.parametrize(("query", "message", "place"), ERRORS)
def test_what_is_wrong_is_said_with_its_place(query, message, place):
    with pytest.raises(QueryError) as caught:
        check(query)
    assert caught.value.message == message
    assert query[slice(*caught.value.span)] == place
