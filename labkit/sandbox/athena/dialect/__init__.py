"""Athena's SQL, compiled to DuckDB's: parsed by sqlglot, its names and types resolved here, and written out as text.

Nothing is handed on that was not understood: every kind of node and every function has its entry in a table, and what
has none is refused with its name and place.
"""
