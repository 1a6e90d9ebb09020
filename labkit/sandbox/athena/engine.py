"""DuckDB as Athena's engine: one database, confined to a directory of its own."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path

import duckdb

from labkit.sandbox.athena import engine_functions

SPILL_LIMIT = "4GiB"
"""The disk space that queries may use together; one that needs more fails with exhausted resources."""
MEMORY_LIMIT = "1GiB"
"""The memory that queries use together before they spill to disk."""


class Engine:
    """A DuckDB whose SQL reaches no file but those under `directory`, no network, no settings and no extensions.

    All its SQL is written by the compiler; these locks are the second line of defence.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="labkit-athena-"))
        self.connection = duckdb.connect()
        self._execute("LOAD icu")
        self._settings()
        engine_functions.create(self.connection)
        self._execute(resources.files(__package__).joinpath("macros.sql").read_text())
        self._execute(f"SET allowed_directories=['{self.directory}']")
        self._execute("SET enable_external_access=false")
        # Last: after it no setting can be changed, the ones above included.
        self._execute("SET lock_configuration=true")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one query, which can be interrupted without the others."""
        return self.connection.cursor()

    def close(self, *, at_rest: bool = True) -> None:
        """Close the database and remove its files; with `at_rest` False, a thread still uses it and it isn't closed."""
        if at_rest:
            self.connection.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _execute(self, sql: str) -> None:
        self.connection.execute(sql)

    def _settings(self) -> None:
        (self.directory / "spill").mkdir()
        for name, value in {
            "TimeZone": "'UTC'",
            # Trino's / of integers is an integer; DuckDB's default is a DOUBLE.
            "integer_division": "true",
            "ieee_floating_point_ops": "true",
            "memory_limit": f"'{MEMORY_LIMIT}'",
            "temp_directory": f"'{self.directory / 'spill'}'",
            "max_temp_directory_size": f"'{SPILL_LIMIT}'",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_scan_all_frames": "false",
            "python_enable_replacements": "false",
        }.items():
            self._execute(f"SET GLOBAL {name}={value}")
