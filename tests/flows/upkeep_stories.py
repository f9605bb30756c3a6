"""What is queued for each kind of maintenance, and what must hold when it is done, however often it was killed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.flows.lakework import newest, rows_of
from tests.flows.trial import REVIEWER

from atoll.deid import pseudonym_digits
from atoll.flows import compact_dataset, erase_person, expire_versions, read_lake
from atoll.flows.rooms import Rooms
from atoll.lake import Upkeep
from atoll.model.dataset import DatasetVersion
from atoll.model.person import PLATFORM
from atoll.ports.records import every

TABLES = ("subjects", "visits")


@dataclass(frozen=True)
class Tried:
    """A kind of maintenance."""

    queue: Callable[[Rooms], None]
    check: Callable[[Rooms], None]


def make_old(rooms: Rooms, days: float) -> None:
    """Make every version, and every file of the lake, so much older."""
    for version in list(every(rooms.records, DatasetVersion)):
        rooms.records.put(version.but(committed_at=version.committed_at - timedelta(days=days)))
    for path in rooms.settings.lake_path.glob("trial/**/*"):
        then = path.stat().st_mtime - days * 86_400
        os.utime(path, (then, then))


def note_rows(rooms: Rooms) -> None:
    """Keep what the newest version holds, to be compared later."""
    found = {table: sorted(map(list, rows_of(rooms, newest(rooms), table).elements()), key=str) for table in TABLES}
    (rooms.settings.home_dir / "rows.json").write_text(json.dumps(found, default=str))


def noted(rooms: Rooms, table: str) -> Counter[str]:
    rows = json.loads((rooms.settings.home_dir / "rows.json").read_text())[table]
    return Counter(json.dumps(row, default=str) for row in rows)


def now_held(rooms: Rooms, version: DatasetVersion, table: str) -> Counter[str]:
    return Counter(json.dumps(list(row), default=str) for row in rows_of(rooms, version, table).elements())


def actions(rooms: Rooms) -> Counter[str]:
    return Counter(entry.event.action for entry in rooms.audit.read(0, 1000))


def states(rooms: Rooms) -> set[str]:
    return {operation.state.value for operation in rooms.operations.find().records}


def _queue_compaction(rooms: Rooms) -> None:
    note_rows(rooms)
    compact_dataset.ask(rooms, REVIEWER, "trial")


def _check_compaction(rooms: Rooms) -> None:
    version = newest(rooms)
    assert (version.number, version.made_by.value) == (4, "compaction")
    assert states(rooms) == {"succeeded"}
    before = read_lake.version(rooms, PLATFORM, "trial", 3)
    for table in TABLES:
        assert now_held(rooms, version, table) == now_held(rooms, before, table) == noted(rooms, table)
    assert [state.files for state in version.tables] == [1, 1]
    told = [e.event for e in rooms.audit.read(0, 1000) if e.event.action == "dataset.commit"]
    assert [event.details["version"] for event in told] == [1, 2, 3, 4]
    assert [e.job["name"] for e in rooms.flow_log.of_dataset("trial", 100)].count("compaction.trial") == 1
    assert rooms.locks.acquire("commit/trial", "somebody") is not None


def _queue_expiry(rooms: Rooms) -> None:
    note_rows(rooms)
    make_old(rooms, 10)
    orphan = rooms.settings.lake_path / "trial" / "visits" / "data" / "dlv_gone" / "0.parquet"
    orphan.parent.mkdir()
    orphan.write_bytes(b"left by a crash")
    os.utime(orphan, (0, 0))
    expire_versions.ask(rooms, REVIEWER, "trial", kept=1, days=1)


def _check_expiry(rooms: Rooms) -> None:
    assert states(rooms) == {"succeeded"}
    live = [version.live for version in read_lake.versions(rooms, PLATFORM, "trial")]
    assert live == [True, False, False]
    for table in TABLES:
        assert now_held(rooms, newest(rooms), table) == noted(rooms, table)
        assert len(rooms.lake.load("trial", table).snapshots()) == 1
    referred = {path for table in TABLES for path in Upkeep(rooms.lake).data_files("trial", table)}
    assert {str(path) for path in rooms.settings.lake_path.glob("trial/*/data/*/*")} == referred
    told = [e.event for e in rooms.audit.read(0, 1000) if e.event.action == "dataset.expire"]
    assert [event.details["versions"] for event in told] == [[1, 2]]
    assert actions(rooms)["dataset.sweep"] >= 1
    assert rooms.locks.acquire("commit/trial", "somebody") is not None


def _queue_erasure(rooms: Rooms) -> None:
    note_rows(rooms)
    erase_person.ask(rooms, REVIEWER, domain="person", identifier="S-1-0", reason="Objection", confirm="person")


def _check_erasure(rooms: Rooms) -> None:
    assert states(rooms) == {"succeeded"}
    (erasure,) = erase_person.list_erasures(rooms, REVIEWER)
    assert erasure.sealed is None and erasure.done_at is not None
    # The person came with the second of three deliveries: versions 2 and 3 held them.
    assert erasure.versions == ("trial@2", "trial@3")
    assert [(t.table, t.rows, t.version) for t in erasure.tables] == [("subjects", 1, 4), ("visits", 2, 4)]
    assert erasure.files == 2
    assert erasure.files_searched == 6
    assert [v.live for v in read_lake.versions(rooms, PLATFORM, "trial")] == [True, False, False, True]
    digits = pseudonym_digits("S-1-0", rooms.keyring.keys("person"))
    for table in TABLES:
        before, after = noted(rooms, table), now_held(rooms, newest(rooms), table)
        gone = before - after
        assert not after - before
        assert gone and all(digits[:32] in row for row in gone)
        assert not [row for row in after if digits[:32] in row]
    for table in TABLES:
        assert Upkeep(rooms.lake).sweep("trial", table, spare=(), older_than_seconds=0).files == 0
    # Nothing below the lake, metadata included, has the pseudonym any more, nor has any record or log.
    for path in (*rooms.settings.lake_path.glob("trial/**/*"), *rooms.settings.home_dir.glob("records.db*")):
        if path.is_file():
            assert digits[:16].encode() not in path.read_bytes(), path
    assert actions(rooms)["person.erased"] == actions(rooms)["person.erase"] == 1
    assert rooms.locks.acquire("commit/trial", "somebody") is not None


STORIES: dict[str, Tried] = {
    "compaction": Tried(_queue_compaction, _check_compaction),
    "erasure": Tried(_queue_erasure, _check_erasure),
    "expiry": Tried(_queue_expiry, _check_expiry),
}
