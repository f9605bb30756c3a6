"""Run by test_crash.py: commits one delivery, killed by SIGKILL at the n-th step, for n = 1, 2, 3, ...

Usage: crash_commit.py WAREHOUSE ACTION. Each step is the moment before or after a
call that touches the catalog or writes a metadata file. For every n a lake of its
own is made in WAREHOUSE/<n>, a child commits (or withdraws) and is killed, and a
second child, not killed, does the same again. Prints one JSON line for each n.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from pathlib import Path

import polars as pl
import pyiceberg.table.update.snapshot as snapshot_module
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFile
from pyiceberg.manifest import ManifestWriter
from sqlalchemy.orm import Session

from atoll.lake import Lake
from atoll.model.table import Column, ColumnType, StagedFile, TableSchema

SCHEMA = TableSchema(
    dataset="clinic", table="vitals", columns=(Column(name="subject", type=ColumnType.STRING, description="who"),)
)
GROWN = SCHEMA.but(columns=(*SCHEMA.columns, Column(name="weight", type=ColumnType.NUMBER)))
STEPS = {"done": 0, "kill_at": 0}


def step() -> None:
    STEPS["done"] += 1
    if STEPS["done"] == STEPS["kill_at"]:
        os.kill(os.getpid(), signal.SIGKILL)


def watch(owner: type, name: str) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def stepped(*args, **kwargs):
        step()
        result = inner(*args, **kwargs)
        step()
        return result

    setattr(owner, name, stepped)


def open_lake(home: Path) -> Lake:
    return Lake(f"sqlite:///{home / 'catalog.db'}", home)


def stage(lake: Lake, delivery: str, schema: TableSchema) -> list[StagedFile]:
    files = []
    for number in range(2):
        path = lake.staging("clinic", "vitals", delivery) / f"{number}.parquet"
        if not path.exists():
            columns = {"subject": [f"{delivery}-{number}-{row}" for row in range(3)], "weight": [1.0] * 3}
            pl.DataFrame(columns).select([c.name for c in schema.columns]).write_parquet(
                part := path.with_name(f"{path.name}.{os.getpid()}"), compression="zstd"
            )
            part.rename(path)
        files.append(
            StagedFile(dataset="clinic", table="vitals", path=str(path), rows=3, size_bytes=path.stat().st_size)
        )
    return files


def act(home: Path, action: str) -> None:
    lake = open_lake(home)
    if action == "withdraw":
        lake.withdraw("clinic", "vitals", "dlv_1")
    else:
        schema = GROWN if action == "evolve" else SCHEMA
        lake.commit(schema, stage(lake, "dlv_2", schema), delivery_id="dlv_2", contract="clinic@1")


def child(home: Path, action: str, kill_at: int) -> int:
    """Exit code: 0 done, 137 killed, 1 anything else."""
    pid = os.fork()
    if pid == 0:
        STEPS.update(done=0, kill_at=kill_at)
        try:
            act(home, action)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) % 256 if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def prepare(home: Path, action: str) -> None:
    if action == "create":
        return
    pid = os.fork()
    if pid == 0:
        lake = open_lake(home)
        lake.commit(SCHEMA, stage(lake, "dlv_1", SCHEMA), delivery_id="dlv_1", contract="clinic@1")
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        sys.exit("the lake could not be prepared")


def main(root: Path, action: str) -> None:
    for name in ("create_namespace", "create_table", "load_table", "commit_table"):
        watch(SqlCatalog, name)
    watch(Session, "commit")
    watch(PyArrowFile, "create")
    watch(ManifestWriter, "__exit__")
    watch(snapshot_module._SnapshotProducer, "_commit")
    for number in range(1, 500):
        home = root / str(number)
        home.mkdir()
        prepare(home, action)
        killed = child(home, action, number)
        again = child(home, action, 0)
        print(json.dumps({"step": number, "killed": killed, "again": again}), flush=True)
        if killed != 137:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
