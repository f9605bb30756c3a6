"""A stream sealed on its way to the disk, so that what comes back is what was written, or nothing.

The file: 8 bytes format, 16 bytes salt, then blocks of 4 bytes length, ciphertext and
tag. Each file has a key of its own by HKDF-SHA256 (RFC 5869) from the machine's and the
salt, so that block numbers serve as nonces of AES-256-GCM. Number and whether it is the
last are authenticated, as in the STREAM construction (Hoang, Reyhanitabar, Rogaway and
Vizár, 2015): no block can be changed, moved, left out or cut off.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = b"atollst1"
_SALT_BYTES = 16
BLOCK_BYTES = 2**20
_TAG_BYTES = 16


class Broken(Exception):
    """What was read is not what was sealed; the text says how."""


def derived(key: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """A key of 32 bytes for one purpose."""
    return HKDF(SHA256(), 32, salt or None, f"atoll {purpose} v1".encode()).derive(key)


def seal(source: IO[bytes], sink: IO[bytes], key: bytes, context: bytes) -> tuple[int, int]:
    """Seal all that comes; bytes read and written. Raises `OSError`."""
    salt = os.urandom(_SALT_BYTES)
    cipher = AESGCM(derived(key, "machine state", salt))
    sink.write(_FORMAT + salt)
    read, written, number = 0, len(_FORMAT) + len(salt), 0
    block = _full(source)
    while True:
        following = _full(source)
        told = _told(context, number, last=not following)
        sealed = cipher.encrypt(_nonce(number), block, told)
        sink.write(struct.pack(">I", len(sealed)) + sealed)
        read, written, number = read + len(block), written + 4 + len(sealed), number + 1
        if not following:
            return read, written
        block = following


def opened(source: IO[bytes], key: bytes, context: bytes) -> Iterator[bytes]:
    """The blocks, each checked. Raises `Broken` at the first that is not as it was sealed."""
    head = source.read(len(_FORMAT) + _SALT_BYTES)
    if len(head) != len(_FORMAT) + _SALT_BYTES or head[: len(_FORMAT)] != _FORMAT:
        raise Broken("it is not in a form that is known")
    cipher = AESGCM(derived(key, "machine state", head[len(_FORMAT) :]))
    number, length = 0, source.read(4)
    while True:
        if len(length) != 4:
            raise Broken("its end is missing")
        size = int(struct.unpack(">I", length)[0])
        if not _TAG_BYTES <= size <= BLOCK_BYTES + _TAG_BYTES:
            raise Broken("it was changed")
        sealed, length = source.read(size), source.read(4)
        try:
            yield cipher.decrypt(_nonce(number), sealed, _told(context, number, last=not length))
        except InvalidTag:
            raise Broken("it was changed or cut off") from None
        if not length:
            return
        number += 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _told(context: bytes, number: int, *, last: bool) -> bytes:
    return context + struct.pack(">Q?", number, last)


def _full(source: IO[bytes]) -> bytes:
    """A whole block, less only at the end."""
    parts, missing = [], BLOCK_BYTES
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
