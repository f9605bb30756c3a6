"""Writers, readers, compaction and expiry at once on one table: no committed row is lost, doubled or unreadable."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pyarrow.parquet as pq
import pytest

from atoll.errors import NotFound
from atoll.lake import LaidOut, Lake, Upkeep
from atoll.model.table import Column, ColumnType, StagedFile, TableSchema

SCHEMA = TableSchema(dataset="clinic", table="vitals", columns=(Column(name="subject", type=ColumnType.STRING),))
WRITERS, EACH = 3, 5


@pytest.fixture(params=["sqlite", "postgres"])
def lake(request, tmp_path):
    place = tmp_path / "lake"
    url = f"sqlite:///{place / 'catalog.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    made = Lake(url, place)
    yield made
    made.close()


def read(lake: Lake, snapshot: int) -> Counter[str]:
    files = lake.plan("clinic", "vitals", snapshot).files
    return Counter(value for file in files for value in pq.read_table(file.path)["subject"].to_pylist())


def test_nothing_is_lost_or_doubled(lake):
    upkeep = Upkeep(lake)
    over = threading.Event()

    def write(writer: int) -> None:
        for number in range(EACH):
            landing = f"dlv_{writer}_{number}"
            path = lake.staging("clinic", "vitals", landing) / "0.parquet"
            pl.DataFrame({"subject": [f"{landing}-{row}" for row in range(2)]}).write_parquet(path)
            size_bytes = path.stat().st_size
            file = StagedFile(dataset="clinic", table="vitals", path=str(path), rows=2, size_bytes=size_bytes)
            lake.commit(SCHEMA, [file], delivery_id=landing, contract="clinic@1")

    def maintain() -> int:
        done = 0
        while not over.is_set():
            try:
                state = lake.table_state("clinic", "vitals")
            except NotFound:
                continue
            files = lake.plan("clinic", "vitals", state.snapshot_id).files
            if len(files) > 2:
                done += 1
                out = LaidOut(
                    "clinic",
                    "vitals",
                    SCHEMA.columns,
                    upkeep.place("clinic", "vitals", f"op_{done}"),
                    file_bytes=2**20,
                )
                for file in files:
                    for batch in pq.read_table(file.path).to_batches():
                        out.add(batch)
                out.close()
                upkeep.replace(SCHEMA, [f.path for f in files], out.files, job=f"op_{done}", kind="compaction")
            newest = sorted(lake.load("clinic", "vitals").snapshots(), key=lambda s: s.sequence_number)[-4:]
            upkeep.expire("clinic", "vitals", {s.snapshot_id for s in newest})
            upkeep.sweep("clinic", "vitals", spare=(), older_than_seconds=3600)
        return done

    def look() -> int:
        seen, before = 0, 0
        while not over.is_set():
            try:
                state = lake.table_state("clinic", "vitals")
                rows = read(lake, state.snapshot_id)
            except NotFound:
                time.sleep(0.01)  # no table yet, or expired since: the next look is at a newer one
                continue
            assert rows.total() == state.rows == len(rows)
            assert state.rows >= before
            seen, before = seen + 1, state.rows
        return seen

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        maintained, looked = pool.submit(maintain), pool.submit(look)
        try:
            for writer in writers:
                writer.result()
        finally:
            over.set()
        assert maintained.result() > 0
        assert looked.result() > 0
    expected = {f"dlv_{w}_{n}-{row}" for w in range(WRITERS) for n in range(EACH) for row in range(2)}
    final = read(lake, lake.table_state("clinic", "vitals").snapshot_id)
    assert final == Counter(expected)
    # What no snapshot has any more goes, and nothing else.
    upkeep.sweep("clinic", "vitals", spare=(), older_than_seconds=0)
    assert read(lake, lake.table_state("clinic", "vitals").snapshot_id) == final
