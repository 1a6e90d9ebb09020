"""Queries within queries, joins, appended columns and lookup tables."""

import json
from pathlib import Path

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.lookup_tables import read_table
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("combining.json").read_text(encoding="utf-8"))
ORDERS = [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}]
PAYMENTS = [{"id": "a", "paid": 10}, {"id": "a", "paid": 20}, {"id": "c", "paid": 30}, {"paid": 40}]
GROUPS = {"pay": PAYMENTS}
USERS = "id,name,team\na,Ann,red\nb,Ben,\na,Abe,blue\n"
NETS = 'cidr,owner\n10.0.0.0/8,inside\n10.0.0.0/24,subnet\n2001:db8::/32,lab\n"203.0.113.5/32",scanner\n'


def found(query, messages=ORDERS, **options):
    return rows(query, messages, groups=GROUPS, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rows_of_two_places_come_together(case):
    options = {name: case[name] for name in ("groups", "tables") if name in case}
    assert rows(case["query"], case["events"], **options) == case["rows"]


def test_a_field_is_looked_for_in_what_another_query_finds():
    inner = "SOURCE 'pay' | filter paid > 10 | fields id"
    assert found(f"filter id in ({inner}) | fields n | sort n") == [{"n": "1"}, {"n": "3"}]
    assert found(f"filter id not in ({inner}) | fields n") == [{"n": "2"}]
    assert found(f"fields n, id in ({inner}) as paid | sort n") == [
        {"n": "1", "paid": "1"},
        {"n": "2", "paid": "0"},
        {"n": "3", "paid": "1"},
    ]


def test_the_inner_query_may_aggregate_and_limit():
    inner = "SOURCE 'pay' | stats count(*) as times by id | filter times > 1 | fields id"
    assert found(f"filter id in ({inner}) | fields n") == [{"n": "1"}]
    assert found("filter n in (SOURCE 'pay' | sort paid desc | limit 1 | fields paid / 10 - 1 as n)") != []


def test_an_inner_query_without_a_source_reads_the_same_events():
    assert found("filter n in (stats max(n) as n) | fields id") == [{"id": "c"}]


def test_an_inner_join_has_a_row_of_each_pair():
    query = "join left=o right=p where o.id=p.id (SOURCE 'pay') | fields o.n, p.paid | sort p.paid"
    assert found(query) == [
        {"o.n": "1", "p.paid": "10"},
        {"o.n": "1", "p.paid": "20"},
        {"o.n": "3", "p.paid": "30"},
    ]


def test_a_left_join_keeps_rows_without_a_partner():
    query = "join type=left left=o right=p where p.id=o.id (SOURCE 'pay' | stats sum(paid) as sum by id)"
    assert found(f"{query} | display n, p.sum | sort n") == [
        {"n": "1", "p.sum": "30"},
        {"n": "2"},
        {"n": "3", "p.sum": "30"},
    ]
    assert found(f"{query} | stats count(p.sum) as some, sum(p.sum) as sum") == [{"some": "2", "sum": "60"}]


def test_what_the_right_side_chose_is_shown_by_its_name():
    query = "fields n | join left=o right=p where o.id=p.id and o.n=p.k (SOURCE 'pay' | fields id, paid / 10 as k)"
    assert found(query) == [{"n": "3", "p.id": "c", "p.k": "3"}, {"n": "1", "p.id": "a", "p.k": "1"}]


def test_columns_are_appended_row_by_row():
    query = "fields n | sort n | appendcols (SOURCE 'pay' | sort paid desc | limit 2 | fields paid, 9 as n)"
    assert found(query) == [{"n": "1", "paid": "40"}, {"n": "2", "paid": "30"}, {"n": "3"}]
    overridden = query.replace("appendcols", "appendcols override=true max=1")
    assert found(overridden) == [{"n": "9", "paid": "40"}, {"n": "2"}, {"n": "3"}]


def test_a_lookup_adds_the_columns_of_the_first_row_that_matches():
    query = "fields n | lookup users id OUTPUT name, team as group | sort n"
    assert found(query, tables={"users": USERS}) == [
        {"n": "1", "name": "Ann", "group": "red"},
        {"n": "2", "name": "Ben"},
        {"n": "3"},
    ]


def test_a_lookup_overwrites_where_it_finds_something_and_outputnew_fills_only_gaps():
    events = [{"user": "a", "name": "old"}, {"user": "x", "name": "kept"}, {"user": "a", "name": ""}, {"user": "a"}]
    query = "lookup users id as user OUTPUT name | sort @timestamp | display name"
    assert found(query, events, tables={"users": USERS}) == [{"name": name} for name in ("Ann", "kept", "Ann", "Ann")]
    query = query.replace("OUTPUT", "OUTPUTNEW")
    assert found(query, events, tables={"users": USERS}) == [{"name": name} for name in ("old", "kept", "Ann", "Ann")]


def test_a_lookup_by_several_keys_after_stats():
    query = "stats count(*) as times by id, 'red' as team | lookup users id, team OUTPUT name | sort id"
    assert found(query, tables={"users": USERS}) == [
        {"id": "a", "team": "red", "times": "1", "name": "Ann"},
        {"id": "b", "team": "red", "times": "1"},
        {"id": "c", "team": "red", "times": "1"},
    ]


def test_an_address_gets_the_columns_of_the_narrowest_range():
    addresses = ["10.0.0.9", "10.1.2.3", "2001:db8::5", "203.0.113.5", "203.0.113.6", "-"]
    query = "cidrlookup nets ip OUTPUT owner | sort @timestamp | display ip, owner"
    owners = [row.get("owner") for row in found(query, [{"ip": ip} for ip in addresses], tables={"nets": NETS})]
    assert owners == ["subnet", "inside", "lab", "scanner", None, None]
    named = query.replace("ip OUTPUT owner", "ip as cidr OUTPUTNEW owner as ip2").replace("ip, owner", "ip2")
    assert found(named, [{"ip": "10.0.0.9"}], tables={"nets": NETS}) == [{"ip2": "subnet"}]


@pytest.mark.parametrize(
    ("query", "message", "place"),
    [
        (
            "filter a in (filter a in (fields a) | fields a)",
            "Nested subqueries are not supported",
            "filter a in (fields a)",
        ),
        ("filter a in (fields b, c)", "the query after in must have a field a, and has b, c", "a in (fields b, c)"),
        ("lookup nosuch id OUTPUT name", "the lookup table nosuch does not exist", "nosuch"),
        (
            "lookup users nosuch OUTPUT name",
            "the lookup table users has no column nosuch, only id, name, team",
            "nosuch",
        ),
        ("lookup users id OUTPUT nosuch", "the lookup table users has no column nosuch, only id, name, team", "nosuch"),
        (
            "cidrlookup users ip OUTPUT name",
            "cidrlookup: users has no ranges of addresses such as 192.0.2.0/24",
            "cidrlookup users ip OUTPUT name",
        ),
        ("join left=a right=b where a.x=c.y (SOURCE 'g')", "join: the condition must be a.field = b.field", "a.x=c.y"),
        (
            "join left=a right=b where a.x>b.y (SOURCE 'g')",
            "join: the fields of both sides must be equal (=), not >",
            "a.x>b.y",
        ),
        (
            "join type=cross left=a right=b where a.x=b.y (SOURCE 'g')",
            "join: the type must be inner or left, not cross",
            "join type=cross left=a right=b where a.x=b.y (SOURCE 'g')",
        ),
        (
            "join left=a where a.x=b.y (SOURCE 'g')",
            "join: name both sides, as in left=a right=b",
            "join left=a where a.x=b.y (SOURCE 'g')",
        ),
        (
            "appendcols max=0 (fields a)",
            "appendcols: max must be from 1 to 100000, not 0",
            "appendcols max=0 (fields a)",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(query, message, place):
    with pytest.raises(QueryError) as caught:
        check(query, {"users": read_table("users", USERS)})
    assert (caught.value.message, query[slice(*caught.value.span)]) == (message, place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name its columns"),
        ("a,a\n1,2\n", "must name its columns"),
        ("a,\n1,2\n", "must name its columns"),
        ("a,b\n1\n", "Row 2 of the lookup table has 1 values for 2 columns"),
        ('a,b\n"1,2\n', "not CSV"),
    ],
)
def test_a_table_that_is_none_is_refused(text, message):
    with pytest.raises(ServiceError, match=message):
        read_table("users", text)


def test_names_and_cells_of_a_table_are_nothing_but_text():
    name = "x'); DROP TABLE events.group_1; --"
    text = f'id,"{name}"\na,"{name}"\n'
    query = f"lookup users id OUTPUT `{name}` | display `{name}` | limit 1"
    assert found(query, [{"id": "a"}], tables={"users": text}) == [{name: name}]


def test_what_the_inner_queries_read_is_counted():
    seen = answer("filter id in (SOURCE 'pay' | fields id)", ORDERS, groups=GROUPS)
    assert (seen.records_matched, seen.records_scanned) == (2, 7)


def test_a_query_over_no_log_group_at_all_finds_nothing():
    sources = "SOURCE logGroups(namePrefix: ['none'])"
    assert found(f"fields n | sort n | appendcols ({sources} | stats sum(paid) as sum by id)") == [
        {"n": number} for number in "123"
    ]
    assert found(f"filter id in ({sources} | fields id)") == []


@pytest.mark.parametrize("command", ["addtotals col=true", "outlier n", "lookup users id OUTPUT name", "fillmissing"])
def test_a_command_said_many_times_takes_no_longer_each_time(command):
    begin = "stats count(*) as n, max(id) as id by bin(1m)"
    query = " | ".join([begin, *[command] * 40])
    assert found(query, tables={"users": USERS}) != []


def test_ten_queries_within_a_query_are_taken_and_the_eleventh_is_refused():
    conditions = " or ".join(["id in (SOURCE 'pay' | fields id)"] * 10)
    assert len(found(f"filter {conditions}")) == 2
    with pytest.raises(QueryError, match="a query has at most 10 others within it in the sandbox"):
        check(f"filter {conditions} or id in (SOURCE 'pay' | fields id)")
