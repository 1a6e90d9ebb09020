"""The VPC flow log record: its fields, formats and files, as AWS writes and documents them.

A batch of records is a `pyarrow.Table` with one column a field, named as in AWS's Parquet files and Athena tables
(`account_id`, `log_status`); a value that AWS would write as `-` is null.
"""
