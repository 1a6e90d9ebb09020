"""Athena's statements: which one a text is, what it says, and what it does to the catalog.

Athena hands queries to Trino and DDL to Hive, each with a grammar and errors of its own, and so does this package:
queries go to `dialect`, everything else is parsed by `ddl.lark`.

Central types: `classify.Parsed` (a statement that was read) and `classify.Malformed` (a text that is rejected without
a query execution), `nodes.Statement` (a DDL statement), `context.Context` (where it is carried out) and
`context.Answer` (the lines it answers with).

Read it in this order: `reading`, `classify` (text to statement); `nodes`, `ddl`, `ddl_errors` (Hive's grammar);
`context`, `definitions`, `tables`, `conditions` (statements that change the catalog); `utilities`, `described`,
`shown` (statements that only look at it).

Example: `ALTER TABLE flow ADD PARTITION (day='2026/11/02') LOCATION 's3://b/AWSLogs/2026/11/02/'`:

    classify.read      -> Parsed("alter_table_add_partition", ...): its first word belongs to Hive
    ddl.parse          -> PartitionStatement(table=("flow",), partitions=(((("day", "2026/11/02"),), "s3://..."),))
    definitions.run    -> the partition is created in Glue; the answer has no lines
"""
