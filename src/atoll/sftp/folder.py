"""What one source may do below its folder: put deliveries there, rename and remove them, read receipts."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

import asyncssh

from atoll.ports.inbox import RECEIPT

#: Free space that is left to the platform.
_RESERVE_BYTES = 256 * 2**20
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
#: `/<dataset>/<delivery>/<file>`.
_DATASET, _DELIVERY, _FILE = 1, 2, 3


class SourceFolder(asyncssh.SFTPServer):
    """SFTP operations of one session, confined.

    Files are written and never read back, but for the receipt; there are no links,
    no other owners and no other permissions. asyncssh maps every path below the chroot.
    """

    def __init__(
        self,
        channel: asyncssh.SSHServerChannel[bytes],
        root: Path,
        source_bytes: int,
        *,
        still: Callable[[], bool],
        arrived: Callable[[], None],
    ) -> None:
        super().__init__(channel, chroot=os.fsencode(root))
        self._root = root
        self._source_bytes = source_bytes
        self._still = still
        self._arrived = arrived

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """A file of a delivery to write, or a receipt to read."""
        steps = self._steps(path)
        writes = pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC)
        if not writes:
            if len(steps) != _FILE or steps[-1] != RECEIPT:
                raise asyncssh.SFTPPermissionDenied("Delivered files are not read back; RECEIPT.txt is.")
            return super().open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())
        if len(steps) != _FILE or steps[-1] == RECEIPT:
            raise asyncssh.SFTPPermissionDenied("Files go to /<dataset>/<name of the delivery>/<file>.")
        self._check_writing()
        flags = _WRITES | (os.O_APPEND if pflags & asyncssh.FXF_APPEND else 0)
        flags |= os.O_TRUNC if pflags & asyncssh.FXF_TRUNC else 0
        flags |= os.O_EXCL if pflags & asyncssh.FXF_EXCL else 0
        target = self._place(steps)
        if not pflags & asyncssh.FXF_CREAT:
            flags &= ~os.O_CREAT
        descriptor = os.open(target, flags, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise asyncssh.SFTPPermissionDenied("It is no regular file.")
        return os.fdopen(descriptor, "wb", buffering=0)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write, unless the source's share of the disk or the disk itself is full."""
        assert isinstance(file_obj, FileIO)
        if offset + len(data) > self._source_bytes:
            raise asyncssh.SFTPQuotaExceeded("Your folder holds no more than this server takes.")
        end = 0
        view = memoryview(data)
        while end < len(view):
            end += os.pwrite(file_obj.fileno(), view[end:], offset + end)
        return end

    def close(self, file_obj: object) -> None:
        """Bring it to the disk, and have the inbox looked at."""
        assert isinstance(file_obj, FileIO)
        with file_obj:
            if file_obj.writable():
                os.fsync(file_obj.fileno())
        self._arrived()

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """A folder for a delivery."""
        steps = self._steps(path)
        if len(steps) != _DELIVERY:
            raise asyncssh.SFTPPermissionDenied("Folders go to /<dataset>/<name of the delivery>.")
        self._check_writing()
        self._place(steps).mkdir(mode=0o700)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """A file within deliveries, or the folder of a delivery; nothing is replaced."""
        self._rename(oldpath, newpath, replace=False)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """As `rename`, in place of a file that stands."""
        self._rename(oldpath, newpath, replace=True)

    def remove(self, path: bytes) -> None:
        """A file of a delivery."""
        steps = self._steps(path)
        if len(steps) != _FILE:
            raise asyncssh.SFTPPermissionDenied("Only files of deliveries can be removed.")
        self._place(steps).unlink()

    def rmdir(self, path: bytes) -> None:
        """An empty folder of a delivery."""
        steps = self._steps(path)
        if len(steps) != _DELIVERY:
            raise asyncssh.SFTPPermissionDenied("Only folders of deliveries can be removed.")
        self._place(steps).rmdir()

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Owners, permissions and times stay as they are: clients set them out of habit."""

    lsetstat = setstat

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """A size may be set on a file that is being written, nothing else."""
        assert isinstance(file_obj, FileIO)
        if attrs.size is not None:
            os.ftruncate(file_obj.fileno(), min(attrs.size, self._source_bytes))

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused."""
        raise asyncssh.SFTPPermissionDenied("There are no links here.")

    link = symlink

    def readlink(self, path: bytes) -> bytes:
        """Refused."""
        raise asyncssh.SFTPPermissionDenied("There are no links here.")

    def _rename(self, oldpath: bytes, newpath: bytes, *, replace: bool) -> None:
        old, new = self._steps(oldpath), self._steps(newpath)
        if len(old) != len(new) or len(old) not in (_DELIVERY, _FILE) or RECEIPT in (old[-1], new[-1]):
            raise asyncssh.SFTPPermissionDenied("Files and folders of deliveries keep to their level.")
        self._check_writing()
        source, target = self._place(old), self._place(new)
        if (not replace or len(new) == _DELIVERY) and os.path.lexists(target):
            raise asyncssh.SFTPFileAlreadyExists("There is something of that name.")
        source.rename(target)
        self._arrived()

    def _check_writing(self) -> None:
        """Whether the source may still deliver, and has room."""
        if not self._still():
            raise asyncssh.SFTPPermissionDenied("This key is no longer let in.")
        if shutil.disk_usage(self._root).free < _RESERVE_BYTES:
            raise asyncssh.SFTPNoSpaceOnFilesystem("The server's disk is full; nothing more is taken for now.")
        if _size_below(self._root) >= self._source_bytes:
            raise asyncssh.SFTPQuotaExceeded("Your folder is full: complete or remove what lies there.")

    def _steps(self, path: bytes) -> tuple[str, ...]:
        """The path below the source's folder, without `.` and `..`; no step of it leads over a link."""
        inner = os.path.relpath(os.fsdecode(self.map_path(path)), self._root)
        steps = () if inner == "." else tuple(inner.split("/"))
        if ".." in steps or any(any(ord(letter) < 32 for letter in step) for step in steps):
            raise asyncssh.SFTPPermissionDenied("This name cannot be used.")
        return steps

    def _place(self, steps: tuple[str, ...]) -> Path:
        place = self._root
        for step in steps[:-1]:
            place /= step
            if place.is_symlink():
                raise asyncssh.SFTPPermissionDenied("There are no links here.")
        return place / steps[-1]


def _size_below(directory: Path) -> int:
    """Bytes of files below; what goes meanwhile counts nothing."""
    total = 0
    for file in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += file.lstat().st_size
    return total
