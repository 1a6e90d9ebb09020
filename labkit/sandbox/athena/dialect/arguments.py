"""Lists the parts of sqlglot's nodes that the compiler reads; any other part is an error.

sqlglot parses the syntax of many engines, and more with every version. A clause that nobody reads would be ignored,
and the answer would be wrong without an error.
"""

from __future__ import annotations

from sqlglot import exp

from labkit.sandbox.athena.dialect.scope import place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.reserved import IN_QUERIES

_OPERANDS = ("this", "expression", "expressions")
# With an underscore, as sqlglot names arguments that are words of Python.
_ENDS = ("with_", "order", "limit", "offset")
_READ: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: (*_ENDS, "from_", "joins", "where", "group", "having", "distinct", "windows", "kind", "hint",
                 "operation_modifiers"),
    exp.SetOperation: (*_ENDS, "distinct"),
    exp.Subquery: (*_ENDS, "alias", "joins", "sample"),
    exp.Values: (*_ENDS, "alias"),
    exp.Table: ("alias", "db", "catalog", "joins", "sample"),
    exp.TableSample: ("method", "percent"),
    exp.Unnest: ("alias", "offset"),
    exp.Lateral: ("alias",),
    exp.Join: ("on", "side", "kind", "using", "method"),
    exp.With: ("recursive",),
    exp.CTE: ("alias",),
    exp.Alias: ("alias",),
    exp.TableAlias: ("columns",),
    exp.Group: ("all",),
    exp.Ordered: ("desc", "nulls_first"),
    exp.Fetch: ("direction", "count", "limit_options"),
    exp.LimitOptions: ("rows",),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
    exp.Window: ("partition_by", "order", "spec", "alias", "over"),
    exp.Column: ("table", "db", "catalog"),
    exp.Identifier: ("quoted",),
    exp.Literal: ("is_string",),
    exp.UnicodeString: ("escape",),
    exp.Div: ("typed", "safe"),
    exp.DPipe: ("safe",),
    exp.Is: ("negate",),
    exp.Like: ("negate",),
    exp.Case: ("ifs", "default"),
    exp.If: ("true",),
    exp.Array: ("bracket_notation",),
    exp.Bracket: ("offset",),
    exp.Between: ("low", "high"),
    exp.In: ("query",),
    exp.Cast: ("to",),
    exp.TryCast: ("to", "safe", "requires_string"),
    exp.DataType: ("nested", "kind", "values"),
    exp.ColumnDef: ("kind",),
    exp.ParseJSON: ("is_literal",),
    exp.GroupConcat: ("separator", "on_overflow"),
    exp.Trim: ("position",),
    exp.Substring: ("start", "length"),
    exp.StrPosition: ("substr",),
    exp.AtTimeZone: ("zone",),
    exp.Interval: ("unit",),
}  # fmt: skip
_CALLED = {"match": "MATCH_RECOGNIZE", "pivots": "PIVOT", "on": "DISTINCT ON"}


def _read(node: exp.Expr) -> tuple[str, ...]:
    return next((_READ[each] for each in type(node).__mro__ if each in _READ), ())


def check(tree: exp.Expr, text: str) -> None:
    """Raise NOT_SUPPORTED, with its place, for the first part of a statement that nothing reads."""
    for node in tree.walk():
        read = _read(node)
        for name, given in node.args.items():
            # `given`: sqlglot sets arguments of absent clauses to None, False or an empty list.
            if given and name not in read and name not in _OPERANDS:
                raise not_supported(f"{place(node)}: {_CALLED.get(name, name.strip('_').upper().replace('_', ' '))}")
        if isinstance(node, exp.Identifier) and _is_no_name(node, text):
            raise QueryError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.name}'. Expecting: <identifier>")


def _is_no_name(node: exp.Identifier, text: str) -> bool:
    """Tell whether a name is really a string, or a reserved word without quotes: sqlglot takes both as names."""
    start = node.meta.get("start")
    return start is not None and (text[start] == "'" or (text[start] != '"' and node.name.upper() in IN_QUERIES))
