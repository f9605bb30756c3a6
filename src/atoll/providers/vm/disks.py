"""Disks of virtual machines: homes of their own, and data that many share."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from atoll.errors import InvalidInput, LimitExceeded, Unavailable
from atoll.ports.backend import Mount
from atoll.providers.sandbox.command import checked_source, checked_target
from atoll.providers.vm.arguments import FIRST_DATA_DISK, LAST_DATA_DISK
from atoll.providers.vm.luks import make_encrypted_disk

#: A disk of data that no machine has any more is kept so long for the next.
_KEEP_SECONDS = 3600.0
_SECONDS = 1800


def make_home(place: Path, size_bytes: int, key: bytes) -> None:
    """An empty ext4 home in a disk that only the key opens; nothing is done when there is one.

    The disk is as large as the quota, and takes the room on the host that is used.
    Raises `Unavailable`.
    """
    if place.exists():
        return
    size = _rounded(size_bytes)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".home-") as scratch:
        plain, draft = Path(scratch, "plain"), Path(scratch, "home.qcow2")
        with plain.open("wb") as file:
            file.truncate(size)
        options = "lazy_itable_init=0,lazy_journal_init=0,root_owner=1000:1000"
        _run(["mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E", options, str(plain)])
        make_encrypted_disk(draft, size, text_of(key))
        # The key goes by a pipe: no file and no list of processes shows it.
        target = f"driver=qcow2,encrypt.key-secret=key,file.filename={draft}"
        words = ["qemu-img", "convert", "-n", "--object", _SECRET, "-f", "raw", str(plain)]
        _run([*words, "--target-image-opts", target], key)
        draft.rename(place)


def _rounded(size_bytes: int) -> int:
    return max(size_bytes, 2**25) >> 16 << 16


def grow_home(place: Path, size_bytes: int, key: bytes) -> bool:
    """Have the disk of a machine that does not run be so large; whether it was smaller. Raises `Unavailable`."""
    size = _rounded(size_bytes)
    told = json.loads(_run(["qemu-img", "info", "--output=json", "-U", str(place)]))
    if int(told["virtual-size"]) >= size:
        return False
    image = f"driver=qcow2,encrypt.key-secret=key,file.filename={place}"
    _run(["qemu-img", "resize", "-q", "--object", _SECRET, "--image-opts", image, str(size)], key)
    return True


def text_of(key: bytes) -> str:
    """A key as QEMU takes it as a passphrase."""
    return base64.b64encode(key).decode()


_SECRET = "secret,id=key,file=/dev/stdin"  # noqa: S105 - where the key comes from


def data_disks(
    mounts: tuple[Mount, ...], shared: Path, place: Path, taken: tuple[int, ...] = ()
) -> list[dict[str, Any]]:
    """Make a read-only disk of each mount, or take the one that others have, and link it below `place`.

    What is writable is shown as it is now. Raises `InvalidInput`, `LimitExceeded`, `Unavailable`.
    """
    disks = []
    numbers = (number for number in range(FIRST_DATA_DISK, LAST_DATA_DISK + 1) if number not in taken)
    for mount in mounts:
        source, target = checked_source(mount), checked_target(mount)
        number = next(numbers, None)
        if number is None:
            raise InvalidInput("So many things cannot be mounted in one machine.", where=target)
        disk = _disk_of(source, shared)
        link = place / f"{number}.squashfs"
        link.unlink(missing_ok=True)
        os.link(disk, link)
        inside = source.name if source.is_file() else None
        disks.append({"scsi_id": number, "file": link.name, "target": target, "inside": inside})
    return disks


def _disk_of(source: Path, shared: Path) -> Path:
    shared.mkdir(mode=0o755, parents=True, exist_ok=True)
    disk = shared / f"{_fingerprint(source)}.squashfs"
    if disk.exists():
        os.utime(disk)
        return disk
    _clean(shared)
    descriptor, draft = tempfile.mkstemp(dir=shared, prefix=".making-")
    os.close(descriptor)
    try:
        # Parquet is compressed already, and an emulated processor unpacks slowly.
        words = ["mksquashfs", str(source), draft, "-noappend", "-all-root", "-quiet", "-no-progress"]
        # The disk is the machine's alone, so that whoever is inside reads all of it, as is granted.
        _run([*words, "-noI", "-noD", "-noF", "-noX", "-action", "chmod(a+rX)@true"])
        Path(draft).chmod(0o644)
        Path(draft).rename(disk)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return disk


def _fingerprint(source: Path) -> str:
    """Of what is there: names, sizes, kinds and times of change."""
    told = hashlib.sha256(os.fsencode(source))
    for directory, names, files in os.walk(source):
        names.sort()
        for name in sorted([*files, *names]):
            path = os.path.join(directory, name)  # noqa: PTH118 - many of them
            seen = os.lstat(path)
            told.update(
                f"{path}\0{seen.st_mode}\0{seen.st_size}\0{seen.st_mtime_ns}\0".encode(errors="surrogateescape")
            )
    if source.is_file():
        seen = source.stat()
        told.update(f"{seen.st_size}\0{seen.st_mtime_ns}".encode())
    return told.hexdigest()[:32]


def _clean(shared: Path) -> None:
    """Disks that no machine has any more go."""
    for disk in shared.iterdir():
        seen = disk.stat()
        if seen.st_nlink == 1 and seen.st_mtime < time.time() - _KEEP_SECONDS:
            disk.unlink(missing_ok=True)


def _run(command: list[str], key: bytes | None = None) -> str:
    given = None if key is None else text_of(key)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS,
            input=given or "",
        )  # fmt: skip
    except FileNotFoundError:
        raise Unavailable(
            f"{command[0]} is missing on this host.", todo="Install the packages that `atoll doctor` names."
        ) from None
    except subprocess.TimeoutExpired:
        raise Unavailable("A disk of a machine is not made in time.", where=command[0]) from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        if "No space left" in done.stderr or "o space left" in last:
            raise LimitExceeded("The host's disk is full.", where=command[0], todo="Free space, then try again.")
        raise Unavailable(f"A disk of a machine cannot be made: {last[:200]}", where=command[0])
    return done.stdout
