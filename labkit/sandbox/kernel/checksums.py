"""The checksums of S3's objects, computed piece by piece, and put together from those of an object's parts.

Python has CRC-32 alone of the three CRCs. The other two are computed here for thousands of stretches of the bytes at
once, by NumPy, and then folded: the CRC of two stretches is that of the first, shifted by the length of the second, xor
that of the second. The same fold makes the CRC of an object from those of its parts.

Source: S3 User Guide, "Checking object integrity for data uploads" (checking-object-integrity-upload.html).

>>> of("CRC32C", [b"1234", b"56789"]).hex(), of("CRC64NVME", [b"123456789"]).hex()
('e3069283', 'ae8b14860a799888')
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Protocol

import numpy as np

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_BLOCK = 1 << 20
_LANES = 1 << 12


class Checksum(Protocol):
    """A checksum being computed."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far, in its order on the wire."""


def new(algorithm: str) -> Checksum:
    """Begin a checksum by S3's name of it; raises KeyError for another."""
    return _NEW[algorithm]()


def of(algorithm: str, data: Iterable[bytes]) -> bytes:
    """Return the checksum of bytes that come in pieces."""
    checksum = new(algorithm)
    for piece in data:
        checksum.update(piece)
    return checksum.digest()


def combined(algorithm: str, first: bytes, second: bytes, size: int) -> bytes:
    """Return the CRC of two stretches of bytes from the CRC of each; `size` is that of the second."""
    crc = _CRCS[algorithm]
    value = crc.shifted(int.from_bytes(first, "big"), size) ^ int.from_bytes(second, "big")
    return value.to_bytes(crc.width // 8, "big")


class _Crc:
    """A reflected CRC that begins with all ones, and is inverted in the end."""

    def __init__(self, width: int, polynomial: int) -> None:
        self.width = width
        self.ones = (1 << width) - 1
        self.table = [self._step(byte, polynomial) for byte in range(256)]
        self.lookup = np.array(self.table, dtype=np.uint64)
        self._powers = [[self.table[1 << bit] if bit < 8 else 1 << bit - 8 for bit in range(width)]]
        """What 1, 2, 4, 8... bytes of zeros make of each bit of the register."""

    @staticmethod
    def _step(register: int, polynomial: int) -> int:
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
        return register

    def shifted(self, register: int, size: int) -> int:
        """Return the register after so many bytes of zeros."""
        power = 0
        while size:
            if power == len(self._powers):
                matrix = self._powers[-1]
                self._powers.append([_times(matrix, column) for column in matrix])
            if size & 1:
                register = _times(self._powers[power], register)
            size, power = size >> 1, power + 1
        return register

    @cache  # noqa: B019 (there are two of them, for good)
    def _shift_tables(self, size: int) -> Any:
        """What `shifted` makes of each byte of a register, for many registers at once."""
        bits = [self.shifted(1 << bit, size) for bit in range(self.width)]
        columns = (bits[byte : byte + 8] for byte in range(0, self.width, 8))
        return np.array([[_times(eight, value) for value in range(256)] for eight in columns], dtype=np.uint64)

    def register(self, before: int, data: bytes) -> int:
        """Return the register after the bytes."""
        lanes = min(_LANES, 1 << len(data).bit_length() // 2)
        size = len(data) // lanes
        if size > 1:
            before = self.shifted(before, lanes * size) ^ self._of_lanes(data, lanes, size)
            data = data[lanes * size :]
        for byte in data:
            before = self.table[(before ^ byte) & 0xFF] ^ before >> 8
        return before

    def _of_lanes(self, data: bytes, lanes: int, size: int) -> int:
        columns = np.frombuffer(data, np.uint8, lanes * size).reshape(lanes, size).T.astype(np.uint64, order="C")
        registers = np.zeros(lanes, np.uint64)
        low, eight = np.uint64(0xFF), np.uint64(8)
        for column in columns:
            registers = self.lookup[(registers ^ column) & low] ^ (registers >> eight)
        while len(registers) > 1:
            tables = self._shift_tables(size)
            left, right = registers[::2], registers[1::2]
            for number, table in enumerate(tables):
                right = right ^ table[left >> np.uint64(8 * number) & low]
            registers, size = right, size * 2
        return int(registers[0])


def _times(matrix: list[int], register: int) -> int:
    result = 0
    for column in matrix:
        if register & 1:
            result ^= column
        register >>= 1
    return result


_CRCS = {
    "CRC32": _Crc(32, 0xEDB88320),
    "CRC32C": _Crc(32, 0x82F63B78),
    "CRC64NVME": _Crc(64, 0x9A6C9329AC4BC9B5),
}


class _FoldedCrc:
    """A CRC that is computed by the block, so that few lengths of stretches occur."""

    def __init__(self, algorithm: str) -> None:
        self._crc = _CRCS[algorithm]
        self._register = self._crc.ones
        self._rest = b""

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._rest += data
        whole = len(self._rest) // _BLOCK * _BLOCK
        for begin in range(0, whole, _BLOCK):
            self._register = self._crc.register(self._register, self._rest[begin : begin + _BLOCK])
        self._rest = self._rest[whole:]

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""
        value = self._crc.register(self._register, self._rest) ^ self._crc.ones
        return value.to_bytes(self._crc.width // 8, "big")


class _Crc32:
    """Python's own CRC-32."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""
        return self._value.to_bytes(4, "big")


_NEW: dict[str, Callable[[], Checksum]] = {
    "CRC32": _Crc32,
    "CRC32C": lambda: _FoldedCrc("CRC32C"),
    "CRC64NVME": lambda: _FoldedCrc("CRC64NVME"),
    "SHA1": hashlib.sha1,
    "SHA256": hashlib.sha256,
}
