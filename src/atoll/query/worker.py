"""A query process, born by the nursery. It runs one job and ends.

It gets no secret: its environment is empty but for a path and locale, it reads one
job from stdin (see `job.py`) and writes the result to stdout. When the parent dies
it is killed by the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from atoll.errors import AtollError, LimitExceeded, StatementRefused, Unavailable
from atoll.model.query import Relation, ResultColumn
from atoll.model.table import Column, ColumnType, DataFile
from atoll.query import faults
from atoll.query.guard import TableName, check_statement, parse
from atoll.query.job import PROGRESS, READY, Job, Status
from atoll.query.predicate import check_filter
from atoll.query.pruning import by_filter, by_statement
from atoll.query.sandbox import restrict
from atoll.query.spelling import literal
from atoll.query.travel import points, spelled
from atoll.query.views import create_views, lock, open_engine

BATCH_ROWS = 65_536
#: Address space beyond the engine's memory limit: libraries, thread stacks, Arrow buffers.
_SLACK_BYTES = 4 * 2**30
_PROGRESS_SECONDS = 0.25
_WARM_SQL = "SELECT name, count(*) FROM warm.up WHERE n = 1 GROUP BY name"
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def main(parent: int) -> None:
    """Prepare all that needs no job, say so, wait for the job, run it, end.

    `parent` is the process id of the nursery, with which it dies.
    """
    _confine(parent)
    answer = sys.stdout.buffer
    connection = open_engine()
    system_names = _warm(connection)
    answer.write(READY)
    answer.flush()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    job = Job.model_validate_json(line)
    _limit_memory(job.limits.memory_bytes)
    try:
        _run(connection, job, system_names, answer)
    except AtollError as error:
        _tell(answer, Status.of(error))
    except Exception as error:
        _tell(answer, Status.of(faults.told(error, job.sql)))
    # Nothing is left to tidy that the kernel does not tidy faster.
    os._exit(0)


def watch_parent(parent: int) -> None:
    """Die with the parent, gain no privileges, be looked into by nobody. Raises `Unavailable`."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise Unavailable("The query process cannot confine itself.", where=f"prctl {option}")
    if os.getppid() != parent:
        os._exit(1)  # the parent died before it could be watched


