"""Files on this machine that are about to be delivered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.client.progress import OnProgress, Progress, Stage
from atoll.errors import InvalidInput
from atoll.model.delivery import ManifestFile

CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class LocalFile:
    """A file and how a manifest announces it."""

    path: Path
    manifest: ManifestFile


def find_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files that `paths` name, those below directories included, by name.

    Hidden files below directories are passed over. Raises `InvalidInput` when a path is
    missing, is no regular file, or two files have the same name (a delivery has no directories).
    """
    found: dict[str, Path] = {}
    for path in paths:
        for file in _below(path):
            other = found.setdefault(file.name, file)
            if other != file and not other.samefile(file):
                raise InvalidInput(
                    f"Two files have the name {file.name}.",
                    where=f"{other} and {file}",
                    todo="Deliver them apart, or rename one; a delivery has no directories.",
                )
    if not found:
        raise InvalidInput(
            "There is no file to deliver.", where=", ".join(map(str, paths)), todo="Name files or directories."
        )
    return tuple(found[name] for name in sorted(found))


def hash_files(paths: Sequence[Path], on_progress: OnProgress) -> tuple[LocalFile, ...]:
    """Read every file once, for its size and SHA-256. Raises `InvalidInput` when one cannot be read."""
    total_bytes = sum(_size_bytes(path) for path in paths)
    done_bytes = 0
    hashed: list[LocalFile] = []
    for path in paths:
        hasher = hashlib.sha256()
        size_bytes = 0
        for chunk in read_chunks(path):
            hasher.update(chunk)
            size_bytes += len(chunk)
            done_bytes += len(chunk)
            on_progress(Progress(Stage.HASH, done_bytes, max(total_bytes, done_bytes), path.name))
        manifest = ManifestFile(name=path.name, size_bytes=size_bytes, sha256=hasher.hexdigest())
        hashed.append(LocalFile(path, manifest))
    return tuple(hashed)


def read_chunks(path: Path) -> Iterator[bytes]:
    """The content in pieces. Raises `InvalidInput` when it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as problem:
        raise _unreadable(path, problem) from None


def read_part(path: Path, offset: int, size_bytes: int) -> bytes:
    """`size_bytes` of the content from `offset`, fewer at its end. Raises `InvalidInput` when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size_bytes)
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            if inner.is_file() and not hidden:
                yield inner
    elif path.is_file():
        yield path
    elif path.exists():
        raise InvalidInput("Only regular files can be delivered.", where=str(path))
    else:
        raise InvalidInput("There is no such file.", where=str(path), todo="Check the path.")


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _unreadable(path: Path, problem: OSError) -> InvalidInput:
    return InvalidInput(f"The file cannot be read: {problem.strerror}.", where=str(path), todo="Check its permissions.")
