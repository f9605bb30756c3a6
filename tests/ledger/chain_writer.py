"""A process of its own that writes to the audit trail; run by the concurrency test.

Usage: chain_writer.py URL COUNT.
"""

from __future__ import annotations

import os
import sys
from typing import ClassVar

from atoll.ledger import AuditTrail
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.record import Record
from atoll.ports.records import Put
from atoll.providers.clock import SystemClock
from atoll.providers.records import open_record_store


class Note(Record):
    kind: ClassVar[str] = "note"
    indexes: ClassVar[tuple[str, ...]] = ("title",)
    unique: ClassVar[tuple[str, ...]] = ("title",)

    title: str = ""


if __name__ == "__main__":
    url, times = sys.argv[1:]
    store = open_record_store(url)
    audit = AuditTrail(store, SystemClock())
    for index in range(int(times)):
        note = Note(id=f"{os.getpid()}-{index}", title=f"{os.getpid()}-{index}")
        event = AuditEvent(action="note.add", target=f"note/{note.id}", caller=PLATFORM)
        audit.record(event, Put(note))
    store.close()
