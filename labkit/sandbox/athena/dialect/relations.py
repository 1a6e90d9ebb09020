"""Compiles FROM: tables, views, subqueries, VALUES and UNNEST, and the joins between them."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import pruning
from labkit.sandbox.athena.dialect.comparisons import equal
from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler
from labkit.sandbox.athena.dialect.parser import parse
from labkit.sandbox.athena.dialect.scope import Column, Query, Scan, Scope, Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import BIGINT, VARCHAR, common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.catalog import Table
    from labkit.sandbox.athena.dialect.compiling import Queries

PSEUDO_COLUMNS = {"$path": VARCHAR, "$file_size": BIGINT, "$file_modified_time": types.TIMESTAMP_TZ}
_HIDDEN = {"$path": "path", "$file_size": "size", "$file_modified_time": "modified"}


def from_clause(queries: Queries, select: Any, outer: Scope) -> tuple[str, Scope]:
    """Compile the FROM of a SELECT; return its SQL and the scope that the SELECT's expressions see."""
    source = select.args.get("from_")
    if source is None:
        return "", Scope(parent=outer if outer.columns or outer.parent else None)
    # An empty outer scope is left out, so that names don't seem to come from a query around.
    parent = outer if outer.columns or outer.parent else None
    sql, columns = relation(queries, source.this, Scope(parent=parent))
    scope = Scope(columns, parent)
    sql, scope = joins(queries, [*(source.this.args.get("joins") or ()), *(select.args.get("joins") or ())], sql, scope)
    return f" FROM {sql}", scope


def joins(queries: Queries, nodes: list[Any], sql: str, scope: Scope) -> tuple[str, Scope]:
    """Compile the joins of other relations to one; return the SQL and the scope of all."""
    for join in nodes:
        sql, scope = _join(queries, join, sql, scope)
    return sql, scope


def relation(queries: Queries, node: Any, scope: Scope) -> tuple[str, tuple[Column, ...]]:
    """Compile one relation of a FROM; `scope` has the columns before it, which UNNEST and LATERAL see."""
    if isinstance(node, exp.Table):
        return _table(queries, node, scope)
    if isinstance(node, exp.Subquery):
        return _subquery(queries, node, scope)
    if isinstance(node, exp.Unnest):
        return _unnest(queries, node, scope)
    if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        query = queries.query(node.this.this, Scope(parent=scope))
        return _aliased(queries, f"LATERAL ({query.sql})", query.columns, node)
    if isinstance(node, exp.Values):
        query = values(queries, node, scope)
        return _aliased(queries, f"({query.sql})", query.columns, node)
    raise not_supported(f"{place(node)}: {type(node).__name__.upper()} in a FROM clause")


def _subquery(queries: Queries, node: Any, scope: Scope) -> tuple[str, tuple[Column, ...]]:
    if isinstance(node.this, exp.Table):
        sql, columns = relation(queries, node.this, scope)
        inner = [*(node.this.args.get("joins") or ()), *(node.args.get("joins") or ())]
        sql, inside = joins(queries, inner, sql, Scope(columns, scope.parent))
        return f"({sql})", inside.columns
    # A subquery in FROM doesn't see the relations beside it, only the queries around.
    query = queries.query(node.this, Scope(parent=scope.parent) if scope.parent else None)
    return _aliased(queries, f"({query.sql})", query.columns, node)


def _aliased(
    queries: Queries, sql: str, columns: tuple[Column, ...], node: Any, table: tuple[str, ...] = ()
) -> tuple[str, tuple[Column, ...]]:
    """Give a relation a name of ours, and its columns the names of the alias."""
    # Not the user's alias: it may be a keyword of DuckDB's, and differ from another in case alone.
    name = queries.new_name("r")
    alias = node.args.get("alias")
    names = [each.name for each in (alias.args.get("columns") or ())] if alias else []
    # "$path" and the like follow after the others, so an alias list never names them.
    shown = [column for column in columns if not column.hidden]
    if names and len(names) != len(shown):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"{place(node)}: Column alias list has {len(names)} entries but '{node.alias}' has {len(shown)}"
            " columns available",
        )
    called = (node.alias.lower(),) if alias and node.alias else table
    renamed = tuple(
        replace(
            column, name=names[n] if n < len(names) and names else column.name, sql=f"{name}.{column.sql}", table=called
        )
        for n, column in enumerate(columns)
    )
    sample = _sample(node)
    return f"{sql} AS {name}{sample}", renamed


