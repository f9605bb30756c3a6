"""The head of the audit chain is signed from time to time, by a key that the master key seals.

Who can write the whole record store can write the whole chain anew; a signature over how
it stood cannot be made without the master key, which is kept elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from atoll.errors import NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditCheckpoint, AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.record import Record, new_id
from atoll.ports.records import Put, every

EVERY = timedelta(hours=1)
_KEY = "audit"


class SigningKey(Record):
    """The key that signs checkpoints. Id `audit`; the public half is plain, the other is sealed."""

    kind: ClassVar[str] = "signing_key"

    key_id: str
    #: Base64 of the raw Ed25519 key, and of the seed that the master key sealed.
    public_key: str
    sealed: str


def checkpoint_audit(rooms: Rooms) -> int:
    """Sign the head of the chain when it has moved and the last signature is an hour old; 1 when it did."""
    now = rooms.clock.now()
    last = rooms.records.find(AuditCheckpoint, limit=1, newest_first=True).records
    entries = rooms.audit.tail(1)
    if not entries or (last and (now - last[0].at < EVERY or entries[0].number <= last[0].number + 1)):
        # One entry more than the last time is the checkpoint's own.
        return 0
    key = _signing_key(rooms)
    head = rooms.audit.tail(1)[0]
    seed = rooms.keyring.open_sealed(key.sealed, context=_context(key.key_id))
    private = Ed25519PrivateKey.from_private_bytes(seed)
    text = signed_text(head.number, head.hash, now.isoformat())
    checkpoint = AuditCheckpoint(
        id=f"{head.number:012}",
        number=head.number,
        hash=head.hash,
        at=now,
        key_id=key.key_id,
        public_key=key.public_key,
        signature=base64.b64encode(private.sign(text)).decode(),
    )
    event = AuditEvent(
        action="audit.checkpoint",
        target=f"audit/{head.number}",
        caller=PLATFORM,
        details={"hash": head.hash, "key_id": key.key_id},
    )
    try:
        rooms.audit.record(event, Put(checkpoint))
    except VersionConflict:
        return 0  # another process signed the same head
    return 1


def checkpoints(rooms: Rooms) -> Iterator[tuple[AuditCheckpoint, str]]:
    """Every checkpoint, oldest first, with what is wrong with its signature (empty: nothing)."""
    try:
        public = _opened_public(rooms)
    except NotFound:
        public = None
    for checkpoint in every(rooms.records, AuditCheckpoint):
        yield checkpoint, _fault(checkpoint, public)


def signed_text(number: int, hash: str, at: str) -> bytes:
    """What is signed."""
    return f"atoll/audit-checkpoint/v1\n{number}\n{hash}\n{at}\n".encode()


def _fault(checkpoint: AuditCheckpoint, public: bytes | None) -> str:
    if public is None:
        return f"The key that signed the checkpoint at entry {checkpoint.number} is gone."
    if base64.b64decode(checkpoint.public_key) != public:
        return f"The checkpoint at entry {checkpoint.number} was signed by another key."
    text = signed_text(checkpoint.number, checkpoint.hash, checkpoint.at.isoformat())
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(checkpoint.signature), text)
    except (InvalidSignature, ValueError):
        return f"The signature of the checkpoint at entry {checkpoint.number} does not hold."
    return ""


def _opened_public(rooms: Rooms) -> bytes:
    """The public key, from the sealed half: what the store says of itself is no proof. Raises `NotFound`."""
    key = rooms.records.get(SigningKey, _KEY)
    seed = rooms.keyring.open_sealed(key.sealed, context=_context(key.key_id))
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _signing_key(rooms: Rooms) -> SigningKey:
    try:
        return rooms.records.get(SigningKey, _KEY)
    except NotFound:
        pass
    private = Ed25519PrivateKey.generate()
    key_id = new_id("key")
    key = SigningKey(
        id=_KEY,
        key_id=key_id,
        public_key=base64.b64encode(private.public_key().public_bytes_raw()).decode(),
        sealed=rooms.keyring.seal(private.private_bytes_raw(), context=_context(key_id)),
    )
    event = AuditEvent(
        action="signing_key.make",
        target=f"signing_key/{_KEY}",
        caller=PLATFORM,
        details={"key_id": key_id, "public_key": key.public_key},
    )
    try:
        rooms.audit.record(event, Put(key))
    except VersionConflict:
        return rooms.records.get(SigningKey, _KEY)
    return key


def _context(key_id: str) -> str:
    return f"signing-key/{key_id}"
