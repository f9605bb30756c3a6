"""A directory for each project, seen writable at `/project` by every machine of its members.

A share is made when it is first asked for, outlives machines, and is never removed by
the platform. What lies in it was written by machines, so nothing here follows a link:
each name is opened below the directory before it, which no machine can move out.

Who brings files in or takes them out (the airlock) uses `place` and `read` of this
class, by the name of the project and a path below its share; never the path itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from atoll.errors import AlreadyExists, InvalidInput, LimitExceeded, NotFound, Unavailable

#: Where a machine sees the share of its project.
INSIDE = "/project"

_PROJECT = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE = 0o660
_DIRECTORY_MODE = 0o2770
_MEASURE_SECONDS = 120
#: Below so much free space on the host nothing is placed.
_LEAST_FREE_BYTES = 512 * 2**20
#: acl(5) as `setfacl -d -m u::rwx,g::rwx,o::-` writes it: what is made below is its group's as well,
#: whatever the umask of who makes it. Entries are tag, permissions, id; the id of these three is none.
_ACL_NAME = "system.posix_acl_default"
_DEFAULT_ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, allowed, 0xFFFFFFFF) for tag, allowed in ((0x01, 7), (0x04, 7), (0x20, 0))
)


@dataclass(frozen=True)
class ShareEntry:
    """A file or folder of a share."""

    name: str
    folder: bool
    #: 0 for a folder.
    size_bytes: int
    changed_at: datetime


class ProjectShares:
    """The shares below one directory, each with the same quota in bytes."""

    def __init__(self, directory: Path, quota_bytes: int) -> None:
        self._directory = directory.absolute()
        self.quota_bytes = quota_bytes

    def path(self, project: str) -> Path:
        """The directory of the project's share, made when absent. For mounting it, not for opening what is in it.

        Raises `InvalidInput` for a name that is no project's, `Unavailable`.
        """
        place = self._place(project)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._ready(place)
        except OSError as error:
            raise Unavailable(
                f"The project's share cannot be made: {error.strerror}.", where=f"project/{project}"
            ) from None
        return place

    def projects(self) -> tuple[str, ...]:
        """Names of the projects that have a share, in order."""
        if not self._directory.is_dir():
            return ()
        return tuple(sorted(entry.name for entry in self._directory.iterdir() if _PROJECT.fullmatch(entry.name)))

    def used_bytes(self, project: str) -> int:
        """Bytes that the share takes on the disk; 0 when there is none. Raises `Unavailable`."""
        place = self._place(project)
        if not place.is_dir():
            return 0
        try:
            done = subprocess.run(
                ["du", "-sxB1", "--", str(place)], capture_output=True, timeout=_MEASURE_SECONDS, check=False
            )
            return int(done.stdout.split()[0])
        except (OSError, IndexError, ValueError, subprocess.TimeoutExpired):
            raise Unavailable("The size of the share cannot be measured.", where=f"project/{project}") from None

    def place(self, project: str, name: str, chunks: Iterable[bytes]) -> Path:
        """Write a file into the share, whole or not at all; directories in its name are made.

        Args:
            project: name of the project.
            name: where, below the share, such as `incoming/air_.../table.csv`.
            chunks: its content.

        Returns where machines see it, e.g. `/project/incoming/air_.../table.csv`. Raises
        `AlreadyExists` when something is there (nothing is ever replaced), `InvalidInput`
        for a name that leads elsewhere, `LimitExceeded` when share or disk are full.
        """
        parts = _parts(name)
        left = self.quota_bytes - self.used_bytes(project)
        left = min(left, shutil.disk_usage(self.path(project)).free - _LEAST_FREE_BYTES)
        with self._opened(project, parts[:-1], make=True) as directory:
            part = f".{parts[-1][:100]}.{secrets.token_hex(8)}.part"
            try:
                _write(directory, part, chunks, left, where=f"{INSIDE}/{name}")
                # A link, unlike a rename, replaces nothing.
                os.link(part, parts[-1], src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
                os.fsync(directory)
            except FileExistsError:
                raise AlreadyExists(
                    "There is a file of this name in the project's share.",
                    where=f"{INSIDE}/{name}",
                    todo="Choose another name.",
                ) from None
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(part, dir_fd=directory)
        return Path(INSIDE, *parts)

    @contextmanager
    def read(self, project: str, name: str) -> Iterator[BinaryIO]:
        """Open a regular file of the share; its size is that of the open file, which may change meanwhile.

        Raises `NotFound` when there is none, also for links, and `InvalidInput` for a name that leads elsewhere.
        """
        parts = _parts(name)
        missing = NotFound("There is no such file in the project's share.", where=f"{INSIDE}/{name}")
        with self._opened(project, parts[:-1], make=False) as directory:
            try:
                # O_NONBLOCK: a pipe of that name must not hold us up.
                opened = os.open(
                    parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
                )
            except OSError:
                raise missing from None
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise missing
        with os.fdopen(opened, "rb") as file:
            yield file

    def entries(self, project: str, folder: str = "") -> tuple[ShareEntry, ...]:
        """What lies in a folder of the share, folders first; nothing while there is no share.

        Links, sockets and the like are left out, and names that are no UTF-8. Raises `NotFound`,
        `InvalidInput` for a name that leads elsewhere.
        """
        parts = _parts(folder) if folder else ()
        if not parts and not self._place(project).is_dir():
            return ()
        with self._opened(project, parts, make=False) as directory:
            found = [entry for name in os.listdir(directory) if (entry := _entry(name, directory))]  # noqa: PTH208 - of a descriptor
        return tuple(sorted(found, key=lambda entry: (not entry.folder, entry.name)))

    @contextmanager
    def _opened(self, project: str, parts: tuple[str, ...], *, make: bool) -> Iterator[int]:
        """The directory of these names below the share, opened one after the other."""
        place = self.path(project) if make else self._place(project)
        where = "/".join((INSIDE, *parts))
        held: list[int] = []
        try:
            held.append(os.open(place, _DIRECTORY))
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o770, dir_fd=held[-1])
                        _open_to_group(part, held[-1])
                held.append(os.open(part, _DIRECTORY, dir_fd=held[-1]))
        except OSError:
            for descriptor in held:
                os.close(descriptor)
            raise NotFound("There is no such directory in the project's share.", where=where) from None
        try:
            yield held[-1]
        finally:
            for descriptor in held:
                os.close(descriptor)

    def _place(self, project: str) -> Path:
        if not _PROJECT.fullmatch(project):
            raise InvalidInput("This is no name of a project.", where=project[:80])
        return self._directory / project

    def _ready(self, place: Path) -> None:
        """Each time anew, so that what died half way is finished."""
        place.mkdir(mode=0o770, exist_ok=True)
        if stat.S_IMODE(place.stat(follow_symlinks=False).st_mode) != _DIRECTORY_MODE:
            place.chmod(_DIRECTORY_MODE)
        # Where the file system has no such lists, the group's right is what a writer's umask leaves.
        with contextlib.suppress(OSError):
            if _ACL_NAME not in os.listxattr(place):
                os.setxattr(place, _ACL_NAME, _DEFAULT_ACL)


def _entry(name: str, directory: int) -> ShareEntry | None:
    try:
        name.encode()
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except (OSError, UnicodeEncodeError):
        return None
    folder = stat.S_ISDIR(found.st_mode)
    if not (folder or stat.S_ISREG(found.st_mode)):
        return None
    changed = datetime.fromtimestamp(found.st_mtime, UTC)
    return ShareEntry(name=name, folder=folder, size_bytes=0 if folder else found.st_size, changed_at=changed)


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(name.split("/"))
    if not all(parts) or any(part in {".", ".."} or "\0" in part or len(part.encode()) > 200 for part in parts):
        raise InvalidInput(
            "This is no name below the project's share.", where=name[:200], todo="Write it like `folder/file.csv`."
        )
    return parts


def _write(directory: int, name: str, chunks: Iterable[bytes], most_bytes: int, *, where: str) -> None:
    descriptor = os.open(
        name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE, dir_fd=directory
    )
    written = 0
    try:
        os.fchmod(descriptor, _FILE_MODE)
        for chunk in chunks:
            written += len(chunk)
            if written > most_bytes:
                raise LimitExceeded(
                    "The project's share is full.", where=where, todo="Remove files from it, or ask for a larger quota."
                )
            _write_all(descriptor, chunk, where)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, chunk: bytes, where: str) -> None:
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            raise Unavailable(f"The file cannot be placed: {error.strerror}.", where=where, todo="Try again.") from None


def _open_to_group(name: str, directory: int) -> None:
    descriptor = os.open(name, _DIRECTORY, dir_fd=directory)
    try:
        os.fchmod(descriptor, _DIRECTORY_MODE)
    finally:
        os.close(descriptor)
