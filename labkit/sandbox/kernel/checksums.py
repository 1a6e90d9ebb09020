"""The checksums of S3 objects, computed piece by piece, and combined from the checksums of an object's parts.

Of the three CRCs, Python has only CRC-32. The other two are computed here with NumPy, for thousands of stretches of the
bytes at once, and then folded: the CRC of two stretches is the CRC of the first, shifted by the length of the second,
xor the CRC of the second. The same fold makes the CRC of an object from the CRCs of its parts.

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
    """A checksum being computed, with the methods of a `hashlib` object."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far, in wire (big-endian) order."""


def new(algorithm: str) -> Checksum:
    """Begin a checksum by S3's name for it, one of `ALGORITHMS`; raise KeyError for any other."""
    return _NEW[algorithm]()


def of(algorithm: str, data: Iterable[bytes]) -> bytes:
    """Return the checksum of bytes that come in pieces."""
    checksum = new(algorithm)
    for piece in data:
        checksum.update(piece)
    return checksum.digest()


def combined(algorithm: str, first: bytes, second: bytes, size: int) -> bytes:
    """Return the CRC of two stretches of bytes from the CRC of each; `size` is the length of the second in bytes."""
    crc = _CRCS[algorithm]
    value = crc.shifted(int.from_bytes(first, "big"), size) ^ int.from_bytes(second, "big")
    return value.to_bytes(crc.width // 8, "big")


class _Crc:
    """A reflected CRC that starts with all ones and is inverted at the end."""

    def __init__(self, width: int, polynomial: int) -> None:
        self.width = width
        self.ones = (1 << width) - 1
        self.table = [self._step(byte, polynomial) for byte in range(256)]
        self.lookup = np.array(self.table, dtype=np.uint64)
        self._powers = [[self.table[1 << bit] if bit < 8 else 1 << bit - 8 for bit in range(width)]]
        """For 1, 2, 4, 8... bytes of zeros, what they turn each bit of the register into."""

    @staticmethod
    def _step(register: int, polynomial: int) -> int:
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
        return register

    def shifted(self, register: int, size: int) -> int:
        """Return the register after `size` bytes of zeros, in log2(size) matrix products."""
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
        """Return, for each byte of a register and each of its values, what `shifted` turns it into."""
        bits = [self.shifted(1 << bit, size) for bit in range(self.width)]
        columns = (bits[byte : byte + 8] for byte in range(0, self.width, 8))
        return np.array([[_times(eight, value) for value in range(256)] for eight in columns], dtype=np.uint64)

    def register(self, before: int, data: bytes) -> int:
        """Return the register after `data`, starting from the register `before`."""
        # About the square root: as many lanes as bytes in a lane balances the NumPy loop against the fold.
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
    """A CRC that is computed in blocks of a fixed size, so that the shift tables are needed for few lengths."""

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
    """CRC-32 by zlib, which is faster than `_FoldedCrc`."""

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
