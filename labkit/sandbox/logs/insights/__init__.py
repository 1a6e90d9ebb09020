"""CloudWatch Logs Insights: a query is parsed into a tree and compiled to one SQL statement for DuckDB."""
