"""The rule of the audit chain: how an entry's hash follows from it and the entry before.

The hash is SHA-256 over the canonical JSON (keys sorted, no spaces, UTF-8) of the
entry without its hash; the entry names the hash of the one before. Whoever changes,
removes, inserts or moves an entry has to write every later one anew. Somebody who can
write the whole store can do that: keep the head (number and hash) elsewhere from time
to time, on paper or in another system, and compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from atoll.model.ledger import AuditEvent

#: What the first entry names as the hash before it.
NOTHING_BEFORE = "0" * 64
_HASH_BEGINS = ',"hash":"'
_HASH_CHARACTERS = len(_HASH_BEGINS) + 64 + 1


def link(event: AuditEvent, *, number: int, at: datetime, previous: str) -> dict[str, Any]:
    """The entry as it is stored: number, at, event, previous, hash."""
    entry: dict[str, Any] = {
        "number": number,
        "at": at.isoformat(timespec="microseconds"),
        # Through JSON text, so that what is hashed is what the store gives back.
        "event": json.loads(event.model_dump_json()),
        "previous": previous,
    }
    # Keys in order, so that a store keeps the canonical text itself and `skimmed` need not parse it.
    linked: dict[str, Any] = json.loads(canonical({**entry, "hash": digest(entry)}))
    return linked


def digest(entry: Mapping[str, Any]) -> str:
    """The hash of a stored entry, whatever hash it claims."""
    return hashlib.sha256(canonical({key: value for key, value in entry.items() if key != "hash"})).hexdigest()


def canonical(body: Mapping[str, Any]) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def skimmed(text: str, *, number: int, previous: str) -> str | None:
    """The hash of entry `number` after `previous`, when its stored text is canonical and holds; None otherwise.

    None says nothing yet: `fault` tells what an entry means however it is written. The
    hash covers every byte of the text but its own.
    """
    end = f',"number":{number},"previous":"{previous}"}}'
    start = len(text) - len(end) - _HASH_CHARACTERS
    if start <= 0 or not text.endswith(end) or not text.startswith(_HASH_BEGINS, start):
        return None
    claimed = text[start + len(_HASH_BEGINS) : start + _HASH_CHARACTERS - 1]
    found = hashlib.sha256((text[:start] + end).encode("utf-8", "surrogatepass")).hexdigest()
    return found if found == claimed else None


def fault(entry: Mapping[str, Any], *, stored_as: int, number: int, previous: str) -> str | None:
    """Why a stored entry cannot be number `number` after `previous`; None when it can.

    `stored_as` is the number under which the stream holds it.
    """
    if stored_as != number:
        return f"Entry {number} is missing; {stored_as} follows."
    if entry.get("number") != number:
        return f"Entry {number} was exchanged: it says that it is another."
    if entry.get("previous") != previous:
        return f"Entry {number} does not follow from the one before it."
    if entry.get("hash") != digest(entry):
        return f"Entry {number} was changed after it was written."
    return None
