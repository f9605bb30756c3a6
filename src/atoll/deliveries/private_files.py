"""Files and directories that only the platform's own account may open, written to last.

Everything of quarantine is made here: directories 0700, files 0600, and a name
stands in its directory only after its content is on the disk.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from atoll.errors import AtollError, LimitExceeded, Unavailable

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
PART_SUFFIX = ".part"

_FULL = {errno.ENOSPC, errno.EDQUOT}


def make_private_directory(path: Path) -> None:
    """Make `path` and what is missing above it, 0700 each, durably; tighten `path` if it stands.

    Raises `Unavailable` when the disk is full or the place cannot be written.
    """
    try:
        missing = [p for p in (path, *path.parents) if not p.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            sync_directory(directory.parent)
        if path.stat().st_mode & 0o777 != DIRECTORY_MODE:
            path.chmod(DIRECTORY_MODE)
    except OSError as problem:
        raise storage_error(problem) from None


def sync_directory(path: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def part_of(target: Path) -> Iterator[BinaryIO]:
    """A new 0600 file that becomes `target` when the block ends well, and is gone when it does not.

    Each writer has a part of its own, so that several may write the same target at
    once: the last to finish stands. A part is locked while it is written; parts of
    `target` that nobody locks were left by a process that died, and are removed.

    Raises `Unavailable` when the disk is full or failing; what the block raises passes on.
    """
    _remove_orphans(target)
    part, file = _open_part(target)
    done = False
    try:
        with file:
            yield file
            _settle(file, part, target)
            done = True
    finally:
        if not done:
            part.unlink(missing_ok=True)


def write_all(file: BinaryIO, chunk: bytes) -> None:
    """Write every byte: an unbuffered file may take a part only. Raises `Unavailable`, `LimitExceeded`."""
    view = memoryview(chunk)
    try:
        while view:
            view = view[os.write(file.fileno(), view) :]
    except OSError as problem:
        raise storage_error(problem) from None


def storage_error(problem: OSError) -> AtollError:
    """The domain error for a failure of the disk; its text names no path and no content."""
    if problem.errno in _FULL:
        return Unavailable(
            "The disk that holds quarantine is full; nothing of the file was kept.",
            where="quarantine",
            todo="Free space or set ATOLL_QUARANTINE_DIR to a larger disk, then send the file again.",
        )
    if problem.errno == errno.EFBIG:
        return LimitExceeded(
            "The file is larger than the file system of quarantine takes; nothing of it was kept.",
            where="quarantine",
            todo="Deliver it in smaller parts.",
        )
    word = errno.errorcode.get(problem.errno or 0, "unknown")
    return Unavailable(
        f"Quarantine cannot be read or written ({word}).",
        where="quarantine",
        todo="Check the directory named by ATOLL_QUARANTINE_DIR: it must be there and belong to Atoll's account.",
    )


def _open_part(target: Path) -> tuple[Path, BinaryIO]:
    """A fresh part of `target`, locked. Tried again if it was taken for an orphan before the lock."""
    while True:
        part = target.with_name(f"{target.name}.{secrets.token_hex(8)}{PART_SUFFIX}")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        except OSError as problem:
            raise storage_error(problem) from None
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return part, os.fdopen(descriptor, "wb", buffering=0)
        os.close(descriptor)


def _settle(file: BinaryIO, part: Path, target: Path) -> None:
    """Content to the disk first, then the name, so that a name never stands for half a file."""
    try:
        os.fsync(file.fileno())
        part.replace(target)
        sync_directory(target.parent)
    except OSError as problem:
        raise storage_error(problem) from None


def _remove_orphans(target: Path) -> None:
    for part in target.parent.glob(f"{target.name}.*{PART_SUFFIX}"):
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)
        except BlockingIOError:
            continue  # somebody is writing it
        finally:
            os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Make a file, 0600, for this moment only: not brought to the disk. Raises `Unavailable`."""
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb") as file:
            file.write(content)
    except OSError as problem:
        raise storage_error(problem) from None
