"""Public keys of sources: added, listed, removed, and known again when a source signs in by SFTP."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from atoll.access import permissions
from atoll.access.directory import source_by_name
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Source, SubjectKind
from atoll.model.record import new_id
from atoll.model.source_key import SourceKey
from atoll.ports.records import Delete, Put, every

_RSA_BITS = 3072
_MOST = 20


def list_keys(rooms: Rooms, caller: Caller, source: str) -> tuple[SourceKey, ...]:
    """The source's keys, oldest first. Raises `NotFound`."""
    permissions.require(caller, Scope.SOURCES_READ)
    found = source_by_name(rooms.records, source)
    return tuple(every(rooms.records, SourceKey, {"source_id": found.id}))


def add_key(rooms: Rooms, caller: Caller, source: str, *, public_key: str, label: str) -> SourceKey:
    """Let the holder of the key deliver as the source by SFTP.

    Raises `InvalidInput` for what is no public key or a weak one, `AlreadyExists` for a
    key on record (one key speaks for one source), `Conflict` for too many, `NotFound`.
    """
    permissions.require(caller, Scope.SOURCES_WRITE)
    found = source_by_name(rooms.records, source)
    text, fingerprint = _read(public_key)
    if len(list_keys(rooms, caller, source)) >= _MOST:
        raise Conflict(f"A source has at most {_MOST} keys.", where=f"source/{source}", todo="Remove one first.")
    key = SourceKey(
        id=new_id("key"),
        source_id=found.id,
        label=label,
        public_key=text,
        fingerprint=fingerprint,
        added_by=caller.name,
        created_at=rooms.clock.now(),
    )
    event = AuditEvent(
        action="source.key.add", target=f"source/{source}", caller=caller, details={"fingerprint": fingerprint}
    )
    try:
        rooms.audit.record(event, Put(key))
    except AlreadyExists:
        raise AlreadyExists(
            "This key is on record already.", where=fingerprint, todo="Each source needs a key of its own."
        ) from None
    return rooms.records.get(SourceKey, key.id)


def remove_key(rooms: Rooms, caller: Caller, source: str, key_id: str) -> None:
    """The key opens nothing any more, at once. Raises `NotFound`."""
    permissions.require(caller, Scope.SOURCES_WRITE)
    found = source_by_name(rooms.records, source)
    key = rooms.records.get(SourceKey, key_id)
    if key.source_id != found.id:
        raise permissions.not_found("key", key_id)
    event = AuditEvent(
        action="source.key.remove", target=f"source/{source}", caller=caller, details={"fingerprint": key.fingerprint}
    )
    rooms.audit.record(event, Delete(key))


def datasets_of(rooms: Rooms, name: str, fingerprint: str) -> frozenset[str] | None:
    """The datasets that the source of this name may deliver to with this key; None when it may not sign in."""
    try:
        source = source_by_name(rooms.records, name)
    except NotFound:
        return None
    keys = rooms.records.find(SourceKey, where={"fingerprint": fingerprint}, limit=1).records
    return source.datasets if source.active and keys and keys[0].source_id == source.id else None


def record_sign_in(rooms: Rooms, name: str, fingerprint: str, address: str) -> None:
    """The source has proven that it holds the key. Who only shows one leaves no trace, or could fill the chain."""
    caller = caller_by_key(rooms, source_by_name(rooms.records, name), address)
    details = {"way": "sftp", "fingerprint": fingerprint}
    rooms.audit.record(AuditEvent(action="session.open", target=f"source/{name}", caller=caller, details=details))


def caller_by_key(rooms: Rooms, source: Source, address: str) -> Caller:
    """The source as who delivers at this moment."""
    return Caller(
        subject_kind=SubjectKind.SOURCE,
        subject_id=source.id,
        name=source.name,
        address=address,
        at=rooms.clock.now(),
    )


def _read(public_key: str) -> tuple[str, str]:
    """The key in OpenSSH's form without comment, and its fingerprint."""
    try:
        key = load_ssh_public_key(public_key.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "This is no SSH public key.",
            where="public_key",
            todo="Give the line of the .pub file, like `ssh-ed25519 AAAA...`; never the private key.",
        ) from None
    if isinstance(key, dsa.DSAPublicKey) or (isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS):
        raise InvalidInput(
            "The key is too weak.", where="public_key", todo=f"Use Ed25519, ECDSA or RSA of {_RSA_BITS} bits or more."
        )
    text = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    digest = hashlib.sha256(base64.b64decode(text.split()[1])).digest()
    return text, "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
