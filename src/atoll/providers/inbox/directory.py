"""An inbox in a directory of this host, which others write into: SFTP, a mount, a copying job.

Links are never followed, and nothing but regular files is seen.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from atoll.errors import NotFound, Unavailable
from atoll.ports.inbox import Drop, DroppedFile

_CHUNK_BYTES = 4 * 2**20
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DirectoryInbox:
    """`<root>/<source>/<dataset>/<drop>/<file>`."""

    def __init__(self, root: Path, way: str = "folder") -> None:
        self.root = root
        self.way = way

    def drops(self) -> Iterator[Drop]:
        """Every folder on the third level, in order of name."""
        for source in _folders(self.root):
            for dataset in _folders(source):
                for drop in _folders(dataset):
                    yield Drop(source.name, dataset.name, drop.name)

    def files(self, drop: Drop) -> Mapping[str, DroppedFile]:
        """Regular files by name. When one was written is told by ctime, which no copying program sets back."""
        found: dict[str, DroppedFile] = {}
        with _opened(self.root, drop) as folder, os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    seen = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(seen.st_mode):
                        found[entry.name] = DroppedFile(seen.st_size, datetime.fromtimestamp(seen.st_ctime, UTC))
        return found

    def read(self, drop: Drop, name: str) -> Iterator[bytes]:
        """The content, in pieces."""
        with _opened(self.root, drop) as folder:
            # Not to wait for the other end of a pipe that was put there.
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise NotFound("It is no regular file.", where=str(drop))
                while chunk := os.read(file, _CHUNK_BYTES):
                    yield chunk
            finally:
                os.close(file)

    def write(self, drop: Drop, name: str, content: bytes) -> None:
        """In one step: a reader sees the old or the new."""
        part = f".{name}.{secrets.token_hex(6)}.part"
        with _opened(self.root, drop) as folder:
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=folder)
            with os.fdopen(file, "wb") as out:
                out.write(content)
            os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, drop: Drop, names: tuple[str, ...]) -> None:
        """The files, then the folder if it is empty."""
        with _opened(self.root, drop) as folder:
            for name in names:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
        with suppress(OSError):
            (self.root / drop.source / drop.dataset / drop.name).rmdir()


def _folders(directory: Path) -> Iterator[Path]:
    """Directories below, links left out, hidden ones too."""
    try:
        with os.scandir(directory) as entries:
            names = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as problem:
        raise _away(problem) from None
    yield from (directory / name for name in names)


@contextmanager
def _opened(root: Path, drop: Drop) -> Iterator[int]:
    """The folder, step by step from the root, so that no link leads elsewhere on the way."""
    try:
        held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in (drop.source, drop.dataset, drop.name):
                inner = os.open(step, _FOLDER, dir_fd=held)
                os.close(held)
                held = inner
            yield held
        finally:
            os.close(held)
    except OSError as problem:
        raise _away(problem, str(drop)) from None


def _away(problem: OSError, where: str = "inbox") -> NotFound | Unavailable:
    if problem.errno in _GONE:
        return NotFound("It has gone from the inbox.", where=where, todo="Send it again.")
    word = errno.errorcode.get(problem.errno or 0, "unknown")
    return Unavailable(
        f"The inbox cannot be read or written ({word}).",
        where=where,
        todo="Check the directories of the inbox: Atoll's account must be able to read, write and remove there.",
    )
