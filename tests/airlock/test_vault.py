from __future__ import annotations

import os
import stat
import time

import pytest
from tests.airlock.conftest import digest, kept

from atoll.airlock import Vault, safe_name
from atoll.airlock.vault import PIECE_BYTES
from atoll.errors import IntegrityBroken, InvalidInput, LimitExceeded
from atoll.providers.master_key import HexMasterKey


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "airlock", HexMasterKey("ab" * 32), 4 * PIECE_BYTES)


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_goes_in_comes_out_and_lies_encrypted(vault, tmp_path, size):
    content = os.urandom(size // 2) + b"x" * (size - size // 2)
    stored = vault.receive([content[:100], content[100:]])
    file = kept(stored)
    assert (stored.size_bytes, stored.sha256) == (size, digest(content))
    assert vault.whole(file) == content
    (path,) = (tmp_path / "airlock").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert b"xxxxxxxx" not in path.read_bytes()
    assert stored.sealed_key not in repr(file)


@pytest.mark.parametrize("harm", ["flip", "cut", "append", "swap", "last"])
def test_any_change_of_the_stored_bytes_is_seen(vault, tmp_path, harm):
    file = kept(vault.receive([os.urandom(2 * PIECE_BYTES + 10)]))
    path = tmp_path / "airlock" / file.blob
    raw = bytearray(path.read_bytes())
    piece = PIECE_BYTES + 16
    if harm == "flip":
        raw[5] ^= 1
    elif harm == "cut":
        del raw[2 * piece :]
    elif harm == "append":
        raw += b"x"
    elif harm == "swap":
        raw[:piece], raw[piece : 2 * piece] = raw[piece : 2 * piece], raw[:piece]
    else:
        raw = bytearray()
    path.write_bytes(raw)
    with pytest.raises(IntegrityBroken):
        vault.whole(file)


def test_one_files_bytes_do_not_pass_for_anothers(vault, tmp_path):
    one, two = kept(vault.receive([b"one"])), kept(vault.receive([b"two"]))
    (tmp_path / "airlock" / one.blob).write_bytes((tmp_path / "airlock" / two.blob).read_bytes())
    with pytest.raises(IntegrityBroken):
        vault.whole(one)
    with pytest.raises(IntegrityBroken):
        vault.whole(two.but(sha256=one.sha256))


def test_too_much_or_half_a_file_leaves_nothing(vault, tmp_path):
    with pytest.raises(LimitExceeded):
        vault.receive([bytes(PIECE_BYTES)] * 5)

    def broken():
        yield b"some"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        vault.receive(broken())
    assert list((tmp_path / "airlock").iterdir()) == []


def test_what_no_record_names_is_swept_after_a_day(vault, tmp_path):
    kept_, old, young = (vault.receive([b"x"]) for _ in range(3))
    for one in (kept_, old):
        os.utime(tmp_path / "airlock" / one.blob, (time.time() - 90_000,) * 2)
    assert vault.sweep({kept_.blob}) == 1
    assert {p.name for p in (tmp_path / "airlock").iterdir()} == {kept_.blob, young.blob}


@pytest.mark.parametrize("name", ["table 1.csv", "résultat (2).csv", "a_b-c.tar.gz", "x", "表.csv"])
def test_plain_names_are_taken(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".hidden",
        "../a",
        "a/b",
        "a\\b",
        "a\nb",
        "a\x00",
        "-rf",
        " a",
        "a ",
        "a.",
        "con.csv",
        "a" * 200,
        "invoice\u202egpj.exe",
        "a\u200bb",
        "<img>",
        'a"b',
        "a;b",
        "a|b",
        "$(x)",
    ],
)
def test_other_names_are_not_and_are_not_repeated(name):
    with pytest.raises(InvalidInput) as caught:
        safe_name(name)
    assert len(name) < 3 or name not in str(caught.value)
