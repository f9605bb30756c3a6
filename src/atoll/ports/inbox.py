"""Where sources leave files to be taken in: a folder for each delivery, by source and dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

#: The file that says what a folder holds, in the form of `sha256sum`; with it the folder is complete.
MANIFEST = "SHA256SUMS"
#: What became of the folder, in words, for the source to read.
RECEIPT = "RECEIPT.txt"
#: Names with these ends are of files that are still being written.
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".uploading")


@dataclass(frozen=True, order=True)
class Drop:
    """A folder that a source fills: `<source>/<dataset>/<name>`."""

    source: str
    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}/{self.dataset}/{self.name}"


@dataclass(frozen=True)
class DroppedFile:
    """A file in a folder: its size and when it was last written."""

    size_bytes: int
    written_at: datetime


class Inbox(Protocol):
    """A tree of folders. What cannot be read raises `Unavailable`."""

    #: What the audit calls the way in: `folder`, `s3`.
    way: str

    def drops(self) -> Iterator[Drop]:
        """Every folder that holds something."""
        ...

    def files(self, drop: Drop) -> Mapping[str, DroppedFile]:
        """Regular files of a folder by name, manifest and receipt too."""
        ...

    def read(self, drop: Drop, name: str) -> Iterator[bytes]:
        """The content of a file, in pieces. Raises `NotFound` when it has gone."""
        ...

    def write(self, drop: Drop, name: str, content: bytes) -> None:
        """Put a small file there, in place of the one that stands."""
        ...

    def remove(self, drop: Drop, names: tuple[str, ...]) -> None:
        """Remove files; the folder too when nothing is left in it. What is gone already is no harm."""
        ...
