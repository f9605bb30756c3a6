"""Keys of pseudonymisation domains, sealed by the master key.

A domain has one secret of 32 random bytes. Keys are derived from it by HKDF (RFC 5869,
SHA-256), one for pseudonyms, one for date offsets, one for encrypted values: none tells
anything of another, yet there is one thing to seal, to rotate and to destroy, so that a
domain whose pseudonyms are made irreversible cannot keep its offsets by mistake.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from atoll.errors import Conflict, NotFound
from atoll.model.record import Frozen, Record, new_id
from atoll.ports.clock import Clock
from atoll.ports.keys import MasterKey
from atoll.ports.records import Put, RecordStore, Write, every

_SECRET_BYTES = 32
_PSEUDONYM_LABEL = b"atoll/deid/pseudonym/v1"
_OFFSET_LABEL = b"atoll/deid/date-offset/v1"
_CELL_LABEL = b"atoll/deid/cell/v1"
#: 64 for AES-SIV, 32 for what nonces are made with.
CELL_KEY_BYTES = 96
_TAG_LABEL = b"atoll cell key v1\0"
TAG_BYTES = 8


class RetiredKey(Frozen):
    """A secret that was rotated out: it makes nothing new, yet what it made can be found by it."""

    key_id: str
    #: Base64 of what the master key sealed.
    sealed: str
    #: The master key that sealed it.
    master_key_id: str
    created_at: datetime
    retired_at: datetime


class DomainKey(Record):
    """A domain's secret as it is stored: sealed. Its id is the domain's name."""

    kind: ClassVar[str] = "domain_key"

    #: Names the secret in reports and outcomes; tells nothing about it.
    key_id: str
    #: Base64 of what the master key sealed.
    sealed: str
    #: The master key that sealed it.
    master_key_id: str
    created_at: datetime
    #: When the secret was destroyed; `sealed` is empty since.
    destroyed_at: datetime | None = None
    #: Those it had before, oldest first, until the domain's key is destroyed.
    retired: tuple[RetiredKey, ...] = ()
    #: Ids of keys that made pseudonyms in this lake and are not to be had any more.
    gone: tuple[str, ...] = ()

    def ids(self) -> frozenset[str]:
        """Of every key that this record knows of."""
        return frozenset({self.key_id, *(old.key_id for old in self.retired), *self.gone})


@dataclass(frozen=True)
class DomainKeys:
    """The keys of a domain, open, in memory only. Printing one shows no key."""

    key_id: str
    pseudonym_key: bytes = field(repr=False)
    offset_key: bytes = field(repr=False)
    #: For encrypted values; see `cells`.
    cell_key: bytes = field(repr=False)


def derive(key_id: str, secret: bytes) -> DomainKeys:
    """The keys that a domain's secret stands for."""

    def expand(label: bytes, length: int = 32) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=label).derive(secret)

    return DomainKeys(
        key_id=key_id,
        pseudonym_key=expand(_PSEUDONYM_LABEL),
        offset_key=expand(_OFFSET_LABEL),
        cell_key=expand(_CELL_LABEL, CELL_KEY_BYTES),
    )


def pseudonym_digits(identifier: str, keys: DomainKeys) -> str:
    """The 64 hexadecimal digits of which a pseudonym of the identifier shows the first; see `keyed`."""
    return hmac.new(keys.pseudonym_key.hex().encode(), identifier.encode(), sha256).hexdigest()


def key_tag(key_id: str) -> bytes:
    """What names a key in the values that it encrypts (see `cells`); tells nothing about it."""
    return sha256(_TAG_LABEL + key_id.encode()).digest()[:TAG_BYTES]


