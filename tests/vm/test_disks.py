"""Disks of virtual machines, read by QEMU's own tools."""

from __future__ import annotations

import os
import subprocess

import pytest

from atoll.errors import InvalidInput
from atoll.ports.backend import Mount
from atoll.providers.vm.disks import data_disks, grow_home, make_home, text_of

MIB = 2**20
KEY = b"k" * 32


def plain(disk, place, key=KEY):
    """Decrypt a home to a plain file."""
    image = f"driver=qcow2,encrypt.key-secret=key,file.filename={disk}"
    words = ["qemu-img", "convert", "--object", "secret,id=key,file=/dev/stdin", "--image-opts", image, str(place)]
    return subprocess.run([*words, "-O", "raw"], input=text_of(key), text=True, capture_output=True, check=False)


@pytest.fixture
def home(tmp_path):
    make_home(tmp_path / "home.qcow2", 64 * MIB, KEY)
    return tmp_path / "home.qcow2"


def test_a_home_is_a_whole_file_system_that_its_key_opens(home, tmp_path):
    assert plain(home, tmp_path / "plain").returncode == 0
    checked = subprocess.run(["e2fsck", "-fn", str(tmp_path / "plain")], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert (tmp_path / "plain").stat().st_size == 64 * MIB
    assert "Invalid password" in plain(home, tmp_path / "other", b"o" * 32).stderr


def test_a_home_that_is_there_stays(home):
    before = home.read_bytes()
    make_home(home, 128 * MIB, os.urandom(32))
    assert home.read_bytes() == before


def test_two_homes_of_one_key_share_no_ciphertext(home, tmp_path):
    make_home(tmp_path / "two.qcow2", 64 * MIB, KEY)
    one, two = (
        {content[at : at + 4096] for at in range(0, len(content), 4096)}
        for content in (home.read_bytes(), (tmp_path / "two.qcow2").read_bytes())
    )
    shared = {block for block in one & two if len(set(block)) > 200}
    assert shared == set()


def test_a_home_grows_and_never_shrinks(home, tmp_path):
    assert grow_home(home, 128 * MIB, KEY)
    assert not grow_home(home, 64 * MIB, KEY)
    assert plain(home, tmp_path / "plain").returncode == 0
    assert (tmp_path / "plain").stat().st_size == 128 * MIB


def test_data_is_packed_once_and_again_when_it_changed(tmp_path):
    source, place, shared = tmp_path / "source", tmp_path / "place", tmp_path / "shared"
    for made in (source, place):
        made.mkdir()
    (source / "a.parquet").write_bytes(b"one")
    (disk,) = data_disks((Mount(source, "/data/heart"),), shared, place)
    assert (disk["file"], disk["target"], disk["inside"]) == ("3.squashfs", "/data/heart", None)
    data_disks((Mount(source, "/data/heart"),), shared, place)
    assert len(list(shared.iterdir())) == 1
    (source / "a.parquet").write_bytes(b"another")
    data_disks((Mount(source, "/data/heart"),), shared, place)
    assert len(list(shared.iterdir())) == 2
    unpacked = ["unsquashfs", "-cat", str(place / "3.squashfs"), "a.parquet"]
    assert subprocess.run(unpacked, capture_output=True, check=True).stdout == b"another"


def test_data_has_its_places_only(tmp_path):
    for target in ("/etc", "/home/user/x", "/data/../etc", "relative"):
        with pytest.raises(InvalidInput):
            data_disks((Mount(tmp_path, target),), tmp_path / "shared", tmp_path)
