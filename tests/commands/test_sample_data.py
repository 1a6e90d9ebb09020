import argparse
import re
from collections import Counter

import pytest

from labkit.commands import sample_data
from labkit.lab.errors import LabError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sample_data.register(parser.add_subparsers())
    options = parser.parse_args(["sample-data", *arguments])
    return options.run(options)


def test_the_command_writes_the_files_and_says_where(tmp_path, capsys):
    assert run("--to", str(tmp_path), "--seed", "5") == 0
    assert re.fullmatch(rf"168 files, [23]\.\d MB, in {tmp_path}\n", capsys.readouterr().out)
    days = Counter(path.parent.name for path in tmp_path.rglob("*.log.gz"))
    assert len(days) == 28


def test_the_command_says_what_is_wrong_with_a_folder_that_cant_be_written(tmp_path):
    (tmp_path / "AWSLogs").write_text("a file where a folder is to be")
    with pytest.raises(LabError, match=r"can't be written to .*; name another folder with --to"):
        run("--to", str(tmp_path))


@pytest.mark.parametrize("seed", ["-1", "1.5", "many", ""])
def test_the_command_takes_whole_numbers_for_seeds(seed, capsys):
    with pytest.raises(SystemExit):
        run("--seed", seed)
    assert "is no seed: give a whole number from 0" in capsys.readouterr().err
