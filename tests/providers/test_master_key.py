from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from atoll.errors import IntegrityBroken, InvalidInput
from atoll.providers.master_key import FileMasterKey, HexMasterKey


def test_what_is_sealed_opens_with_the_same_key_and_context() -> None:
    hex = secrets.token_hex(32)
    sealed = HexMasterKey(hex).seal(b"domain key", context="domain_key/patients")
    assert b"domain key" not in sealed
    assert HexMasterKey(hex.upper()).open(sealed, context="domain_key/patients") == b"domain key"


def test_sealing_twice_gives_different_bytes() -> None:
    key = HexMasterKey(secrets.token_hex(32))
    assert key.seal(b"x", context="c") != key.seal(b"x", context="c")


def test_another_key_does_not_open_and_both_ids_are_told() -> None:
    one, other = HexMasterKey("11" * 32), HexMasterKey("22" * 32)
    with pytest.raises(IntegrityBroken) as broken:
        other.open(one.seal(b"x", context="c"), context="c")
    assert one.key_id in str(broken.value) and other.key_id in str(broken.value)


def test_another_context_does_not_open() -> None:
    key = HexMasterKey("11" * 32)
    with pytest.raises(IntegrityBroken):
        key.open(key.seal(b"x", context="domain_key/a"), context="domain_key/b")


def test_any_changed_or_missing_byte_does_not_open() -> None:
    key = HexMasterKey("11" * 32)
    sealed = key.seal(b"secret", context="c")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(IntegrityBroken):
            key.open(changed, context="c")
        with pytest.raises(IntegrityBroken):
            key.open(sealed[:at], context="c")


def test_key_id_is_stable_and_does_not_show_the_key() -> None:
    # Written down: a changed id would orphan every sealed secret.
    assert HexMasterKey("00" * 32).key_id == "41b3a8a8744081d7"
    assert "11111111" not in repr(vars(HexMasterKey("11" * 32)))


@pytest.mark.parametrize("hex", ["", "11" * 31, "11" * 33, "zz" * 32, "11" * 32 + "\n"])
def test_what_is_not_a_key_is_refused_without_showing_it(hex: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        HexMasterKey(hex)
    assert not hex or hex not in str(refused.value)


def test_an_absent_file_is_made_private_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    sealed = FileMasterKey(path).seal(b"x", context="c")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert FileMasterKey(path).open(sealed, context="c") == b"x"
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o700])
def test_a_file_wider_than_0600_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    FileMasterKey(path)
    path.chmod(mode)
    with pytest.raises(InvalidInput, match="chmod 600"):
        FileMasterKey(path)


def test_a_damaged_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("half a k")
    path.chmod(0o600)
    with pytest.raises(IntegrityBroken):
        FileMasterKey(path)
    assert path.read_text() == "half a k"


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    program = "import sys, pathlib; from atoll.providers.master_key import FileMasterKey; "
    program += "print(FileMasterKey(pathlib.Path(sys.argv[1])).key_id)"
    command = [sys.executable, "-c", program, str(tmp_path / "master.key")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    ids = {process.communicate(timeout=60)[0].strip() for process in started}
    assert ids == {FileMasterKey(tmp_path / "master.key").key_id}
