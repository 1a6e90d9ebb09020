"""Compiles queries block by block: SELECT with all its clauses, set operations, VALUES and WITH."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena.dialect import grouping, pruning, relations
from labkit.sandbox.athena.dialect.effort import Effort
from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.ordering import Item, Ordering
from labkit.sandbox.athena.dialect.scope import Column, Query, Scan, Scope, Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.catalog import Catalog

_SET_OPERATIONS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}
_CLAUSES = (
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "distinct",
    "with_",
    "windows",
    "kind",
    "hint",
    "operation_modifiers",
)


RECURSION_DEPTH = 10
"""The maximum depth of WITH RECURSIVE: Trino's default; https://docs.aws.amazon.com/athena/latest/ug/select.html."""
_TOO_DEEP = (
    f"NOT_SUPPORTED: Recursion depth limit exceeded ({RECURSION_DEPTH}). Use 'max_recursion_depth' session property to"
    " modify the limit."
)


class QueryCompiler:
    """Compiles the queries of one statement; `scans` lists the tables that it reads, one entry per mention."""

    def __init__(
        self,
        text: str,
        catalog: Catalog,
        now: datetime,
        outer: QueryCompiler | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.text = text
        self.catalog = catalog
        self.now = now
        self.effort: Effort = outer.effort if outer else Effort(is_stopped)
        self.scans: list[Scan] = outer.scans if outer else []
        self.ctes: dict[str, tuple[str, tuple[Column, ...]]] = {}
        self.windows: dict[str, exp.Expr] = {}
        # A list, so that a view's compiler counts on with the statement's own counter.
        self._names: list[int] = outer._names if outer else [0]

    def new_name(self, letter: str) -> str:
        """Return a name that no relation of the statement has yet."""
        self._names[0] += 1
        return f"{letter}{self._names[0]}"

    def of_view(self, text: str, database: str) -> QueryCompiler:
        """Return the compiler of a view's text, as a part of this statement: it shares scans, names and effort."""
        return QueryCompiler(text, self.catalog.in_database(database), self.now, self)

    def query(self, node: Any, scope: Scope | None = None) -> Query:
        """Compile a query and everything in it; `scope` has the columns of the queries around it."""
        outside = self.ctes
        # A copy: the names of a WITH end with its query, and hide those around until then.
        self.ctes = dict(outside)
        try:
            with_sql = self._with(node.args.get("with_"), scope)
            query = self._body(node, scope or Scope())
            return replace(query, sql=with_sql + query.sql)
        finally:
            self.ctes = outside

    def _body(self, node: Any, scope: Scope) -> Query:
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, scope)
        if isinstance(node, exp.Subquery):
            return self._parenthesized(node, scope)
        if isinstance(node, exp.Values):
            return self._ordered(relations.values(self, node, scope), node, scope)
        raise not_supported(f"{place(node)}: {type(node).__name__.lower()} as a query")

    def _parenthesized(self, node: Any, scope: Scope) -> Query:
        inner = self.query(node.this, scope)
        return self._ordered(replace(inner, sql=f"({inner.sql})"), node, scope)

    def _with(self, node: Any, scope: Scope | None) -> str:
        if node is None:
            return ""
        parts = []
        mentions = Counter(each.name.lower() for each in node.parent.find_all(exp.Table) if not each.db)
        for cte in node.expressions:
            # A name of ours: a CTE may be called like a macro or a keyword of DuckDB's.
            name = self.new_name("w")
            if node.args.get("recursive") and isinstance(cte.this, exp.Union):
                query = self._recursive(cte, name, scope)
            else:
                query = self._named(cte, self.query(cte.this, scope))
            self.ctes[cte.alias.lower()] = (name, _movable(query, mentions[cte.alias.lower()]))
            parts.append(f"{name} AS ({query.sql})")
        return f"WITH {'RECURSIVE ' if node.args.get('recursive') else ''}{', '.join(parts)} "

    def _named(self, cte: Any, query: Query) -> Query:
        names = [each.name for each in cte.args["alias"].args.get("columns") or ()]
        if names and len(names) != len(query.columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"{place(cte)}: Column alias list has {len(names)} entries but '{cte.alias}' has"
                f" {len(query.columns)} columns available",
            )
        return query.renamed(names) if names else query

    def _recursive(self, cte: Any, name: str, scope: Scope | None) -> Query:
        """Compile a recursive query by writing out its steps up to the maximum depth, as Trino does.

        Each step reads the rows of the step before it. The step after the last allowed one must be empty.
        """
        anchor = self._named(cte, self.query(cte.this.this, scope))
        kinds = [column.type for column in anchor.columns]
        names = [f"{name}_{depth}" for depth in range(RECURSION_DEPTH + 2)]
        # MATERIALIZED: each step is named by the next one and by the UNION; inlined, the work would double with each.
        steps = [f"{names[0]} AS MATERIALIZED ({self._cast(anchor, kinds)})"]
        for before, own in pairwise(names):
            self.ctes[cte.alias.lower()] = (before, tuple(replace(column, origin="") for column in anchor.columns))
            step = self._cast(self.query(cte.this.expression, scope), kinds)
            steps.append(f"{own} AS MATERIALIZED ({step})")
        counted = f"CASE WHEN count(*) > 0 THEN {string(_TOO_DEEP)} ELSE '1' END"
        # The error is a cast of its text, which fails: TRY takes no error(), which is volatile.
        refused = f" WHERE (SELECT CAST({counted} AS INTEGER) FROM {names[-1]}) = 1"
        parts = " UNION ALL ".join(f"SELECT * FROM {each}" for each in names)
        distinct = "DISTINCT " if cte.this.args.get("distinct") else ""
        return Query(f"WITH {', '.join(steps)} SELECT {distinct}* FROM ({parts}{refused})", anchor.columns)

    def _cast(self, query: Query, kinds: Sequence[Any]) -> str:
        """Return a query's SQL with its columns cast to the types of a set operation."""
        if all(
            # varchar(3) and varchar(5) are both DuckDB's VARCHAR: no cast.
            column.type.name == kind.name == "varchar" or column.type == kind
            for column, kind in zip(query.columns, kinds, strict=True)
        ):
            return f"({query.sql})"
        expressions = ExpressionCompiler(self, Scope())
        columns = (
            f"{expressions.cast(Value(f'c{n}', column.type), kind).sql} AS c{n}"
            for n, (column, kind) in enumerate(zip(query.columns, kinds, strict=True))
        )
        return f"(SELECT {', '.join(columns)} FROM ({query.sql}))"

    def _set_operation(self, node: Any, scope: Scope) -> Query:
        word = _SET_OPERATIONS[type(node)]
        left, right = self.query(node.this, scope), self.query(node.expression, scope)
        if len(left.columns) != len(right.columns):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{place(node)}: {word} query has different number of fields: {len(left.columns)},"
                f" {len(right.columns)}",
            )
        kinds = []
        for number, (one, other) in enumerate(zip(left.columns, right.columns, strict=True)):
            kind = common_type(one.type, other.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"{place(node)}: column {number + 1} in {word} query has incompatible types: {one.type},"
                    f" {other.type}",
                )
            kinds.append(kind)
        # Without ALL, every set operation is DISTINCT.
        word += "" if node.args.get("distinct", True) else " ALL"
        columns = tuple(
            Column(column.name, kind, f"c{n}") for n, (column, kind) in enumerate(zip(left.columns, kinds, strict=True))
        )
        query = Query(f"{self._cast(left, kinds)} {word} {self._cast(right, kinds)}", columns)
        return self._ordered(query, node, scope)

    def _ordered(self, query: Query, node: Any, scope: Scope) -> Query:
        """Add ORDER BY and LIMIT to a query that isn't a SELECT: they see only its columns."""
        if not any(node.args.get(clause) for clause in ("order", "limit", "offset")):
            return query
        columns = tuple(replace(column, sql=f"c{n}", table=(), scan=None) for n, column in enumerate(query.columns))
        expressions = ExpressionCompiler(self, Scope(columns, scope.parent))
        items = [Item(Value(column.sql, column.type), column.name) for column in columns]
        order = self._order(node, expressions, items)
        return replace(query, sql=f"SELECT * FROM ({query.sql}){order}{self._limit(node)}", columns=columns)

    def _select(self, node: Any, scope: Scope) -> Query:
        for clause, value in node.args.items():
            if value and clause not in _CLAUSES:
                raise not_supported(f"{place(node)}: {clause.upper()} in a SELECT")
        outside = self.windows
        self.windows = {each.name.lower(): each for each in node.args.get("windows") or ()}
        try:
            return self._block(node, scope)
        finally:
            self.windows = outside

    def _block(self, node: Any, scope: Scope) -> Query:
        # In the order in which SQL evaluates the clauses, not in which they are written: each sees what the earlier
        # ones made.
        source, inside = relations.from_clause(self, node, scope)
        expressions = ExpressionCompiler(self, inside)
        where = self._where(node, expressions)
        group, keys = grouping.group_by(expressions, node)
        if group or grouping.is_aggregated(node):
            expressions.group_keys = keys
        items = self._items(node, expressions)
        having = self._having(node, expressions)
        order = self._order(node, expressions, items)
        distinct = "DISTINCT " if node.args.get("distinct") else ""
        selected = ", ".join(f"{item.value.sql} AS c{n}" for n, item in enumerate(items))
        sql = f"SELECT {distinct}{selected}{source}{where}{group}{having}{order}{self._limit(node)}"
        return Query(sql, self._outputs(items, node, keys))

    def _outputs(self, items: list[Item], node: Any, keys: dict[str, Column]) -> tuple[Column, ...]:
        """Return the columns of the result.

        A partition column keeps its origin as long as conditions on it may still be moved into this query.
        """
        # A condition applied before LIMIT or a window function would change which rows it sees.
        movable = not node.args.get("limit") and not node.args.get("offset") and not node.find(exp.Window)
        aggregated = grouping.is_aggregated(node)
        columns = []
        for number, item in enumerate(items):
            column, own = Column(item.name, item.value.type, f"c{number}"), item.column
            if own and own.is_partition and movable and (item.value.sql in keys or not aggregated):
                column = replace(column, scan=own.scan, number=own.number, origin=own.origin)
            columns.append(column)
        return tuple(columns)

    def _where(self, node: Any, expressions: ExpressionCompiler) -> str:
        if not node.args.get("where"):
            return ""
        condition = node.args["where"].this
        expressions.clause_without_aggregates = "WHERE clause"
        sql = expressions.condition(condition, "WHERE clause").sql
        # Each part of an AND may prune by itself; an OR only as a whole.
        for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            pruning.prune(expressions, part, outer_joined=False)
        expressions.clause_without_aggregates = ""
        expressions.ungrouped.clear()
        return f" WHERE {sql}"

    def _items(self, node: Any, expressions: ExpressionCompiler) -> list[Item]:
        items: list[Item] = []
        for each in node.expressions:
            if isinstance(each, exp.Star) or (isinstance(each, exp.Column) and isinstance(each.this, exp.Star)):
                items += self._star(each, expressions)
            else:
                items.append(self._item(each, expressions, len(items)))
        if not items:
            raise QueryError(
                "SYNTAX_ERROR",
                f"{place(node)}: mismatched input 'FROM'. Expecting: '*', 'ALL', 'DISTINCT', <expression>",
            )
        return items

    def _item(self, each: Any, expressions: ExpressionCompiler, number: int) -> Item:
        inner = each.this if isinstance(each, exp.Alias) else each
        name = each.alias if isinstance(each, exp.Alias) else ""
        if not name:
            # Athena names nameless columns _col0, _col1, ... by their position in the result.
            name = inner.name if isinstance(inner, exp.Column | exp.Dot) else f"_col{number}"
        before = len(expressions.columns_met)
        value = expressions.value(inner)
        met = expressions.columns_met[before:]
        self._check_grouped(expressions, inner)
        return Item(value, name, inner, met[0] if isinstance(inner, exp.Column) and len(met) == 1 else None)

    def _star(self, node: Any, expressions: ExpressionCompiler) -> list[Item]:
        if isinstance(node, exp.Star) and any(node.args.values()):
            raise not_supported(f"{place(node)}: {expressions.text(node)}")
        names = [part.name for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
        columns = expressions.scope.of_table(names)
        if not columns and names:
            raise QueryError("TABLE_NOT_FOUND", f"{place(node)}: Unable to resolve reference {'.'.join(names)}")
        if not columns:
            raise QueryError("SYNTAX_ERROR", f"{place(node)}: SELECT * not allowed in queries without FROM clause")
        items = []
        for column in columns:
            column.use()
            if expressions.group_keys is not None and column.sql not in expressions.group_keys:
                raise grouping.not_aggregate(place(node), column.name)
            items.append(Item(Value(column.sql, column.type), column.name, None, column))
        return items

    def _check_grouped(self, expressions: ExpressionCompiler, node: exp.Expr) -> None:
        if expressions.group_keys is not None and expressions.ungrouped:
            raise grouping.not_aggregate(place(node), expressions.text(node))
        expressions.ungrouped.clear()

    def _having(self, node: Any, expressions: ExpressionCompiler) -> str:
        if not node.args.get("having"):
            return ""
        condition = node.args["having"].this
        # HAVING alone makes the query an aggregation of all its rows.
        if expressions.group_keys is None:
            expressions.group_keys = {}
        sql = expressions.condition(condition, "HAVING clause").sql
        self._check_grouped(expressions, condition)
        return f" HAVING {sql}"

    def _order(self, node: Any, expressions: ExpressionCompiler, items: list[Item]) -> str:
        if not node.args.get("order"):
            return ""
        return Ordering(expressions, items, self._check_grouped).clause(node)

    def _limit(self, node: Any) -> str:
        sql = ""
        limit = node.args.get("limit")
        if isinstance(limit, exp.Fetch):
            sql = f" LIMIT {_row_count(limit.args.get('count') or exp.Literal.number(1), limit)}"
        elif limit is not None and not (isinstance(limit.expression, exp.Var) and limit.expression.name == "ALL"):
            sql = f" LIMIT {_row_count(limit.expression, limit)}"
        if node.args.get("offset"):
            sql += f" OFFSET {_row_count(node.args['offset'].expression, node.args['offset'])}"
        return sql


def _row_count(count: Any, clause: exp.Expr) -> int:
    if isinstance(count, exp.Literal) and not count.is_string and count.name.isdigit():
        return int(count.name)
    written = count.sql(dialect="trino") if count else "<EOF>"
    raise QueryError(
        "SYNTAX_ERROR", f"{place(clause)}: mismatched input '{written.strip(chr(39))}'. Expecting: 'ALL', <integer>"
    )


def _movable(query: Query, mentions: int) -> tuple[Column, ...]:
    """Return the columns of a CTE; conditions move into it only if it is mentioned once, as another needs all rows."""
    return query.columns if mentions == 1 else tuple(replace(column, origin="") for column in query.columns)
