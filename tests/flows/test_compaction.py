"""Compaction through the rooms: same rows, fewer files, older versions untouched."""

from __future__ import annotations

import polars as pl
import pytest
from tests.flows.lakework import deliver, ended, newest, rows_of
from tests.flows.trial import CONTRACT, LAB, REVIEWER, add_lab, put_in_force

from atoll.errors import AlreadyExists, NotPermitted
from atoll.flows import compact_dataset, maintain_lake, read_lake, rewrite_table
from atoll.flows.rewrite_table import Checksum
from atoll.model.person import PLATFORM
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home", query_workers=1, compact_files=4))
    put_in_force(
        made, CONTRACT.replace("  visits:\n", "  visits:\n    layout: {partition: [visit], sort: [subject_id]}\n")
    )
    add_lab(made)
    yield made
    platform.close(made)


def test_same_rows_in_fewer_files_and_the_versions_before_as_they_were(rooms, monkeypatch):
    for number in range(5):
        deliver(rooms, number)
    before = newest(rooms)
    held = {table: rows_of(rooms, before, table) for table in ("subjects", "visits")}
    assert maintain_lake.maintain_lake(rooms) == 1
    (operation,) = rooms.operations.open()
    assert maintain_lake.maintain_lake(rooms) == 0
    with pytest.raises(AlreadyExists):
        compact_dataset.ask(rooms, REVIEWER, "trial")
    # A delivery that lands while the compaction works stays as it came.
    real = rewrite_table.lay_out

    def meanwhile(*args):
        if args[3].table == "subjects":
            deliver(rooms, 9)
        return real(*args)

    monkeypatch.setattr(rewrite_table, "lay_out", meanwhile)
    ended(rooms, operation)

    after = newest(rooms)
    assert (after.number, after.made_by.value, after.rows_added, after.delivery) == (7, "compaction", 0, "")
    assert after.contract == before.contract
    states = {state.table: state for state in after.tables}
    assert (states["subjects"].files, states["visits"].files) == (2, 3)
    # The version that a reader had before, and the one that landed in between, read as ever.
    for table, rows in held.items():
        assert rows_of(rooms, before, table) == rows
        between = read_lake.version(rooms, PLATFORM, "trial", 6)
        assert rows_of(rooms, after, table) == rows_of(rooms, between, table)
    # Laid out as the contract says: one value in a file, in order within it.
    files = [
        f for f in rooms.lake.plan("trial", "visits", states["visits"].snapshot_id).files if operation.id in f.path
    ]
    frames = [pl.read_parquet(file.path) for file in files]
    assert sorted(frame["visit"].unique().to_list() for frame in frames) == [[1], [2]]
    assert all(frame["subject_id"].is_sorted() for frame in frames)
    # Small files that rewriting made are no reason to rewrite.
    assert maintain_lake.maintain_lake(rooms) == 0

    (entry,) = [e.event for e in rooms.audit.tail(100) if e.event.details.get("made_by") == "compaction"]
    assert entry.because == f"operation/{operation.id}"
    assert entry.details["tables"]["visits"]["rows"] == states["visits"].rows
    event = rooms.flow_log.of_dataset("trial", 100)[-1]
    assert event.job["name"] == "compaction.trial"
    assert {side["name"] for side in event.outputs} == {"trial.subjects", "trial.visits"}


def test_rows_that_are_not_the_same_never_take_effect(rooms, monkeypatch):
    for number in range(4):
        deliver(rooms, number)
    before = newest(rooms)
    real = rewrite_table.checksum

    def lies(*args):
        told = real(*args)
        return Checksum(told.rows, told.content + "1") if "/op_" in args[3][0].path else told

    monkeypatch.setattr(rewrite_table, "checksum", lies)
    operation = compact_dataset.ask(rooms, REVIEWER, "trial", whole=True)
    platform.upkeep_runner(rooms).run_open()
    operation = rooms.operations.get(operation.id)
    assert operation.failure is not None
    assert (operation.state.value, operation.failure.error_code, operation.failure.step) == (
        "failed",
        "conflict",
        "prove",
    )
    assert newest(rooms) == before
    assert not list(rooms.settings.lake_path.glob(f"*/*/data/{operation.id}"))
    told = rooms.audit.tail(1)[0].event
    assert (told.action, told.details["error_code"]) == ("dataset.fail", "conflict")


def test_who_may(rooms):
    with pytest.raises(NotPermitted):
        compact_dataset.ask(rooms, LAB, "trial")
