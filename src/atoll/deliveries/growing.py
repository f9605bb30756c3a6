"""A file that arrives in parts: it grows at its end, outlives broken connections and restarts, and is whole once.

What has come of file `3` lies as `3.growing` beside where it will stand. Whoever adds
to it holds its lock; a part whose checksum is wrong is cut off again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from atoll.deliveries.private_files import FILE_MODE, storage_error, sync_directory, write_all
from atoll.errors import Conflict, DeliveryRefused
from atoll.model.delivery import ManifestFile

SUFFIX = ".growing"
_CHUNK_BYTES = 4 * 2**20


class WrongOffset(Conflict):
    """A part that does not begin where the file ends; `where` names the file, `end_bytes` is where it ends."""

    def __init__(self, end_bytes: int, where: str) -> None:
        super().__init__(
            f"{end_bytes} bytes are here; a part must begin there.", where=where, todo="Go on from that place."
        )
        self.end_bytes = end_bytes


def grown(target: Path) -> int:
    """How many bytes of an unfinished file are here."""
    try:
        return _growing(target).stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as problem:
        raise storage_error(problem) from None


def forget(target: Path) -> None:
    """Begin anew: what has come in parts is removed."""
    _growing(target).unlink(missing_ok=True)


def append(
    target: Path, announced: ManifestFile, offset: int, chunks: Iterable[bytes], sha256: str | None, where: str
) -> int:
    """Add a part at `offset`; the file stands at `target` once all of it is here and its SHA-256 is the announced.

    With `sha256`, of the part, a part that differs or breaks off is taken back; without it
    what came of a part that breaks off is kept, and the sender goes on from there.

    Returns how many bytes are here. Raises `WrongOffset` (also told when two send at once),
    `DeliveryRefused` (more than announced, a part or the whole differs from its checksum),
    `Unavailable` (disk), and what `chunks` raises.
    """
    with _locked(target, where) as file:
        end = os.fstat(file.fileno()).st_size
        if offset != end:
            raise WrongOffset(end, where)
        try:
            _add(file, announced, end, chunks, sha256, where)
        except BaseException:
            if sha256 is not None:
                _cut(file, offset)
            raise
        finally:
            end = _sync(file)
            # Also when the connection broke after the last byte.
            if end == announced.size_bytes:
                _settle(file, target, announced, where)
    return end


def _add(
    file: BinaryIO, announced: ManifestFile, end: int, chunks: Iterable[bytes], sha256: str | None, where: str
) -> None:
    hasher = hashlib.sha256()
    for chunk in chunks:
        if end + len(chunk) > announced.size_bytes:
            raise DeliveryRefused(
                f"More bytes came than the {announced.size_bytes} announced.",
                where=where,
                todo="If the file has changed since it was announced, open a new delivery.",
            )
        hasher.update(chunk)
        write_all(file, chunk)
        end += len(chunk)
    if sha256 is not None and hasher.hexdigest() != sha256:
        raise DeliveryRefused(
            "The SHA-256 of the part differs from the one sent with it; the part was not kept.",
            where=where,
            todo="Send the part again.",
        )


def _settle(file: BinaryIO, target: Path, announced: ManifestFile, where: str) -> None:
    """Give the whole file its name, or remove it when it is not what was announced."""
    hasher = hashlib.sha256()
    growing = _growing(target)
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        while chunk := os.read(file.fileno(), _CHUNK_BYTES):
            hasher.update(chunk)
        if hasher.hexdigest() != announced.sha256:
            growing.unlink(missing_ok=True)
            raise DeliveryRefused(
                "The SHA-256 of what came differs from the one announced; nothing of the file was kept.",
                where=where,
                todo="Send the file again; if it has changed since it was announced, open a new delivery.",
            )
        growing.replace(target)
        sync_directory(target.parent)
    except OSError as problem:
        raise storage_error(problem) from None


@contextmanager
def _locked(target: Path, where: str) -> Iterator[BinaryIO]:
    """The growing file, which nobody else adds to meanwhile."""
    try:
        descriptor = os.open(_growing(target), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    except OSError as problem:
        raise storage_error(problem) from None
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _growing(target).stat()  # else it was settled between opening and locking
        except (BlockingIOError, FileNotFoundError):
            raise Conflict(
                "Another connection sends this file at this moment.",
                where=where,
                todo="Wait until it has ended, then ask how much is here and go on.",
            ) from None
        yield file


def _cut(file: BinaryIO, size_bytes: int) -> None:
    try:
        os.ftruncate(file.fileno(), size_bytes)
    except OSError as problem:
        raise storage_error(problem) from None


def _sync(file: BinaryIO) -> int:
    """Bring it to the disk; gives its size."""
    try:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size
    except OSError as problem:
        raise storage_error(problem) from None


def _growing(target: Path) -> Path:
    return target.with_name(target.name + SUFFIX)
