"""Archives among delivered files: opened under limits, or refused whole with a reason.

An archive is known by the end of its name: `.zip`, `.tar`, `.tar.gz`, `.tgz`, `.tar.zst`,
and `.gz`, `.zst` of a single file. Members are written under numbers, so no name of theirs
leads anywhere; what would lead out, links to something, or is an archive itself is refused
all the same, since nobody delivers such a thing on purpose.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import pyarrow as pa

_CHUNK_BYTES = 2**20
#: Below this an archive may grow as it likes: small texts pack very well.
_HARMLESS_BYTES = 64 * 2**20
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_SINGLE = (".gz", ".zst")
_NAMES = (".zip", *_TARS, *_SINGLE)
_NESTED = (*_NAMES, ".7z", ".rar", ".bz2", ".xz", ".tbz2", ".txz")
_ENCRYPTED = 0x1

#: Member name and content, one after the other: a content is read before the next is asked for.
Members = Iterator[tuple[str, Iterator[bytes]]]


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may become.

    Attributes:
        files: members of one archive.
        opened_bytes: all members of one archive together.
        ratio: opened bytes for each byte of the archive, beyond the first 64 MiB.
    """

    files: int = 10_000
    opened_bytes: int = 2**40
    ratio: int = 200


class ArchiveRefused(Exception):
    """An archive that is not opened; `rule` names why in a word, the text in a sentence."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


def is_archive(name: str) -> bool:
    """Whether a file of this name is opened."""
    return name.lower().endswith(_NAMES)


def members(path: Path, name: str, limits: ArchiveLimits) -> Members:
    """What is in the archive. Raises `ArchiveRefused` at the first thing that may not be, `OSError` for the disk."""
    lower = name.lower()
    opened = _zip(path) if lower.endswith(".zip") else _tar(path, lower) if lower.endswith(_TARS) else _one(path, name)
    seen: set[str] = set()
    count = _Count(path.stat().st_size, limits)
    with _told_plainly():
        for member, content in opened:
            if len(seen) >= limits.files:
                raise ArchiveRefused("archive_limit", f"It holds more than {limits.files} files.")
            _check_name(member, seen)
            yield member, count.through(content)
    if not seen:
        raise ArchiveRefused("archive_empty", "It holds no file.")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """What the libraries raise for archives that they cannot read, as a refusal; failures of the disk pass on."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as broken:
        raise ArchiveRefused("archive_broken", "It is cut off or damaged.") from broken
    except (NotImplementedError, RuntimeError, ValueError) as unknown:
        raise ArchiveRefused("archive_broken", "It is packed in a way that cannot be opened.") from unknown
    except OSError as problem:
        # Arrow tells a damaged frame as an input error without a number.
        if problem.errno is None:
            raise ArchiveRefused("archive_broken", "It is cut off or damaged.") from problem
        raise


class _Count:
    """Bytes that came out so far, held against the limits."""

    def __init__(self, packed_bytes: int, limits: ArchiveLimits) -> None:
        self._most = min(limits.opened_bytes, max(_HARMLESS_BYTES, packed_bytes * limits.ratio))
        self._limits = limits
        self._bytes = 0

    def through(self, content: Iterator[bytes]) -> Iterator[bytes]:
        with _told_plainly():
            for chunk in content:
                self._bytes += len(chunk)
                if self._bytes > self._most:
                    raise ArchiveRefused(
                        "archive_limit",
                        f"It opens to more than {self._most} bytes, the most for an archive of its size.",
                    )
                yield chunk


def _check_name(member: str, seen: set[str]) -> None:
    """Raise for a name that leads out, stands twice, or is of an archive itself."""
    plain = member.replace("\\", "/")
    path = PurePosixPath(plain)
    if path.is_absolute() or ".." in path.parts or ":" in plain or any(ord(letter) < 32 for letter in plain):
        raise ArchiveRefused("archive_path", "A member's name leads out of the archive.")
    if str(path) in seen:
        raise ArchiveRefused("archive_path", "Two members have the same name.")
    if plain.lower().endswith(_NESTED):
        raise ArchiveRefused("archive_nested", "It holds another archive.")
    seen.add(str(path))


def _zip(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if entry.flag_bits & _ENCRYPTED:
                raise ArchiveRefused("archive_encrypted", "It is protected by a password.")
            kind = (entry.external_attr >> 16) & 0o170000
            if kind not in (0, 0o100000):
                raise ArchiveRefused("archive_link", "It holds a link or a device.")
            with archive.open(entry) as content:
                yield entry.filename, _chunks(cast(BinaryIO, content))


def _tar(path: Path, name: str) -> Members:
    with _unpacked(path, name) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is None:
                raise ArchiveRefused("archive_link", "It holds a link or a device.")
            with content:
                yield entry.name, _chunks(cast(BinaryIO, content))


def _one(path: Path, name: str) -> Members:
    with _unpacked(path, name.lower()) as stream:
        yield name.rsplit(".", 1)[0], _chunks(stream)


@contextmanager
def _unpacked(path: Path, name: str) -> Iterator[BinaryIO]:
    if name.endswith((".gz", ".tgz")):
        with gzip.open(path) as stream:
            yield cast(BinaryIO, stream)
    elif name.endswith(".zst"):
        with pa.input_stream(str(path), compression="zstd") as stream:
            yield cast(BinaryIO, stream)
    else:
        with path.open("rb") as plain:
            yield plain


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk
