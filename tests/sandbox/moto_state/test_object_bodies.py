"""Objects' bytes lie in a file, come back as they were put, and take no room once they are gone."""

import errno
import os
import pickle
import tracemalloc

import pytest

from labkit.sandbox.kernel.account import ACCOUNT_ID
from labkit.sandbox.kernel.files import Piece
from labkit.sandbox.moto_state import backend, object_bodies, s3
from labkit.sandbox.moto_state.object_bodies import Body, Content, by_reference

MEGABYTE = 1_000_000
BUCKET = "bodies"


@pytest.fixture
def bucket(sandbox):
    backend("s3", ACCOUNT_ID, "aws").create_bucket(BUCKET, "eu-west-1")
    return sandbox


def key(name):
    return backend("s3", ACCOUNT_ID, "aws").get_object(BUCKET, name)


def test_objects_come_back_as_they_were_put(bucket):
    texts = [b"first", b"", bytes(range(256)) * 5000, "snö ☃".encode()]
    for number, text in enumerate(texts):
        s3.put_object(BUCKET, f"object-{number}", text)
    assert [s3.get_object(BUCKET, f"object-{number}") for number in range(len(texts))] == texts


def test_an_object_put_again_has_its_new_bytes(bucket):
    s3.put_object(BUCKET, "key", b"a long first text")
    s3.put_object(BUCKET, "other", b"beside it")
    s3.put_object(BUCKET, "key", b"new")
    assert s3.get_object(BUCKET, "key") == b"new"
    assert s3.get_object(BUCKET, "other") == b"beside it"


def test_objects_take_no_memory_for_their_bytes(bucket):
    tracemalloc.start()
    try:
        for number in range(30):
            s3.put_object(BUCKET, f"object-{number}", os.urandom(MEGABYTE))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 3 * MEGABYTE


def test_a_body_is_read_from_any_place_in_pieces(sandbox):
    body = Body()
    body.write(b"0123456789")
    body.seek(3)
    assert (body.read(4), body.read(), body.read(1)) == (b"3456", b"789", b"")
    body.close()


def test_the_pack_is_empty_again_when_the_last_object_is_gone(bucket):
    pack = bucket.files.path("pack")
    s3.put_object(BUCKET, "one", b"x" * MEGABYTE)
    s3.put_object(BUCKET, "two", b"y" * MEGABYTE)
    s3.delete_object(BUCKET, "one")
    assert s3.get_object(BUCKET, "two") == b"y" * MEGABYTE
    assert pack.stat().st_size >= 2 * MEGABYTE
    s3.delete_object(BUCKET, "two")
    assert pack.stat().st_size == 0


def test_a_content_is_cut_as_bytes_are(sandbox):
    data = b"0123456789"
    content = Content(tuple(sandbox.files.append(data[begin : begin + 3]) for begin in range(0, 10, 3)))
    places = [slice(begin, end) for begin in (None, 0, 2, 3, -4, 20) for end in (None, 1, 3, 7, -1, 30)]
    assert [content[place].read() for place in places] == [data[place] for place in places]


def test_large_objects_are_handed_around_without_being_read(bucket, monkeypatch):
    monkeypatch.setattr(object_bodies, "LARGE", 10)
    s3.put_object(BUCKET, "large", b"ten bytes and more")
    moto = backend("s3", ACCOUNT_ID, "aws")
    with by_reference():
        assert key("large").value.pieces == (Piece("pack", 0, 18),)
    moto.copy_object(key("large"), BUCKET, "copy")
    assert key("copy")._value_buffer.content.pieces == (Piece("pack", 0, 18),)
    s3.delete_object(BUCKET, "large")
    assert s3.get_object(BUCKET, "copy") == b"ten bytes and more"


def test_an_object_is_pickled_as_a_reference(bucket):
    s3.put_object(BUCKET, "key", b"x" * MEGABYTE)
    pickled = pickle.dumps(key("key"))
    assert len(pickled) < 2000
    again = pickle.loads(pickled)
    s3.delete_object(BUCKET, "key")
    assert (again.value, again.size) == (b"x" * MEGABYTE, MEGABYTE)
    again.dispose()
    assert bucket.files.path("pack").stat().st_size == 0


def test_what_a_full_disk_has_no_room_for_stays_in_memory(bucket, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        s3.put_object(BUCKET, "key", b"delivered")
    assert "held in memory" in caplog.text
    assert s3.get_object(BUCKET, "key") == b"delivered"
