"""The CRCs are those of the standards, in pieces of any size."""

import random
import zlib

import pytest

from labkit.sandbox.kernel import checksums

DATA = random.Random(1).randbytes(100_003)


@pytest.mark.parametrize("size", [0, 1, 9, 100, 5000, len(DATA)])
def test_many_stretches_at_once_give_the_checksum_of_one(size):
    crc = checksums._CRCS["CRC32"]
    assert crc.register(crc.ones, DATA[:size]) ^ crc.ones == zlib.crc32(DATA[:size])


@pytest.mark.parametrize(
    ("algorithm", "known"), [("CRC32", "cbf43926"), ("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888")]
)
def test_the_standard_s_example(algorithm, known):
    assert checksums.of(algorithm, [b"123456789"]).hex() == known


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_pieces_and_parts_give_the_checksum_of_the_whole(algorithm, monkeypatch):
    monkeypatch.setattr(checksums, "_BLOCK", 4096)
    whole = checksums.of(algorithm, [DATA])
    assert checksums.of(algorithm, [DATA[:10], DATA[10:50_000], b"", DATA[50_000:]]) == whole
    first, second = checksums.of(algorithm, [DATA[:777]]), checksums.of(algorithm, [DATA[777:]])
    assert checksums.combined(algorithm, first, second, len(DATA) - 777) == whole
