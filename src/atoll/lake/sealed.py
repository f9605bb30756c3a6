"""A stream that only a key opens, in pieces of 1 MiB, written and read once from front to back.

Each piece is AES-256-GCM with its number as nonce (a key seals one stream only) and is bound
to the stream's name and to whether it is the last, so that none can be changed, moved,
dropped or cut off unseen.
"""

from __future__ import annotations

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atoll.errors import IntegrityBroken

_PIECE_BYTES = 2**20
_TAG_BYTES = 16


class SealedWriter:
    """Seals what is written. `finish` must be called, or the stream counts as cut off."""

    def __init__(self, out: BinaryIO, key: bytes, name: str) -> None:
        self._out = out
        self._cipher = AESGCM(key)
        self._name = name
        self._held = bytearray()
        self._number = 0

    def write(self, data: bytes) -> int:
        """Take bytes; how many."""
        self._held += data
        # The last piece is told by its mark, so one is always held back.
        while len(self._held) > _PIECE_BYTES:
            self._seal(bytes(self._held[:_PIECE_BYTES]), last=False)
            del self._held[:_PIECE_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last piece."""
        self._seal(bytes(self._held), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number), piece, _about(self._name, last=last)))
        self._number += 1


class SealedReader:
    """Opens what a `SealedWriter` sealed. Raises `IntegrityBroken` for a piece that is not what was written."""

    def __init__(self, source: BinaryIO, key: bytes, name: str) -> None:
        self._source = source
        self._cipher = AESGCM(key)
        self._name = name
        self._opened = bytearray()
        self._next = source.read(_PIECE_BYTES + _TAG_BYTES)
        self._number = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """So many bytes; fewer at the end only."""
        while len(self._opened) < size and not self._ended:
            self._open()
        data = bytes(self._opened[:size])
        del self._opened[:size]
        return data

    def finish(self) -> None:
        """Read to the end, so that a stream that was cut off or added to is found out."""
        while not self._ended:
            self._open()
            self._opened.clear()

    def _open(self) -> None:
        piece, self._next = self._next, self._source.read(_PIECE_BYTES + _TAG_BYTES)
        self._ended = not self._next
        try:
            self._opened += self._cipher.decrypt(_nonce(self._number), piece, _about(self._name, last=self._ended))
        except InvalidTag:
            raise IntegrityBroken(
                "The archive is not what was written: a byte was changed, or its end is missing.",
                where=self._name,
                todo="Take another copy of it.",
            ) from None
        self._number += 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _about(name: str, *, last: bool) -> bytes:
    return f"atoll sealed stream v1/{name}/{int(last)}".encode()