def _sample(node: Any) -> str:
    sample = node.args.get("sample")
    if not sample:
        return ""
    method, percent = sample.args["method"].name.upper(), sample.args.get("percent")
    if method not in ("BERNOULLI", "SYSTEM") or not isinstance(percent, exp.Literal) or percent.is_string:
        raise not_supported(f"{place(node)}: TABLESAMPLE other than BERNOULLI or SYSTEM of a percentage")
    if not 0 <= float(percent.name) <= 100:
        raise QueryError(
            "INVALID_ARGUMENTS", f"{place(percent)}: Sample percentage must be between 0 and 100 (inclusive)"
        )
    # REPEATABLE: a lab has to give the same result in every run.
    return f" TABLESAMPLE {method}({float(percent.name)} PERCENT) REPEATABLE (1)"


def _table(queries: Queries, node: Any, scope: Scope) -> tuple[str, tuple[Column, ...]]:
    if not isinstance(node.this, exp.Identifier):
        raise not_supported(f"{place(node)}: {node.sql(dialect='trino')} in a FROM clause")
    name = node.name.lower()
    # A CTE hides a table of its name, but not one that is named with its database.
    if not node.db and name in queries.ctes:
        own, columns = queries.ctes[name]
        return _aliased(
            queries,
            own,
            tuple(replace(c, sql=f"c{n}", table=()) for n, c in enumerate(columns)),
            node,
            (name,),
        )
    catalog, database = node.catalog.lower(), node.db.lower()
    # The only catalog; federated ones don't exist here.
    if catalog not in ("", "awsdatacatalog"):
        raise QueryError("CATALOG_NOT_FOUND", f"{place(node)}: Catalog '{catalog}' does not exist")
    database = database or queries.catalog.database
    if database == "information_schema":
        return _metadata(queries, node, queries.catalog.information_schema(name))
    if name.endswith("$partitions"):
        return _metadata(queries, node, queries.catalog.partitions_table(database, name.removesuffix("$partitions")))
    table = _found(queries, node, database, name)
    called = ("awsdatacatalog", database, name)
    if table.view is not None:
        return _view(queries, node, table, called)
    scan = Scan(table, queries.new_name("s"))
    queries.scans.append(scan)
    return _aliased(queries, scan.alias, _columns(scan), node, called)


def _found(queries: Queries, node: Any, database: str, name: str) -> Table:
    if not queries.catalog.has_database(database):
        raise QueryError("SCHEMA_NOT_FOUND", f"{place(node)}: Schema '{database}' does not exist")
    table = queries.catalog.table(database, name)
    if table is None:
        raise QueryError("TABLE_NOT_FOUND", f"{place(node)}: Table 'awsdatacatalog.{database}.{name}' does not exist")
    if not table.storage:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Table StorageDescriptor is null for table '{database}' {name}")
    if table.storage.get("SerdeInfo") is None:
        raise QueryError("HIVE_INVALID_METADATA", "Table storage descriptor is missing SerDe info")
    return table


def _columns(scan: Scan) -> tuple[Column, ...]:
    table = scan.table
    columns = []
    for number, (name, kind) in enumerate(table.all_columns):
        # Only partition columns have an origin: their values are known before any object is read.
        origin = f"p.c{number}" if number >= len(table.columns) else ""
        columns.append(Column(name, kind, f"c{number}", scan=scan, number=number, origin=origin))
    first = len(table.all_columns)
    for number, (name, kind) in enumerate(PSEUDO_COLUMNS.items(), first):
        columns.append(Column(name, kind, f'"${_HIDDEN[name]}"', hidden=True, scan=scan, number=number))
    return tuple(columns)


def _view(queries: Queries, node: Any, table: Table, called: tuple[str, ...]) -> tuple[str, tuple[Column, ...]]:
    assert table.view is not None
    inner = queries.of_view(table.view, table.database)
    # The view's names as they were stored: `SELECT *` in a view may find other columns by now.
    query = inner.query(parse(table.view)).renamed([name for name, _ in table.columns])
    return _aliased(queries, f"({query.sql})", query.columns, node, called)


