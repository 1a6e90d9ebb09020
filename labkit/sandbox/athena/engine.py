"""DuckDB as Athena's engine: one database, shut off from everything but a directory of its own."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
import zlib
from importlib import resources
from pathlib import Path

import duckdb
from duckdb.sqltypes import BIGINT, BLOB, DOUBLE, VARCHAR

from labkit.sandbox.athena.text import java_double

MEMORY_LIMIT = "1GiB"
"""What queries use together before they spill to disk."""


class Engine:
    """A DuckDB whose SQL reaches no file but those under `directory`, no network, no settings and no extensions.

    The SQL that it is given is written by the compiler alone; the locks are the second line.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="labkit-athena-"))
        self.connection = duckdb.connect()
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
            "ieee_floating_point_ops": "true",
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
        create("trino_from_base", _from_base, [VARCHAR, BIGINT], VARCHAR)
        create("trino_soundex", _soundex, [VARCHAR], VARCHAR)
        create("trino_crc32", _crc32, [BLOB], BIGINT)
        create("trino_human_readable_seconds", _human_readable_seconds, [DOUBLE], VARCHAR)
        create("trino_double_text", _double_text, [DOUBLE], VARCHAR)


# An error of these is a text that the macros cast to a number: a Python exception would pass by TRY.


def _ip_number(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: {text}"
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


def _crc32(data: bytes) -> int:
    return zlib.crc32(data)


def _from_base(text: str, base: int) -> str:
    try:
        return str(int(text, base))
    except ValueError:
        return f"INVALID_FUNCTION_ARGUMENT: Not a valid base-{base} number: {text}"


_SOUNDEX = {
    letter: str(code)
    for code, letters in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), 1)
    for letter in letters
}


def _soundex(text: str) -> str:
    letters = [letter for letter in text.upper() if "A" <= letter <= "Z"]
    if not letters:
        return ""
    codes, last = "", _SOUNDEX.get(letters[0], "")
    for letter in letters[1:]:
        code = _SOUNDEX.get(letter, "")
        if code and code != last:
            codes += code
        if letter not in "HW":
            last = code
    return (letters[0] + codes + "000")[:4]


def _human_readable_seconds(seconds: float) -> str:
    left = round(abs(seconds))
    parts = []
    for size, name in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return ", ".join(parts) or "0 seconds"
