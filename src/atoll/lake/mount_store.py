"""Directories that machines see read-only: made whole by one rename, removed by one."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atoll.errors import InvalidInput, Unavailable

_KEY = re.compile(r"[a-z0-9_-]{1,80}")
_PART = ".part"
_LOCK = ".lock"


class MountStore:
    """Directories by key below one directory.

    Safe in several threads and processes of a host. Who makes or removes one holds a
    file lock that the kernel takes back when its process dies; what a dead one left
    half-made is under another name, and goes with the next making or removal.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, key: str) -> Path:
        """Where the directory of the key is, once it is made. Raises `InvalidInput` for an odd key."""
        if not _KEY.fullmatch(key):
            raise InvalidInput("A mount's key has letters, digits, - and _ only.", where="mount")
        return self._directory / key

    def make(self, key: str, fill: Callable[[Path], None]) -> bool:
        """Have `fill` make the directory's content, unless it stands; whether it was made now.

        A second maker of the same key waits for the first. When `fill` raises nothing is
        left. Raises what it raises, and `Unavailable` when the disk does not take it.
        """
        path, part = self.path(key), self.path(key).with_name(key + _PART)
        try:
            with self._locked(key, wait=True):
                if path.is_dir():
                    return False
                _clear(part)
                part.mkdir(mode=0o755)
                try:
                    fill(part)
                    _seal(part)
                    part.rename(path)
                    _sync(self._directory)
                except BaseException:
                    _clear(part)
                    raise
                return True
        except OSError as error:
            raise Unavailable(
                f"A granted dataset cannot be laid out for machines: {error.strerror}.",
                where=f"mount/{key}",
                todo="Free space on the disk of the home, then try again.",
            ) from None

    def remove(self, key: str, unless: Callable[[], bool] = lambda: False) -> bool:
        """Remove the directory and what a dead maker left of it; whether nothing is left.

        It stays when it is being made, or when `unless` says so once no maker can come
        between. A machine that sees the directory sees it become empty.
        """
        path, part = self.path(key), self.path(key).with_name(key + _PART)
        with self._locked(key, wait=False) as locked:
            if not locked or unless():
                return False
            _clear(part)
            if path.is_dir():
                # A directory that is only half removed must not pass for a whole one.
                path.rename(part)
                _clear(part)
            path.with_name(key + _LOCK).unlink(missing_ok=True)
        return True

    def list_keys(self) -> tuple[str, ...]:
        """Every key that has a directory, whole or left by a dead maker."""
        if not self._directory.is_dir():
            return ()
        entries = (entry.name for entry in self._directory.iterdir() if entry.is_dir())
        return tuple(sorted({name.removesuffix(_PART) for name in entries}))

    @contextmanager
    def _locked(self, key: str, *, wait: bool) -> Iterator[bool]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._directory / (key + _LOCK)
        while True:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                # Who removed the key took the file away, too: that lock guards nothing any more.
                if not _same(descriptor, lock):
                    continue
                yield True
                return
            except BlockingIOError:
                yield False
                return
            finally:
                os.close(descriptor)


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _seal(directory: Path) -> None:
    """Readable by whoever sees the mount, written by nobody; on the disk before it gets its name."""
    for place, _, files in os.walk(directory, topdown=False):
        for name in files:
            file = Path(place) / name
            file.chmod(0o444)
            _sync(file)
        Path(place).chmod(0o755)
        _sync(Path(place))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(directory: Path) -> None:
    if directory.is_dir():
        shutil.rmtree(directory)