def _metadata(queries: Queries, node: Any, found: Any) -> tuple[str, tuple[Column, ...]]:
    """Compile a relation whose rows the catalog itself has: information_schema and `$partitions`."""
    if found is None:
        raise QueryError(
            "TABLE_NOT_FOUND",
            f"{place(node)}: Table 'awsdatacatalog.{node.db or queries.catalog.database}.{node.name}' does not exist",
        )
    names_and_types, rows = found
    columns = tuple(Column(name, kind, f"c{n}") for n, (name, kind) in enumerate(names_and_types))
    listed = ", ".join("(" + ", ".join(row) + ")" for row in rows)
    selected = ", ".join(f"CAST(c{n} AS {types.duckdb_type(c.type)}) AS c{n}" for n, c in enumerate(columns))
    # VALUES needs a row: an empty relation is one row of NULLs that is filtered out.
    nothing = "" if rows else " WHERE false"
    listed = listed or "(" + ", ".join("NULL" for _ in columns) + ")"
    numbered = ", ".join(f"c{n}" for n in range(len(columns)))
    return _aliased(
        queries,
        f"(SELECT {selected} FROM (VALUES {listed}) AS v({numbered}){nothing})",
        columns,
        node,
        (node.name.lower(),),
    )


def values(queries: Queries, node: Any, scope: Scope) -> Query:
    """Compile VALUES; each column gets the common type of its values."""
    expressions = ExpressionCompiler(queries, scope)
    rows = [
        [expressions.value(each) for each in (row.expressions if isinstance(row, exp.Tuple) else [row])]
        for row in node.expressions
    ]
    if not all(rows):
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: mismatched input ')'. Expecting: <expression>")
    if len({len(row) for row in rows}) != 1:
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Values rows have mismatched types")
    kinds = []
    for column in zip(*rows, strict=True):
        kind = reduce(lambda a, b: common_type(a, b) if a else None, (value.type for value in column))
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}: Values rows have mismatched types")
        kinds.append(kind)
    listed = ", ".join(
        "(" + ", ".join(expressions.cast(value, kind).sql for value, kind in zip(row, kinds, strict=True)) + ")"
        for row in rows
    )
    numbered = ", ".join(f"c{n}" for n in range(len(kinds)))
    columns = tuple(Column(f"_col{n}", kind, f"c{n}") for n, kind in enumerate(kinds))
    return Query(f"SELECT * FROM (VALUES {listed}) AS v({numbered})", columns)


def _unnest(queries: Queries, node: Any, scope: Scope) -> tuple[str, tuple[Column, ...]]:
    expressions = ExpressionCompiler(queries, scope)
    produced: list[str] = []
    columns: list[Column] = []
    lengths: list[str] = []
    shown: list[str] = []
    for each in node.expressions:
        value = expressions.value(each)
        _unnest_one(value, each, produced, columns, shown)
        lengths.append(f"len({value.sql})" if value.type.name == "array" else f"cardinality({value.sql})")
    names = node.args.get("alias")
    offset = node.args.get("offset")
    if offset:
        # Trino numbers up to the longest of several arrays: the numbers are one more list, unnested beside them.
        longest = f"greatest({', '.join(f'coalesce({each}, 0)' for each in lengths)})"
        produced.append(f"unnest(generate_series(1::BIGINT, CAST({longest} AS BIGINT))) AS n")
        columns.append(Column("ordinality", BIGINT, f"c{len(columns)}"))
        shown.append("n")
        if names and isinstance(offset, exp.Identifier):
            names.append("columns", offset.copy())
    selected = ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(shown))
    # Two levels: each list is unnested once, and the outer level takes the fields of its rows from there.
    sql = f"LATERAL (SELECT {selected} FROM (SELECT {', '.join(produced)}))"
    # Without a relation before it there is nothing that it could refer to.
    return _aliased(queries, sql if scope.columns else sql.removeprefix("LATERAL "), tuple(columns), node)


