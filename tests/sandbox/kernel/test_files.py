"""Files are kept whole or not at all, and the pack is as it was at its mark."""

import errno
import os
import stat

import pytest

from labkit.sandbox.kernel.files import FileStore, Piece


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path / "files")
    yield store
    store.close()


def kept(store, data):
    draft = store.draft()
    draft.write(data)
    return store.keep(draft)


def test_a_file_is_read_as_it_was_written(store):
    draft = store.draft()
    draft.write(b"first, ")
    draft.write(b"second")
    name = store.keep(draft)
    with store.open(name) as file:
        assert file.read() == b"first, second"
    assert store.size(name) == draft.size == 13
    assert store.read([Piece(name, 7, 3), Piece(name, 0, 5)]) == b"secfirst"


def test_only_the_owner_may_look(store):
    name = kept(store, b"mine")
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.path(name).stat().st_mode) == 0o600


def test_another_process_finds_files_but_no_drafts(store):
    name = kept(store, b"kept")
    store.draft().write(b"half")
    again = FileStore(store.folder)
    assert {path.name for path in store.folder.iterdir()} == {name, "pack"}
    assert again.read([Piece(name, 0, 4)]) == b"kept"


def test_what_nothing_names_is_swept(store):
    names = [kept(store, b"one"), kept(store, b"two")]
    store.sweep(names[:1])
    assert {path.name for path in store.folder.iterdir()} == {names[0], "pack"}


def test_a_removed_file_is_read_to_its_end_by_who_has_it_open(store):
    name = kept(store, b"going")
    with store.open(name) as file:
        store.remove(name)
        store.remove(name)
        assert file.read() == b"going"


def test_the_pack_gives_its_pieces_back_in_chunks(store):
    pieces = [store.append(text) for text in (b"one", b"", b"three")]
    assert store.read(pieces) == b"onethree"
    assert list(store.chunks(pieces, 2)) == [b"on", b"e", b"th", b"re", b"e"]


def test_the_pack_is_empty_when_nobody_holds_a_piece(store):
    one, two = store.append(b"one"), store.append(b"two")
    store.hold(one)
    for piece in (one, two):
        store.release(piece)
    assert store.read([one]) == b"one"
    store.release(one)
    assert store.append(b"new").begin == 0


def test_a_store_opened_with_a_mark_has_the_pack_as_it_was(store):
    early = store.append(b"early")
    mark = store.mark()
    store.append(b"late")
    store.release(early)
    again = FileStore(store.folder, mark=mark)
    assert again.append(b"again").begin == mark
    assert again.read([early]) == b"early"
    with pytest.raises(ValueError, match="were marked"):
        FileStore(store.folder, mark=mark + 100)


def test_a_store_opened_without_a_mark_has_an_empty_pack(store):
    store.append(b"to be written again")
    assert FileStore(store.folder).append(b"new").begin == 0


def test_clearing_removes_everything(store):
    kept(store, b"one")
    store.append(b"two")
    store.clear()
    assert [(path.name, path.stat().st_size) for path in store.folder.iterdir()] == [("pack", 0)]


def test_a_temporary_store_leaves_nothing():
    store = FileStore()
    store.append(b"piece")
    kept(store, b"file")
    store.close()
    assert not store.folder.exists()


def test_a_full_disk_changes_nothing_in_the_pack(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    piece = store.append(b"there")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            store.append(b"more")
    assert store.append(b"next").begin == 5
    assert store.read([piece]) == b"there"
