"""DuckDB as Athena's engine: one database, shut off from everything but a directory of its own."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
from importlib import resources
from pathlib import Path

import duckdb
from duckdb.sqltypes import DOUBLE, VARCHAR

from labkit.sandbox.athena.text import java_double

MEMORY_LIMIT = "1GiB"
"""What queries use together before they spill to disk."""


class Engine:
    """A DuckDB whose SQL reaches no file but those under `directory`, no network, no settings and no extensions.

    The SQL that it is given is written by the compiler alone; the locks are the second line.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="labkit-athena-"))
        self.connection = duckdb.connect(str(self.directory / "cache.duckdb"))
        self._execute("LOAD icu")
        self._settings()
        self._functions()
        self._execute(resources.files(__package__).joinpath("macros.sql").read_text())
        self._execute(f"SET allowed_directories=['{self.directory}']")
        self._execute("SET enable_external_access=false")
        self._execute("SET lock_configuration=true")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query: it can be interrupted without the others."""
        return self.connection.cursor()

    def close(self) -> None:
        """Ends the database and removes its files."""
        self.connection.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _execute(self, sql: str) -> None:
        self.connection.execute(sql)

    def _settings(self) -> None:
        (self.directory / "spill").mkdir()
        for name, value in {
            "TimeZone": "'UTC'",
            "integer_division": "true",
            "memory_limit": f"'{MEMORY_LIMIT}'",
            "temp_directory": f"'{self.directory / 'spill'}'",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_scan_all_frames": "false",
            "python_enable_replacements": "false",
        }.items():
            self._execute(f"SET GLOBAL {name}={value}")

    def _functions(self) -> None:
        create = self.connection.create_function
        create("python_ipaddress", _ip_number, [VARCHAR], VARCHAR)
        create("python_ipaddress_text", _ip_text, [VARCHAR], VARCHAR)
        create("trino_double_text", _double_text, [DOUBLE], VARCHAR)


def _ip_number(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: {text}") from None
    mapped = (0xFFFF << 32) if address.version == 4 else 0
    return str(int(address) | mapped)


def _ip_text(number: str) -> str:
    return str(ipaddress.IPv6Address(int(number)))


def _double_text(value: float) -> str:
    """CAST(double AS varchar), which writes 1 as 1.0E0."""
    text = java_double(value)
    if "E" in text or not any(letter.isdigit() for letter in text):
        return text
    mantissa, exponent = f"{value:.17e}".split("e")
    digits = repr(value).replace("-", "").replace(".", "").lstrip("0").rstrip("0") or "0"
    sign = "-" if mantissa.startswith("-") else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{int(exponent)}"
