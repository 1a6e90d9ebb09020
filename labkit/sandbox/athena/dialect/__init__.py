"""Compiles Athena's SQL (Trino) to DuckDB's: parsed by sqlglot, names and types resolved here, written out as text.

Nothing is passed on that wasn't understood: every kind of node and every function has an entry in a table, and
anything without an entry raises an error with its name and place. The output differs from the input wherever DuckDB
means something else than Trino: NULL and NaN, overflow, rounding, time zones, order.

Central types: `scope.Value` (an expression's SQL, Trino type and literal), `scope.Column`, `Scope`, `Query` and
`Scan` (one mention of a table, with the columns and partitions it reads), `functions.Signature` (a line of
functions.txt), `queries.QueryCompiler` and `expressions.ExpressionCompiler`, which hold the parts together.

Read it in this order: `parser`, `arguments` (text to tree); `scope`, `compiling` (the types all parts share);
`queries`, `relations`, `grouping`, `ordering`, `pruning` (query blocks); `expressions`, `operators`, `comparisons`,
`casts`, `literals` (expressions); `functions`, `calls`, then the functions with a shape of their own (`arrays`,
`lambdas`, `formatting`, `temporal`); `chains`, `expansion`, `effort` (what keeps large statements within bounds).

Example: in `SELECT n / 2 FROM t WHERE day = '2026/11/02'`, with n an integer and day a partition column,

    scope.find(["n"])      -> Column("n", integer, sql="r2.c0"), and its Scan notes that column 0 is read
    operators._calculated  -> Value("(r2.c0 / 2::INTEGER)", integer): the literal 2 can't be a zero divisor
    pruning.prune          -> the Scan notes "(p.c1 = '2026/11/02')": other partitions are never opened
    queries._block         -> Query("SELECT (r2.c0 / 2::INTEGER) AS c0 FROM s1 AS r2 WHERE ...", columns)
"""
