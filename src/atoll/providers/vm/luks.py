"""An empty encrypted disk: a qcow2 file with a LUKS header (their specifications: qcow2 version 3, LUKS 1.2.3).

QEMU's own tool measures for seconds how slow it can make the way from a passphrase to the
key, and fails on a host that is busy. Here the passphrase is a random key of 256 bits, to
which a slow way adds nothing, so the two headers are written as they are specified.
QEMU reads, checks and uses them like any.
"""

from __future__ import annotations

import hashlib
import os
import struct
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import XTS

_ITERATIONS = 1000
_SECTOR, _CLUSTER = 512, 65_536
_KEY_BYTES, _STRIPES, _SLOTS = 64, 4000, 8
_ACTIVE, _INACTIVE = 0x00AC71F3, 0x0000DEAD
#: Sectors of the header, and of each slot's key material, both to whole blocks of 4 KiB.
_HEAD_SECTORS, _SLOT_SECTORS = 8, 504
_LUKS_BYTES = (_HEAD_SECTORS + _SLOTS * _SLOT_SECTORS) * _SECTOR


def make_encrypted_disk(place: Path, size_bytes: int, passphrase: str) -> None:
    """An empty disk of that size (up to 4 TiB) that the passphrase opens."""
    luks = (_LUKS_BYTES + _CLUSTER - 1) // _CLUSTER
    # Clusters: header, table and block of reference counts, encryption header, first table of the map.
    first_luks, table = 3, 3 + luks
    header = struct.pack(
        ">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, 16, size_bytes, 2, -(-size_bytes // 2**29), table * _CLUSTER,
        _CLUSTER, 1, 0, 0, 0, 0, 0, 4, 104,
    )  # fmt: skip
    header += struct.pack(">IIQQII", 0x0537BE77, 16, first_luks * _CLUSTER, _LUKS_BYTES, 0, 0)
    with place.open("xb") as file:
        file.write(header)
        file.seek(_CLUSTER)
        file.write(struct.pack(">Q", 2 * _CLUSTER))
        file.seek(2 * _CLUSTER)
        file.write(struct.pack(">H", 1) * (table + 1))
        file.seek(first_luks * _CLUSTER)
        file.write(_luks(passphrase))
        file.truncate((table + 1) * _CLUSTER)
        file.flush()
        os.fsync(file.fileno())


def _luks(passphrase: str) -> bytes:
    """Header and key material of a master key that is drawn now."""
    master, salt, slot_salt = os.urandom(_KEY_BYTES), os.urandom(32), os.urandom(32)
    digest = hashlib.pbkdf2_hmac("sha256", master, salt, _ITERATIONS, 20)
    payload = _HEAD_SECTORS + _SLOTS * _SLOT_SECTORS
    names = (b"aes", b"xts-plain64", b"sha256")
    header = struct.pack(">6sH32s32s32sII", b"LUKS\xba\xbe", 1, *names, payload, _KEY_BYTES)
    header += struct.pack(">20s32sI40s", digest, salt, _ITERATIONS, str(uuid.uuid4()).encode())
    for slot in range(_SLOTS):
        told = (_ACTIVE, _ITERATIONS, slot_salt) if slot == 0 else (_INACTIVE, 0, b"")
        header += struct.pack(">II32sII", *told, _HEAD_SECTORS + slot * _SLOT_SECTORS, _STRIPES)
    wrapping = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), slot_salt, _ITERATIONS, _KEY_BYTES)
    return header.ljust(_HEAD_SECTORS * _SECTOR, b"\0") + _encrypted(_split(master), wrapping)


def _split(key: bytes) -> bytes:
    """The key spread over stripes, all of which are needed to have it back (anti-forensic splitter)."""
    parts, mixed = [], bytes(len(key))
    for _ in range(_STRIPES - 1):
        part = os.urandom(len(key))
        parts.append(part)
        mixed = _diffused(_xor(mixed, part))
    return b"".join([*parts, _xor(mixed, key)])


def _diffused(block: bytes) -> bytes:
    size = hashlib.sha256().digest_size
    blocks = [block[at : at + size] for at in range(0, len(block), size)]
    return b"".join(
        hashlib.sha256(struct.pack(">I", number) + part).digest()[: len(part)] for number, part in enumerate(blocks)
    )


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _encrypted(plain: bytes, key: bytes) -> bytes:
    sectors = []
    for number in range(len(plain) // _SECTOR):
        encryptor = Cipher(AES(key), XTS(number.to_bytes(16, "little"))).encryptor()
        sectors.append(encryptor.update(plain[number * _SECTOR : (number + 1) * _SECTOR]) + encryptor.finalize())
    return b"".join(sectors)