def _confine(parent: int) -> None:
    watch_parent(parent)
    os.umask(0o077)
    restrict(Path.cwd())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_memory(memory_bytes: int) -> None:
    most = memory_bytes + _SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _warm(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Walk the way of a query once, over one row of its own; the names of the engine's own tables and views.

    What a copy touches first the kernel has to map, some milliseconds in all: not within somebody's query.
    """
    file = Path.cwd() / "warm.parquet"
    connection.execute(f"COPY (SELECT 1::BIGINT AS n, 'a' AS name) TO {literal(str(file))}")
    data = DataFile(path=str(file), rows=1, size_bytes=file.stat().st_size)
    columns = (Column(name="n", type=ColumnType.INTEGER), Column(name="name", type=ColumnType.STRING))
    relation = Relation(dataset="warm", table="up", snapshot_id=0, columns=columns, row_filter="n = 1", files=(data,))
    check_statement(connection, _WARM_SQL, {("warm", "up")})
    create_views(connection, [relation])
    connection.sql(_WARM_SQL).to_arrow_reader(1).read_all()
    connection.execute("DROP SCHEMA warm CASCADE")
    file.unlink()
    rows = connection.execute("SELECT view_name FROM duckdb_views() UNION SELECT table_name FROM duckdb_tables()")
    return frozenset(str(row[0]).lower() for row in rows.fetchall())


def _tell(answer: BinaryIO, status: Status) -> None:
    answer.write(status.model_dump_json().encode() + b"\n")
    answer.flush()


def _run(connection: duckdb.DuckDBPyConnection, job: Job, system_names: frozenset[str], answer: BinaryIO) -> None:
    if job.kind == "filter":
        lock(connection, (), job.limits, None)
        check_filter(connection, job.sql, job.columns)
        _tell(answer, Status())
        return
    if job.kind == "points":
        lock(connection, (), job.limits, None)
        _tell(answer, Status(points=points(parse(connection, job.sql))))
        return
    granted: Mapping[TableName, Relation] = {(r.dataset.lower(), r.view.lower()): r for r in job.relations}
    names = check_statement(connection, job.sql, granted, system_names, job.names)
    if any(granted[name].at for name in names):
        # Checked once more, since it is this text that runs.
        job = job.but(sql=spelled(connection, job.sql))
        if check_statement(connection, job.sql, granted, system_names, job.names) != names:
            raise StatementRefused("The statement cannot be read at a version.")
    spared, named = _spare(connection, job.sql, [granted[name] for name in sorted(names)])
    if job.tells_progress:
        _tell_progress(connection)
    lock(connection, (file.path for relation in named for file in relation.files), job.limits, Path.cwd())
    create_views(connection, named)
    if job.kind == "explain":
        _tell(answer, _planned(connection, job.sql, named).but(spared=spared))
        return
    try:
        # Bound here, computed from the next line on: who asked may stop it for its price in between.
        bound = connection.sql(job.sql)
        begun = Status(relations=tuple(r.name for r in named), spared=spared)
        _tell(answer, begun)
        reader = bound.to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise faults.told(error, job.sql, _names(named)) from None
    with reader:
        _tell(answer, begun)
        _tell(answer, _stream(reader, job, answer).but(relations=begun.relations))


def _spare(
    connection: duckdb.DuckDBPyConnection, sql: str, relations: Sequence[Relation]
) -> tuple[dict[str, tuple[int, ...]], list[Relation]]:
    """The relations with the files only that may hold what is asked for, and which were left out, to be told.

    Under a row filter what the statement itself rules out is not told: it would tell of rows that are hidden.
    """
    told: dict[str, tuple[int, ...]] = {}
    found: list[Relation] = []
    for relation in relations:
        hidden = by_filter(connection, relation)
        gone = hidden | by_statement(connection, sql, relation)
        files = tuple(file for number, file in enumerate(relation.files) if number not in gone)
        found.append(relation.but(files=files, bounds={}, bounded=()))
        if shown := hidden if relation.row_filter is not None else gone:
            told[relation.name] = tuple(sorted(shown))
    return told, found


def _planned(connection: duckdb.DuckDBPyConnection, sql: str, named: Sequence[Relation]) -> Status:
    """What the statement would give. The guess of its rows comes from the files' statistics, which
    know the rows that a row filter hides: with one, none is told.
    """
    try:
        planned = connection.sql(sql)
    except duckdb.Error as error:
        raise faults.told(error, sql, _names(named)) from None
    columns = tuple(
        ResultColumn(name=name, type=str(kind)) for name, kind in zip(planned.columns, planned.types, strict=True)
    )
    guessed = None if any(relation.row_filter for relation in named) else _guess(connection, sql)
    return Status(relations=tuple(r.name for r in named), columns=columns, guessed_rows=guessed)


def _guess(connection: duckdb.DuckDBPyConnection, sql: str) -> int | None:
    with contextlib.suppress(duckdb.Error, ValueError, LookupError, TypeError):
        plan = json.loads(connection.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()[0][1])
        part = plan[0]
        # Parts that pass rows on as they are guess nothing themselves.
        while "Estimated Cardinality" not in part["extra_info"]:
            part = part["children"][0]
        return int(part["extra_info"]["Estimated Cardinality"])
    return None


def _tell_progress(connection: duckdb.DuckDBPyConnection) -> None:
    """From now on keep the file `PROGRESS` in the process's own directory at what the engine says."""
    connection.execute("SET enable_progress_bar = true")
    connection.execute("SET enable_progress_bar_print = false")

    def tell() -> None:
        part = Path(PROGRESS + ".part")
        while True:
            time.sleep(_PROGRESS_SECONDS)
            percent = connection.query_progress()
            if percent >= 0:
                with contextlib.suppress(OSError):
                    part.write_text(f"{percent / 100:.4f}")
                    part.replace(PROGRESS)

    threading.Thread(target=tell, name="progress", daemon=True).start()


def _names(relations: Sequence[Relation]) -> Iterator[str]:
    """What a binding error may name beside the statement's own words."""
    for relation in relations:
        yield from (relation.table, f"{relation.dataset}.{relation.table}")
        for column in relation.columns:
            yield from (column.name, f"{relation.table}.{column.name}")


def _stream(reader: pa.RecordBatchReader, job: Job, answer: BinaryIO) -> Status:
    """Stream the result; the stream is ended in order whatever happens, so that the status can follow."""
    rows = 0
    with pa.ipc.new_stream(answer, reader.schema) as stream:
        try:
            for batch in reader:
                rows += batch.num_rows
                if rows > job.limits.max_rows:
                    return Status.of(_too_many_rows(job.limits.max_rows))
                stream.write_batch(batch)
                answer.flush()
        except Exception as error:
            return Status.of(faults.told(error, job.sql))
    return Status(rows=rows)


def _too_many_rows(max_rows: int) -> LimitExceeded:
    return LimitExceeded(f"The result has more than {max_rows} rows.", todo="Aggregate it, or use LIMIT.")