def _unnest_one(value: Value, node: Any, produced: list[str], columns: list[Column], shown: list[str]) -> None:
    own = f"u{len(produced)}"
    if value.type.name == "map":
        produced += [f"unnest(map_keys({value.sql})) AS {own}", f"unnest(map_values({value.sql})) AS {own}v"]
        fields = [(value.type.items[0], own), (value.type.items[1], f"{own}v")]
    elif value.type.name == "array":
        produced.append(f"unnest({value.sql}) AS {own}")
        item = value.type.items[0]
        fields = [(item, own)]
        if item.name == "row":
            # UNNEST of an array of rows makes a column of each field in Trino, one struct in DuckDB.
            fields = [(kind, f"{own}.{types.quoted(types.field_key(item, n))}") for n, kind in enumerate(item.items)]
    else:
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot unnest type: {value.type}")
    names = value.type.items[0].names if value.type.name == "array" and value.type.items[0].name == "row" else ()
    for n, (kind, sql) in enumerate(fields):
        columns.append(Column((names[n] if names else None) or f"_col{len(columns)}", kind, f"c{len(columns)}"))
        shown.append(sql)


def _join(queries: Queries, join: Any, sql: str, left: Scope) -> tuple[str, Scope]:
    side, kind = (join.side or "").upper(), (join.kind or "").upper()
    if join.method or kind not in ("", "CROSS", "INNER", "OUTER"):
        raise not_supported(f"{place(join)}: {join.method or kind} JOIN")
    right_sql, right = relation(queries, join.this, left)
    if join.this.args.get("joins") and not isinstance(join.this, exp.Subquery):
        right_sql, inner = joins(queries, join.this.args["joins"], right_sql, Scope(right, left.parent))
        right = inner.columns
    both = Scope((*left.columns, *right), left.parent)
    if join.args.get("using"):
        return _using(queries, join, sql, right_sql, left, right)
    if join.args.get("on"):
        on = _on(queries, join, both, side, left, right)
        return f"{sql} {side or 'INNER'} JOIN {right_sql} ON {on}", both
    if side:
        raise QueryError("SYNTAX_ERROR", f"{place(join)}: mismatched input '<EOF>'. Expecting: 'ON', 'USING'")
    return f"{sql} CROSS JOIN {right_sql}", both


def _mark_nullable(side: str, left: Scope, right: tuple[Column, ...]) -> None:
    if side in ("LEFT", "FULL"):
        Scope(right).nullable()
    if side in ("RIGHT", "FULL"):
        left.nullable()


def _on(queries: Queries, join: Any, both: Scope, side: str, left: Scope, right: tuple[Column, ...]) -> str:
    expressions = ExpressionCompiler(queries, both)
    expressions.clause_without_aggregates = "JOIN clause"
    condition = join.args["on"]
    sql = expressions.condition(condition, "JOIN ON clause").sql
    # With an outer join, a condition in ON doesn't filter the preserved side.
    if not side:
        for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            pruning.prune(expressions, part, outer_joined=False)
    _mark_nullable(side, left, right)
    return sql


def _using(
    queries: Queries, join: Any, sql: str, right_sql: str, left: Scope, right: tuple[Column, ...]
) -> tuple[str, Scope]:
    side = (join.side or "").upper()
    conditions, merged = [], []
    taken: set[int] = set()
    for each in join.args["using"]:
        pair = [_using_column(each, Scope(columns)) for columns in (left.columns, right)]
        kind = common_type(pair[0].type, pair[1].type)
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"{place(each)}: Column Types of left and right side are not comparable")
        expressions = ExpressionCompiler(queries, Scope())
        sides = [expressions.cast(Value(column.sql, column.type), kind).sql for column in pair]
        # Not DuckDB's USING: it compares NaN and casts in its own way, and gives its own name to the column.
        conditions.append(equal(sides[0], sides[1], kind))
        # The side that is never missing has the value.
        value = {"RIGHT": sides[1], "FULL": f"coalesce({sides[0]}, {sides[1]})"}.get(side, sides[0])
        merged.append(Column(each.name, kind, value))
        taken |= {id(column) for column in pair}
    _mark_nullable(side, left, right)
    rest = tuple(column for column in (*left.columns, *right) if id(column) not in taken)
    on = " AND ".join(conditions)
    return f"{sql} {side or 'INNER'} JOIN {right_sql} ON {on}", Scope((*merged, *rest), left.parent)


def _using_column(name: Any, scope: Scope) -> Column:
    found = scope.find([name.name])
    if found is None:
        raise QueryError("COLUMN_NOT_FOUND", f"{place(name)}: Column '{name.name}' is missing from left side of join")
    return found[0].use()
