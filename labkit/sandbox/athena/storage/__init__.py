"""Tables on S3: which objects a query reads, how their bytes become columns, and the copy that is kept of them.

Text is parsed once: the columns that a query reads are kept as Parquet in the engine's private directory, by the
objects' content, and later queries read them from there.

Central types: `location.ScannedObject` (an object that a query reads), `scans.ScanPlan` (the objects of one mention of
a table), `formats.Reading` (how a table's objects are read), `store` (the relations that DuckDB reads).

Read it in this order: `location`, `projection`, `scans` (which objects); `lines`, `fields`, `lazy`, `formats`
(text to columns, one reader per SerDe); `parquet` (footers); `store` (copies and relations); `serialized` (the other
way round: rows that CREATE TABLE AS and INSERT write as text).

Example: `SELECT bytes FROM flow WHERE day = '2026/11/02'` over gzip text:

    scans      -> the objects of that partition, listed now
    lines      -> blocks of whole lines, decompressed
    formats    -> an Arrow table with the column `bytes`, NULL for fields that aren't integers
    store      -> a Parquet copy of that column; the scan in the SQL becomes a relation that reads it
"""
