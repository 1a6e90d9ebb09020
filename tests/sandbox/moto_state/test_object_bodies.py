"""Objects' bytes lie in a file, come back as they were put, and take no room once they are gone."""

import os
import tracemalloc

import pytest

from labkit.sandbox.moto_state import backend, object_bodies, s3
from labkit.sandbox.moto_state.object_bodies import Body
from labkit.sandbox.sandbox import ACCOUNT_ID

MEGABYTE = 1_000_000
BUCKET = "bodies"


@pytest.fixture
def bucket(sandbox, monkeypatch):
    monkeypatch.setattr(object_bodies, "_FILE", object_bodies._File())  # which holds nothing of other tests
    backend("s3", ACCOUNT_ID, "aws").create_bucket(BUCKET, "eu-west-1")
    return sandbox


def file_size():
    return os.fstat(object_bodies._FILE._number).st_size


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


def test_a_body_is_read_from_any_place_in_pieces():
    body = Body()
    body.write(b"0123456789")
    body.seek(3)
    assert (body.read(4), body.read(), body.read(1)) == (b"3456", b"789", b"")
    body.close()


def test_the_file_is_empty_again_when_the_last_object_is_gone(bucket):
    s3.put_object(BUCKET, "one", b"x" * MEGABYTE)
    s3.put_object(BUCKET, "two", b"y" * MEGABYTE)
    s3.delete_object(BUCKET, "one")
    assert s3.get_object(BUCKET, "two") == b"y" * MEGABYTE
    assert file_size() >= 2 * MEGABYTE
    s3.delete_object(BUCKET, "two")
    assert file_size() == 0