class KeyRing:
    """Makes and opens the keys of domains."""

    def __init__(self, records: RecordStore, master: MasterKey, clock: Clock) -> None:
        self._records = records
        self._master = master
        self._clock = clock

    def ensure(self, domain: str) -> tuple[Write, ...]:
        """The writes that make the domain's key; empty when it has one.

        The caller does them beside its audit entry. Two callers at once: one write
        holds, the other raises `VersionConflict` and asks again.
        """
        try:
            self._records.get(DomainKey, domain)
        except NotFound:
            pass
        else:
            return ()
        return (Put(DomainKey(id=domain, **self._fresh(domain))),)

    def rotated(self, record: DomainKey) -> DomainKey:
        """The record with a new secret; the one it had is retired. Not yet written."""
        if record.destroyed_at is not None:
            return record.but(**self._fresh(record.id), destroyed_at=None)
        return record.but(**self._fresh(record.id), retired=(*record.retired, self._retired(record)))

    def destroyed(self, record: DomainKey) -> DomainKey:
        """The record without its secret and those retired, not yet written."""
        gone = tuple(sorted(record.ids()))
        return record.but(sealed="", retired=(), destroyed_at=self._clock.now(), gone=gone)

    def taken_in(self, standing: DomainKey, brought: DomainKey, known: frozenset[str]) -> DomainKey:
        """The record with the keys of an imported one, which only find what they made; not yet written.

        `known` are ids of all that the domain ever had here: of these none comes back.
        """
        own = () if brought.destroyed_at is not None else (self._retired(brought),)
        new = tuple(key for key in (*brought.retired, *own) if key.key_id not in known)
        if standing.destroyed_at is not None:
            new = ()
        gone = brought.ids() - known - {key.key_id for key in new} - standing.ids()
        return standing.but(retired=(*standing.retired, *new), gone=(*standing.gone, *sorted(gone)))

    def _retired(self, record: DomainKey) -> RetiredKey:
        return RetiredKey(
            key_id=record.key_id,
            sealed=record.sealed,
            master_key_id=record.master_key_id,
            created_at=record.created_at,
            retired_at=self._clock.now(),
        )

    def _fresh(self, domain: str) -> dict[str, Any]:
        sealed = self._master.seal(secrets.token_bytes(_SECRET_BYTES), context=_context(domain))
        return {
            "key_id": new_id("key"),
            "sealed": base64.b64encode(sealed).decode(),
            "master_key_id": self._master.key_id,
            "created_at": self._clock.now(),
        }

    def keys(self, domain: str) -> DomainKeys:
        """The domain's keys.

        Raises `NotFound` when the domain has none, `Conflict` when it was destroyed,
        `IntegrityBroken` when the master key does not open what is stored.
        """
        record = self._records.get(DomainKey, domain)
        if record.destroyed_at is not None:
            raise Conflict(
                f"The key of the domain {domain} was destroyed on {record.destroyed_at:%Y-%m-%d}.",
                where=domain,
                todo="Have the contract use another domain, or have a new key made: atoll key rotate DOMAIN.",
            )
        return self._opened(domain, record)

    def every_key(self, domain: str) -> tuple[DomainKeys, ...]:
        """The domain's keys, then those retired: all that have not been destroyed, so perhaps none.

        Only to find what they made. Raises `NotFound`, `IntegrityBroken`.
        """
        record = self._records.get(DomainKey, domain)
        standing = () if record.destroyed_at is not None else (record,)
        return tuple(self._opened(domain, key) for key in (*standing, *reversed(record.retired)))

    def keys_of_cells(self, tag: bytes) -> DomainKeys:
        """The keys, standing or retired, that made the encrypted values which bear the tag.

        Raises `Conflict` when they were destroyed, `NotFound` when they were never here.
        """
        for record in every(self._records, DomainKey):
            standing = () if record.destroyed_at is not None else (record,)
            for key in (*standing, *record.retired):
                if key_tag(key.key_id) == tag:
                    return self._opened(record.id, key)
            if any(key_tag(key_id) == tag for key_id in record.ids()):
                raise Conflict(
                    "The key that encrypted the values was destroyed: nobody can open them any more.", where=record.id
                )
        raise NotFound("The key that encrypted the values was never here.", where="domain_key")

    def _opened(self, domain: str, key: DomainKey | RetiredKey) -> DomainKeys:
        return derive(key.key_id, self._master.open(base64.b64decode(key.sealed), context=_context(domain)))

    def seal(self, secret: bytes, *, context: str) -> str:
        """A secret of another purpose, sealed by the master key; Base64. `context` binds it to its purpose."""
        return base64.b64encode(self._master.seal(secret, context=context)).decode()

    def open_sealed(self, sealed: str, *, context: str) -> bytes:
        """What `seal` sealed in the same context. Raises `IntegrityBroken`."""
        return self._master.open(base64.b64decode(sealed), context=context)


def _context(domain: str) -> str:
    return f"domain-key/{domain}"
