"""Where the airlock's files lie: each once, encrypted, never changed.

A file has a random name and a key of its own, sealed by the master key; nothing on the
disk tells its name or content. It is written in pieces of 1 MiB, each AES-256-GCM with
the piece's number as nonce (a key encrypts one file only) and bound to the file's name
and to whether it is the last, so that no piece can be moved, dropped or cut off unseen.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atoll.errors import IntegrityBroken, LimitExceeded, Unavailable
from atoll.model.airlock import AirlockFile
from atoll.ports.keys import MasterKey

PIECE_BYTES = 2**20
_TAG_BYTES = 16
_NAME = re.compile(r"^[0-9a-f]{32}$")
#: A file that no record names may belong to one that is written at this moment.
_YOUNG_SECONDS = 86_400.0


@dataclass(frozen=True)
class Stored:
    """A file that was taken in."""

    blob: str
    size_bytes: int
    sha256: str
    sealed_key: str


class Vault:
    """Keeps the files below one directory (0700, files 0600). Safe from several threads and processes."""

    def __init__(self, directory: Path, master: MasterKey, max_bytes: int) -> None:
        self._directory = directory
        self._master = master
        self.max_bytes = max_bytes

    def receive(self, chunks: Iterable[bytes]) -> Stored:
        """Take a file in, whole or not at all; it is on the disk when this returns.

        Raises `LimitExceeded` beyond `max_bytes`, `Unavailable` when the disk does not
        take it, and what `chunks` raises.
        """
        blob, key = secrets.token_hex(16), AESGCM.generate_key(bit_length=256)
        path = self._path(blob)
        done = False
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                size_bytes, sha256 = _seal(file, self._limited(chunks), AESGCM(key), blob)
                file.flush()
                os.fsync(file.fileno())
            self._sync()
            done = True
        except OSError as problem:
            raise Unavailable(
                f"The airlock cannot keep the file ({problem.strerror}).", where="airlock", todo="Try again later."
            ) from None
        finally:
            if not done:
                path.unlink(missing_ok=True)
        sealed = self._master.seal(key, context=_context(blob))
        return Stored(blob, size_bytes, sha256, base64.b64encode(sealed).decode())

    def read(self, file: AirlockFile) -> Iterator[bytes]:
        """The content, piece by piece. Raises `IntegrityBroken` at once for a piece that is not what was written."""
        key = AESGCM(self._master.open(base64.b64decode(file.sealed_key), context=_context(file.blob)))
        try:
            with self._path(file.blob).open("rb") as stored:
                yield from _open(stored, key, file.blob)
        except OSError as problem:
            raise Unavailable(
                f"A file of the airlock cannot be read ({problem.strerror}).", where="airlock", todo="Try again later."
            ) from None

    def whole(self, file: AirlockFile) -> bytes:
        """The content, held against its SHA-256. Raises `IntegrityBroken`."""
        content = b"".join(self.read(file))
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise _broken()
        return content

    def remove(self, blob: str) -> None:
        """Remove a file for good. Idempotent."""
        self._path(blob).unlink(missing_ok=True)

    def sweep(self, known: Collection[str]) -> int:
        """Remove what no record names and is a day old, left by a process that died; how many."""
        count = 0
        for path in self._directory.glob("*"):
            if path.name not in known and time.time() - path.stat().st_mtime > _YOUNG_SECONDS:
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _path(self, blob: str) -> Path:
        if not _NAME.fullmatch(blob):
            raise _broken()
        return self._directory / blob

    def _limited(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        size_bytes = 0
        for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > self.max_bytes:
                raise LimitExceeded(
                    f"A file in the airlock has at most {self.max_bytes} bytes.",
                    where="airlock",
                    todo="Split it, or send less: results are small.",
                )
            yield chunk

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _seal(file: BinaryIO, chunks: Iterable[bytes], key: AESGCM, blob: str) -> tuple[int, str]:
    hasher = hashlib.sha256()
    size_bytes = number = 0
    held = bytearray()
    for chunk in chunks:
        hasher.update(chunk)
        size_bytes += len(chunk)
        held += chunk
        # The last piece is told by its mark, so one is always held back.
        while len(held) > PIECE_BYTES:
            file.write(key.encrypt(_nonce(number), bytes(held[:PIECE_BYTES]), _about(blob, last=False)))
            del held[:PIECE_BYTES]
            number += 1
    file.write(key.encrypt(_nonce(number), bytes(held), _about(blob, last=True)))
    return size_bytes, hasher.hexdigest()


def _open(stored: BinaryIO, key: AESGCM, blob: str) -> Iterator[bytes]:
    piece = stored.read(PIECE_BYTES + _TAG_BYTES)
    number = 0
    while True:
        following = stored.read(PIECE_BYTES + _TAG_BYTES)
        try:
            yield key.decrypt(_nonce(number), piece, _about(blob, last=not following))
        except InvalidTag:
            raise _broken() from None
        if not following:
            return
        piece = following
        number += 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _about(blob: str, *, last: bool) -> bytes:
    return f"atoll airlock file v1/{blob}/{int(last)}".encode()


def _context(blob: str) -> str:
    return f"airlock-file/{blob}"


def _broken() -> IntegrityBroken:
    return IntegrityBroken(
        "A file of the airlock is not what was put in.",
        where="airlock",
        todo="Have the disk and the access to it examined; put the file in anew.",
    )
