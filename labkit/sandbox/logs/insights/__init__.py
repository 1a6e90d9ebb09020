"""CloudWatch Logs Insights: a query is parsed into a tree and compiled to one SQL statement for DuckDB.

Each command wraps the statement of the commands before it in another SELECT. No text of a query enters SQL except
through `values.quoted`, and columns have names of our own (c1, c2, ...).

Central types: `tree.Query`, `Command` and `Expression` (a parsed query), `tree.QueryError` (what is wrong, and its
span), `values.Value` and `Kind` (an SQL expression and its kind), `fields.Source` (the events of one log group),
`pipeline.Pipeline` (the statement so far), `engine.Job` and `Answer` (a query to run, and its rows).

Read it in this order: `tree`, `parser`, `builder`, `command_builder`, `cost` (text to tree); `values`, `fields`,
`service_logs` (what a field is in SQL); `expressions`, `functions`, `calls`, `periods`, `dates` (expressions);
`pipeline`, `commands`, `stats`, `aggregates`, then the rarer commands (`row_commands`, `parsing`, `combining`,
`patterns`, `relevance`); `reading`, `engine`, `service` (running it); `definitions`, `lookup_tables`, `discovery`.

Example: `filter dstPort = 22 | stats count(*) as n by srcAddr` over flow log records:

    Pipeline          SELECT *, '1234:g' AS log FROM events WHERE timestamp >= ...
    _filter           SELECT * FROM (...) WHERE contains(message, '22') AND <field 7 as number> = 22
    _stats            SELECT k1 AS c1, a1 AS c2, ... FROM (SELECT split_part(...) AS k1, count(*) ... GROUP BY 1)
    statement         SELECT <c1 as text>, <c2 as text>, matched FROM (...) ORDER BY c1 LIMIT 10000
"""
