"""Versions expire by number and age, but not while anybody may need them; what nothing refers to is removed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.lakework import deliver, ended, newest, rows_of
from tests.flows.trial import CONTRACT, LAB, REVIEWER, add_lab, hand_over, put_in_force

from atoll.errors import Conflict, NotFound, NotPermitted
from atoll.flows import compact_dataset, expire_versions, maintain_lake, read_lake, read_lake_catalog, version_retention
from atoll.lake import Upkeep
from atoll.model.dataset import DatasetVersion
from atoll.model.mount import DatasetMount
from atoll.model.person import PLATFORM
from atoll.ports.records import every
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home", query_workers=1, compact_files=3))
    put_in_force(made, CONTRACT)
    add_lab(made)
    yield made
    platform.close(made)


def age(rooms, days: float) -> None:
    """Make every version, and every file of the lake, so much older."""
    for version in list(every(rooms.records, DatasetVersion)):
        rooms.records.put(version.but(committed_at=version.committed_at - timedelta(days=days)))
    for path in rooms.settings.lake_path.glob("trial/**/*"):
        then = path.stat().st_mtime - days * 86400
        os.utime(path, (then, then))


def protections(rooms, **limits) -> dict[int, str]:
    found = version_retention.standings(rooms, "trial", **limits)
    return {standing.version.number: str(standing.protection) for standing in found}


def data_files(rooms) -> set[str]:
    return {str(path) for path in rooms.settings.lake_path.glob("trial/*/data/*/*")}


def test_what_is_beyond_number_and_age_goes_and_nothing_else(rooms):
    for number in range(4):
        deliver(rooms, number)
    ended(rooms, compact_dataset.ask(rooms, REVIEWER, "trial", whole=True))
    assert protections(rooms, kept=1, days=0) == dict.fromkeys((1, 2, 3, 4), "recent") | {5: "newest"}
    age(rooms, 10)
    kept = expire_versions.keep(rooms, REVIEWER, "trial", 2, "of a paper")
    assert kept.keep is not None
    rooms.records.put(DatasetMount(id="m1", project="heart", dataset="trial", dataset_version="trial@3", grant="g"))
    assert protections(rooms) == {5: "newest", 4: "number", 3: "mounted", 2: "kept", 1: "number"}
    assert protections(rooms, kept=1) == {5: "newest", 4: "age", 3: "mounted", 2: "kept", 1: "age"}
    # However young, there are no more than so many.
    few = replace(rooms, settings=rooms.settings.model_copy(update={"versions_most": 4}))
    assert protections(few, kept=1) == {5: "newest", 4: "age", 3: "mounted", 2: "kept", 1: "None"}
    assert protections(rooms, kept=1, days=1) == {5: "newest", 4: "None", 3: "mounted", 2: "kept", 1: "None"}

    held = {
        number: rows_of(rooms, read_lake.version(rooms, PLATFORM, "trial", number), "visits") for number in (2, 3, 5)
    }
    orphan = rooms.settings.lake_path / "trial" / "visits" / "data" / "dlv_gone" / "0.parquet"
    orphan.parent.mkdir()
    for path in (orphan, orphan.with_name("1.parquet"), orphan.parent.parent.parent / "metadata" / "lost.avro"):
        path.write_bytes(b"left by a crash")
        os.utime(path, (0, 0))
    young = orphan.with_name("2.parquet")
    young.write_bytes(b"about to be committed")
    operation = ended(rooms, expire_versions.ask(rooms, REVIEWER, "trial", kept=1, days=1))

    assert {v.number: v.live for v in read_lake.versions(rooms, PLATFORM, "trial")} == {
        5: True,
        4: False,
        3: True,
        2: True,
        1: False,
    }
    assert not orphan.exists()
    assert young.exists()
    for number, rows in held.items():
        assert rows_of(rooms, read_lake.version(rooms, PLATFORM, "trial", number), "visits") == rows
    for number in (1, 4):
        state = read_lake.version(rooms, PLATFORM, "trial", number).tables[0]
        with pytest.raises(NotFound):
            rooms.lake.plan("trial", state.table, state.snapshot_id)
    # Version 4's own file is gone, those that versions 2 and 3 share with it are not; nor is an open delivery's.
    referred = {path for table in ("subjects", "visits") for path in Upkeep(rooms.lake).data_files("trial", table)}
    assert data_files(rooms) - {str(young)} == referred
    entry = rooms.audit.tail(1)[0].event
    assert (entry.action, entry.details["versions"], entry.because) == ("dataset.sweep", 2, f"operation/{operation.id}")
    assert entry.details["files"] >= 2 + 3
    # A version that is gone is still told of, and compared.
    told = read_lake_catalog.difference(rooms, PLATFORM, "trial", 1, 5)
    assert [(t.table, t.change, t.rows_added, t.rows_removed) for t in told.tables] == [
        ("subjects", "changed", 9, 0),
        ("visits", "changed", 18, 0),
    ]
    with pytest.raises(Conflict, match="expired"):
        expire_versions.keep(rooms, REVIEWER, "trial", 1, "too late")
    # And the table goes on.
    deliver(rooms, 8)
    assert newest(rooms).number == 6
    assert sum(rows_of(rooms, newest(rooms), "visits").values()) == 30


def test_files_of_a_delivery_that_is_still_admitted_are_spared_however_old(rooms):
    deliver(rooms, 0)
    delivery = hand_over(rooms, {"visits.csv": b"ID,VISIT,AT\nS-1,1,2020-02-01T10:00:00Z\n"})
    staged = rooms.lake.staging("trial", "visits", delivery.id) / "00000.parquet"
    staged.write_bytes(b"staged days ago")
    os.utime(staged, (0, 0))
    os.utime(staged.parent, (0, 0))
    operation = expire_versions.ask(rooms, REVIEWER, "trial")
    platform.upkeep_runner(rooms).run_open()
    assert rooms.operations.get(operation.id).state.value == "succeeded"
    assert staged.exists()


def test_the_housekeeping_asks_for_it_in_its_rhythm(rooms, monkeypatch):
    deliver(rooms, 0)
    assert maintain_lake.maintain_lake(rooms) == 0
    mark = rooms.records.get(maintain_lake.Maintained, "trial")
    rooms.records.put(mark.but(swept_at=mark.swept_at - timedelta(hours=25)))
    assert maintain_lake.maintain_lake(rooms) == 1
    assert maintain_lake.maintain_lake(rooms) == 0
    (operation,) = maintain_lake.operations(rooms, REVIEWER, "trial")
    assert operation.story == "expire_versions"
    ended(rooms, operation)
    # Or sooner, when many versions came.
    few = replace(rooms, settings=rooms.settings.model_copy(update={"versions_most": 4, "compact_files": 0}))
    deliver(rooms, 1)
    assert maintain_lake.maintain_lake(few) == 0
    deliver(rooms, 2)
    assert maintain_lake.maintain_lake(few) == 1
    assert rooms.records.get(maintain_lake.Maintained, "trial").swept == 3
    for refused in (expire_versions.ask, maintain_lake.operations):
        with pytest.raises(NotPermitted):
            refused(rooms, LAB, "trial")
