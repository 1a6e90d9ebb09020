"""Amazon Athena: SQL over objects in S3, with tables in the Glue Data Catalog, run by DuckDB.

A statement is read when it is submitted and carried out on a worker thread, without the sandbox's lock. Queries are
compiled from Trino's SQL to DuckDB's; DDL and utility statements work on the catalog alone.

Central types: `execution.Execution` (one statement and its state), `catalog.Catalog`, `Table` and `Partition` (the
metadata), `types.Type` (Trino's types), `statements.classify.Parsed` (a statement that was read), `dialect` (the
compiler), `storage.store` (the objects as DuckDB reads them), `engine.Engine` (DuckDB, locked down),
`errors.QueryError` (why a query failed, in Athena's words).

Read it in this order: `service` (the API), `statements` (which statement a text is), `runner`, `work` (carrying it
out), `catalog`, `types`, `dialect` (SQL to SQL), `storage` (S3 to columns), `engine`, `engine_functions`,
`engine_errors` (DuckDB), `results`, `ending` (what a query leaves), `targets`, `writing` (queries that write),
`workgroups`, `saved`, `metadata` (the rest of the API).

Example: StartQueryExecution("SELECT srcaddr, count(*) FROM flow WHERE day = '2026/11/02' GROUP BY 1"):

    statements.reading    -> Parsed("select", ...), a DML statement; the execution is QUEUED
    work                  -> the worker compiles it and asks the catalog for the partitions with that day
    storage.store         -> their objects become a relation: read from gzip text, kept as columns for the next query
    engine                -> DuckDB runs the SQL; its errors are put into Athena's words
    ending                -> the CSV and its .metadata go to S3, the execution is SUCCEEDED
"""
