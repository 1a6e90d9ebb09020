import json
import os

import pytest

from labkit.sandbox.kernel import private_files
from labkit.sandbox.kernel.private_files import DamagedFile


def test_a_file_is_its_owners_alone_from_the_start(tmp_path, monkeypatch):
    modes = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: modes.append(os.fstat(number).st_mode & 0o777) or fsync(number))
    path = tmp_path / "secret"
    private_files.write(path, "old")
    private_files.write(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777, modes) == ("new", 0o600, [0o600, 0o600])
    assert os.listdir(tmp_path) == ["secret"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "secret"
    private_files.write(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        private_files.write(path, "new")
    assert path.read_text() == "old"


def test_what_is_there_is_kept_and_what_is_missing_is_made(tmp_path):
    path = tmp_path / "secrets.json"
    assert private_files.read_or_make(path, ["a"], lambda: {"a": "1"}) == {"a": "1"}
    assert private_files.read_or_make(path, ["a"], lambda: {"a": "2"}) == {"a": "1"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"a"', '{"a": 1}', '{"a": ""}', "{}", '{"a": "1", "b": "2"}', "\0", "[" * 100_000],
    ids=lambda text: text[:12],
)
def test_a_damaged_file_is_named_with_the_way_out(tmp_path, text):
    path = tmp_path / "secrets.json"
    path.write_text(text)
    with pytest.raises(DamagedFile) as damage:
        private_files.read_or_make(path, ["a"], lambda: json.loads("{}"))
    assert str(damage.value).startswith(f"{path} is damaged (it is {'not what' if text else 'empty'}")
    assert "delete this file" in str(damage.value)
    assert "`labkit sandbox reset`" in str(damage.value)
