"""The gate that launches go through one by one, so that two never take the same last place of a quota."""

from __future__ import annotations

from typing import ClassVar

from atoll.errors import NotFound
from atoll.model.record import Record
from atoll.ports.records import Put, RecordStore

_ID = "all"


class LaunchGate(Record):
    """Counts launches. Whoever takes a place of a quota reads it first and writes it with the launch."""

    kind: ClassVar[str] = "launch_gate"

    passed: int = 0


def stand_at(records: RecordStore) -> LaunchGate:
    """The gate as it is now; read before what the quotas are reckoned from."""
    try:
        return records.get(LaunchGate, _ID)
    except NotFound:
        return LaunchGate(id=_ID)


def pass_through(gate: LaunchGate) -> Put:
    """The write to join the launch: it fails with `VersionConflict` when another went through since."""
    return Put(gate.but(passed=gate.passed + 1))
