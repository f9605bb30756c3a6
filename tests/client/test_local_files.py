from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from atoll.client.local_files import CHUNK_BYTES, find_files, hash_files
from atoll.client.progress import Progress, Stage
from atoll.errors import InvalidInput


def test_directories_give_the_files_below_them_by_name(tmp_path: Path) -> None:
    for name in ("z.csv", "deep/er/a.csv", ".hidden", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [p.name for p in find_files([tmp_path])] == ["a.csv", "z.csv"]
    assert [p.name for p in find_files([tmp_path / "z.csv", tmp_path])] == ["a.csv", "z.csv"]


def test_a_hidden_directory_named_outright_is_taken(tmp_path: Path) -> None:
    inner = tmp_path / ".staging"
    inner.mkdir()
    (inner / "a.csv").write_text("a")
    assert [p.name for p in find_files([inner])] == ["a.csv"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for directory in ("one", "two"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "a.csv").write_text(directory)
    with pytest.raises(InvalidInput, match=r"Two files have the name a\.csv"):
        find_files([tmp_path])


def test_what_is_missing_empty_or_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for path, words in (("missing", "no such file"), ("empty", "no file to deliver"), ("pipe", "Only regular files")):
        with pytest.raises(InvalidInput, match=words):
            find_files([tmp_path / path])


def test_hashing_gives_the_manifest_and_tells_every_byte(tmp_path: Path) -> None:
    content = os.urandom(2 * CHUNK_BYTES + 17)
    (tmp_path / "big").write_bytes(content)
    (tmp_path / "none").write_bytes(b"")
    seen: list[Progress] = []
    big, none = hash_files([tmp_path / "big", tmp_path / "none"], seen.append)
    assert big.manifest.sha256 == hashlib.sha256(content).hexdigest()
    assert (big.manifest.name, big.manifest.size_bytes) == ("big", len(content))
    assert (none.manifest.name, none.manifest.size_bytes) == ("none", 0)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1] == Progress(Stage.HASH, len(content), len(content), "big")
    assert len(seen) == 3


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        hash_files([tmp_path / "gone"], lambda progress: None)
