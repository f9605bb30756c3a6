"""Governed queries: each in a process of its own, under limits, its result streamed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
from pydantic import ValidationError

from atoll.errors import InvalidInput, Unavailable
from atoll.model.query import QueryEstimate, QueryLimits, QueryStats, Relation, TablePoint
from atoll.model.table import Column
from atoll.query.cancellation import Cancellation
from atoll.query.guard import check_size
from atoll.query.job import Job, Status
from atoll.query.pool import ProcessPool
from atoll.query.process import QueryProcess

_FILTER_LIMITS = QueryLimits(memory_bytes=256 * 2**20, seconds=10.0, max_rows=1, threads=1)
#: Statements of which it is remembered what they name at versions.
_KNOWN_TEXTS = 64
#: How often a waiting query looks whether the engine was closed.
_PLACE_SECONDS = 0.2


#: Told which relations a statement reads before its first row is told; what it raises ends the query.
Approve = Callable[[Sequence[Relation]], None]


class QueryRun:
    """A running query: a context manager and an iterable of record batches.

    Attributes:
        schema: the result's columns.
        relations: those of the given relations that the statement names, known from the start, with the
            data files that are read for it.
        begun: what the process told at the start.
    """

    def __init__(
        self,
        job: Job,
        process: QueryProcess,
        release: Callable[[QueryProcess], None],
        approve: Approve | None = None,
    ) -> None:
        self._approve = approve
        self._job = job
        self._process = process
        self._release = release
        self._started = time.monotonic()
        self._reader: pa.ipc.RecordBatchStreamReader | None = None
        self._stats: QueryStats | None = None
        self._closing = threading.Lock()
        self._closed = False
        self.schema: pa.Schema = pa.schema([])
        self.relations: tuple[Relation, ...] = ()
        self.begun = Status()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def stats(self) -> QueryStats:
        """What the query used. Raises `InvalidInput` before the last batch was read."""
        if self._stats is None:
            raise InvalidInput("The query's figures stand when its last batch was read.")
        return self._stats

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, as the process computes them.

        Raises `LimitExceeded` (rows, time, memory), `InvalidInput` (a value that
        cannot be computed), `Conflict` (cancelled), `Unavailable` (the process died).
        """
        try:
            while self._reader is not None and self._stats is None:
                batch = self._next(self._reader)
                if batch is None:
                    self._stats = self._figures(self._status())
                else:
                    yield batch
        finally:
            self.close()

    @property
    def scanned_bytes(self) -> int:
        """Bytes of the data files of every relation the statement names; known from the start."""
        return sum(file.size_bytes for relation in self.relations for file in relation.files)

    def cancel(self) -> None:
        """End the query now, from any thread; who reads the batches is told `Conflict`."""
        self._process.cancel()

    def close(self) -> None:
        """End the query and give its place to the next. Idempotent."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._release(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        self._process.send(self._job)
        self.begun = self._status()
        named = set(self.begun.relations)
        spared = {name: frozenset(numbers) for name, numbers in self.begun.spared.items()}
        self.relations = tuple(
            r.but(files=tuple(file for number, file in enumerate(r.files) if number not in spared.get(r.name, ())))
            for r in self._job.relations
            if r.name in named
        )
        if self._job.kind != "query":
            return
        if self._approve is not None:
            self._approve(self.relations)
        self._status()
        try:
            self._reader = pa.ipc.open_stream(self._process.output)
            self.schema = self._reader.schema
        except (pa.ArrowException, OSError, EOFError, ValueError):
            raise self._process.verdict() from None

    def _next(self, reader: pa.ipc.RecordBatchStreamReader) -> pa.RecordBatch | None:
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None
        except (pa.ArrowException, OSError, EOFError, ValueError):
            # The answer broke off in the middle of a batch.
            raise self._process.verdict() from None

    def _status(self) -> Status:
        try:
            status = Status.model_validate_json(self._process.output.readline())
        except (OSError, ValueError, ValidationError):
            raise self._process.verdict() from None
        if error := status.error():
            raise error
        return status

    def _figures(self, status: Status) -> QueryStats:
        return QueryStats(
            rows=status.rows,
            seconds=round(time.monotonic() - self._started, 6),
            scanned_bytes=self.scanned_bytes,
            relations=tuple(relation.name for relation in self.relations),
        )


class QueryEngine:
    """Runs governed SQL over relations, each query in a process of its own.

    Safe to use from several threads.
    """

    def __init__(self, workers: int, concurrency: int, temp_dir: Path) -> None:
        """Keep `workers` processes warm, run at most `concurrency` queries at once.

        `temp_dir` (made, 0700) holds a private directory for each running query,
        where it may spill; it goes with the query, or at the next start.
        """
        self._pool = ProcessPool(workers, temp_dir.expanduser().absolute())
        self._places = threading.BoundedSemaphore(concurrency)
        self._known_points: dict[str, tuple[TablePoint, ...]] = {}
        self._known_lock = threading.Lock()

    def run(
        self,
        sql: str,
        relations: Sequence[Relation],
        limits: QueryLimits,
        cancellation: Cancellation | None = None,
        *,
        names: Sequence[str] = (),
        tells_progress: bool = False,
        approve: Approve | None = None,
    ) -> QueryRun:
        """Start a SELECT over `relations`, named `dataset.table` in it.

        Returns when the columns of the result are known. Use it as a context
        manager; leaving it ends the query. The time limit runs from here to the
        last batch read, the reader's own slowness included. `cancellation` ends it
        even before this returns, and tells how far it is with `tells_progress`. `approve`
        is told which relations are read, before the first row is; what it raises ends the query.
        `names` are the tables, as `dataset.table`, that may be proposed for one that is not found.

        Raises `Conflict` (cancelled), `StatementRefused` (the guard or the engine's binder), `LimitExceeded`,
        `InvalidInput`, `IntegrityBroken`, and `Unavailable` when no place among the
        running queries came free within the time limit or the process died.
        """
        check_size(sql)
        job = Job(
            kind="query",
            sql=sql,
            relations=tuple(relations),
            names=tuple(names),
            limits=limits,
            tells_progress=tells_progress,
        )
        return self._start(job, cancellation or Cancellation(), approve)

    def explain(
        self, sql: str, relations: Sequence[Relation], limits: QueryLimits, names: Sequence[str] = ()
    ) -> QueryEstimate:
        """Plan a SELECT and do not run it: what it would read. Raises as `run` does."""
        check_size(sql)
        job = Job(kind="explain", sql=sql, relations=tuple(relations), names=tuple(names), limits=limits)
        with self._start(job, Cancellation()) as planned:
            begun = planned.begun
            return QueryEstimate(
                relations=begun.relations,
                columns=begun.columns,
                rows=begun.guessed_rows,
                scanned_bytes=planned.scanned_bytes,
            )

    def points(self, sql: str) -> tuple[TablePoint, ...]:
        """The tables that a statement names at versions, in lower case. Raises as `run` does."""
        check_size(sql)
        with self._known_lock:
            if sql in self._known_points:
                return self._known_points[sql]
        with self._start(Job(kind="points", sql=sql, limits=_FILTER_LIMITS), Cancellation()) as looked:
            found = looked.begun.points
        with self._known_lock:
            self._known_points[sql] = found
            while len(self._known_points) > _KNOWN_TEXTS:
                del self._known_points[next(iter(self._known_points))]
        return found

    def check_filter(self, predicate: str, columns: Sequence[Column]) -> None:
        """Raises `StatementRefused` unless the text is a row filter over the columns of a table."""
        check_size(predicate)
        job = Job(kind="filter", sql=predicate, columns=tuple(columns), limits=_FILTER_LIMITS)
        with self._start(job, Cancellation()):
            return

    def wait_ready(self, seconds: float) -> bool:
        """Whether the spare processes wait for a query within the time."""
        return self._pool.wait_ready(seconds)

    def close(self) -> None:
        """End all queries and processes. Idempotent."""
        self._pool.close()

    def _start(self, job: Job, cancellation: Cancellation, approve: Approve | None = None) -> QueryRun:
        end = time.monotonic() + job.limits.seconds
        while not self._places.acquire(timeout=_PLACE_SECONDS):
            if self._pool.closed:
                raise Unavailable("The query engine is closed.")
            if time.monotonic() >= end:
                raise Unavailable("Too many queries are running.", todo="Try again in a while.")
        try:
            process = self._pool.take()
        except BaseException:
            self._places.release()
            raise
        cancellation.attach(process.cancel, process.progress)
        return QueryRun(job, process, self._release, approve)

    def _release(self, process: QueryProcess) -> None:
        try:
            self._pool.release(process)
        finally:
            self._places.release()
