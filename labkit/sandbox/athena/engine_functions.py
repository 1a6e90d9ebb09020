"""Functions that DuckDB can't express: written in Python, called by the macros."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import itertools
import json
import math
import struct
import unicodedata
import zlib
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import duckdb
from duckdb.sqltypes import BIGINT, BLOB, BOOLEAN, DOUBLE, VARCHAR

from labkit.sandbox.athena.text import java_double


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Register the functions with a database."""
    for name, (function, parameters, result) in _FUNCTIONS.items():
        connection.create_function(name, function, parameters, result)


# An error of these is a text that the macros cast to a number: a Python exception would pass by TRY.


def _combinations(size: int, count: int) -> list[list[int]]:
    """Every choice of so many of the numbers from 1 on, in Trino's order: by the last number, then the one before.

    A choice of 0 stands for more choices than Trino makes.
    """
    if math.comb(size, count) * count > _MOST_COMBINED:
        return [[0]]
    chosen = itertools.combinations(range(size, 0, -1), count)
    return [list(each[::-1]) for each in chosen][::-1]


def _ip_number(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text if text.startswith("INVALID") else f"INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: {text}"
    mapped = (0xFFFF << 32) if address.version == 4 else 0
    return str(int(address) | mapped)


def _ip_text(number: str) -> str:
    return str(ipaddress.IPv6Address(int(number)))


def _address_of(data: bytes) -> str:
    if len(data) not in (4, 16):
        return f"INVALID_CAST_ARGUMENT: Invalid InetAddress binary length: {len(data)}"
    address = ipaddress.ip_address(data)
    return str(getattr(address, "ipv4_mapped", None) or address)


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
        number = int(text, base)
    except ValueError:
        number = 2**63
    fits = -(2**63) <= number < 2**63
    return str(number) if fits else f"INVALID_FUNCTION_ARGUMENT: Not a valid base-{base} number: {text}"


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
    if not math.isfinite(seconds):
        return f"INVALID_FUNCTION_ARGUMENT: Invalid argument found: {java_double(seconds)}"
    left = round(abs(seconds))
    parts = []
    for size, name in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return ", ".join(parts) or "0 seconds"


def _json(text: str) -> str:
    """JSON as Trino keeps it: no blanks, sorted keys. What is no JSON stays as it is, for its cast to fail."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    except ValueError:
        return text


def _levenshtein(one: str, other: str) -> int:
    """Return the Levenshtein distance in code points; DuckDB's own counts bytes."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, row = row, [number]
        for at, wanted in enumerate(other):
            row.append(min(before[at] + (letter != wanted), before[at + 1] + 1, row[at] + 1))
    return row[-1]


def _normalize(text: str, form: str) -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def _from_utf8(data: bytes, instead: str) -> str:
    return data.decode(errors="replace").replace("\ufffd", instead)


def _hmac(data: bytes, key: bytes, digest: str) -> bytes:
    return hmac.new(key, data, digest).digest()


def _from_base32(text: str) -> str:
    try:
        return base64.b32decode(text).hex()
    except ValueError:
        return f"INVALID_FUNCTION_ARGUMENT: Invalid input: {text}"


def _to_base32(data: bytes) -> str:
    return base64.b32encode(data).decode()


def _to_ieee754(value: float, size: int) -> bytes:
    return struct.pack(">d" if size == 8 else ">f", value)


def _from_ieee754(data: bytes, size: int) -> float:
    found: float = struct.unpack(">d" if size == 8 else ">f", data)[0]
    return found


def _sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def _reverse(data: bytes) -> bytes:
    return data[::-1]


def _big_endian(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _luhn(text: str) -> bool:
    digits = [int(letter) for letter in reversed(text)]
    return bool(digits) and sum(digits[::2]) % 10 == -sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2]) % 10


def _normal_cdf(mean: float, deviation: float, value: float) -> float:
    return NormalDist(mean, deviation).cdf(value)


def _inverse_normal_cdf(mean: float, deviation: float, share: float) -> float:
    return NormalDist(mean, deviation).inv_cdf(share)


def _format_number(value: float) -> str:
    """1234567 as 1.23M."""
    units = ["", "K", "M", "B", "T", "Q"]
    while abs(value) >= 1000 and len(units) > 1:
        value /= 1000
        del units[0]
    text = f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + units[0]


_MOST_COMBINED = 100_000
_LISTS = duckdb.list_type(duckdb.list_type(BIGINT))
_FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any], Any]] = {
    "python_ipaddress": (_ip_number, [VARCHAR], VARCHAR),
    "python_ipaddress_text": (_ip_text, [VARCHAR], VARCHAR),
    "python_address_of": (_address_of, [BLOB], VARCHAR),
    "python_combinations": (_combinations, [BIGINT, BIGINT], _LISTS),
    "python_levenshtein": (_levenshtein, [VARCHAR, VARCHAR], BIGINT),
    "python_json": (_json, [VARCHAR], VARCHAR),
    "python_big_endian": (_big_endian, [BLOB], BIGINT),
    "trino_from_base": (_from_base, [VARCHAR, BIGINT], VARCHAR),
    "trino_soundex": (_soundex, [VARCHAR], VARCHAR),
    "trino_crc32": (_crc32, [BLOB], BIGINT),
    "trino_human_readable_seconds": (_human_readable_seconds, [DOUBLE], VARCHAR),
    "trino_double_text": (_double_text, [DOUBLE], VARCHAR),
    "trino_java_double": (java_double, [DOUBLE], VARCHAR),
    "trino_normalize": (_normalize, [VARCHAR, VARCHAR], VARCHAR),
    "trino_from_utf8": (_from_utf8, [BLOB, VARCHAR], VARCHAR),
    "trino_hmac": (_hmac, [BLOB, BLOB, VARCHAR], BLOB),
    "trino_sha512": (_sha512, [BLOB], BLOB),
    "trino_reverse": (_reverse, [BLOB], BLOB),
    "python_base32": (_from_base32, [VARCHAR], VARCHAR),
    "trino_to_base32": (_to_base32, [BLOB], VARCHAR),
    "trino_to_ieee754": (_to_ieee754, [DOUBLE, BIGINT], BLOB),
    "trino_from_ieee754": (_from_ieee754, [BLOB, BIGINT], DOUBLE),
    "trino_luhn": (_luhn, [VARCHAR], BOOLEAN),
    "trino_normal_cdf": (_normal_cdf, [DOUBLE, DOUBLE, DOUBLE], DOUBLE),
    "trino_inverse_normal_cdf": (_inverse_normal_cdf, [DOUBLE, DOUBLE, DOUBLE], DOUBLE),
    "trino_format_number": (_format_number, [DOUBLE], VARCHAR),
}
