"""A person asks SQL under a project; the answer streams, and what it used is settled."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import TracebackType

import pyarrow as pa

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import AtollError, Conflict, InvalidInput, LimitExceeded, NotFound, StatementRefused
from atoll.flows.governed_relations import governed_relations, scanned_bytes
from atoll.flows.rooms import Rooms
from atoll.ledger import query_event
from atoll.model.ledger import AuditEvent, Metric
from atoll.model.person import Caller
from atoll.model.query import QueryLimits, QueryRecord, QueryStats
from atoll.model.record import new_id
from atoll.ports.records import Append, Page, Put, Write
from atoll.query import Cancellation, QueryRun


def run(rooms: Rooms, caller: Caller, project: str, sql: str, cancellation: Cancellation | None = None) -> RunningQuery:
    """Start a query; the caller reads its batches and then knows what it used.

    Who may: a member of the project with `queries:run`; what may be read: what the
    project's standing grants name. Raises `NotFound` for a project one is not in,
    `StatementRefused`, `LimitExceeded`, `Conflict` (cancelled), `Unavailable`; refusals
    and failures are on record too, and the seconds of a failure are charged.
    """
    permissions.query_under(caller, project_by_name(rooms.records, project))
    record = QueryRecord(
        id=new_id("qry"), project=project, person=caller.subject_id, sql=sql, started_at=rooms.clock.now()
    )
    try:
        governed = governed_relations(rooms, project, sql)
        limits = QueryLimits(
            memory_bytes=rooms.settings.query_memory_bytes,
            seconds=rooms.settings.query_seconds,
            max_rows=rooms.settings.query_max_rows,
            threads=rooms.settings.query_threads,
        )
        started = rooms.engine.run(sql, governed.relations, limits, cancellation)
    except AtollError as error:
        _no_result(rooms, caller, record, error)
        raise
    try:
        record = record.but(versions=governed.versions_of(started.relations))
        _open(rooms, caller, record)
        return RunningQuery(rooms, caller, record.but(version=1), started)
    except BaseException:
        started.close()
        raise


class RunningQuery:
    """A query under way: a context manager, and an iterable of Arrow record batches.

    Leaving it early cancels the query. However it ends, it is settled once: record,
    flow event, and the cost of its seconds and scanned bytes.
    """

    def __init__(self, rooms: Rooms, caller: Caller, record: QueryRecord, started: QueryRun) -> None:
        self._rooms = rooms
        self._caller = caller
        self._record = record
        self._run = started
        self._settled = False

    @property
    def query_id(self) -> str:
        """Id of the query's record."""
        return self._record.id

    @property
    def schema(self) -> pa.Schema:
        """Columns of the result."""
        return self._run.schema

    @property
    def stats(self) -> QueryStats | None:
        """What it used; None until the last batch was read."""
        return self._record.stats

    def __enter__(self) -> RunningQuery:
        self._run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run.__exit__(kind, error, trace)
        finally:
            self._settle("cancelled", "The answer was not read to its end.")

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._run
        except AtollError as error:
            self._settle(error.code, str(error))
            raise
        self._settle("", "")

    def _settle(self, error_code: str, error: str) -> None:
        if self._settled:
            return
        self._settled = True
        stats = self._run.stats if not error_code else None
        now = self._rooms.clock.now()
        record = self._record.but(finished_at=now, stats=stats, error_code=error_code, error=error)
        seconds = stats.seconds if stats else (now - record.started_at).total_seconds()
        writes: list[Write] = [
            Put(record),
            self._rooms.flow_log.append(query_event(record, self._run.relations, at=now)),
            _charge(self._rooms, self._caller, record, Metric.QUERY_SECONDS, seconds),
        ]
        for dataset, size_bytes in scanned_bytes(self._run.relations).items():
            writes.append(_charge(self._rooms, self._caller, record, Metric.SCANNED_BYTES, size_bytes, dataset))
        self._rooms.records.transact(writes)
        self._record = record


def list_queries(
    rooms: Rooms, caller: Caller, project: str, cursor: str | None = None, limit: int = 100
) -> Page[QueryRecord]:
    """Queries of one of one's projects, newest first. Raises `NotFound` for another project."""
    permissions.see_queries(caller, project_by_name(rooms.records, project))
    return rooms.records.find(QueryRecord, where={"project": project}, cursor=cursor, limit=limit, newest_first=True)


def show_query(rooms: Rooms, caller: Caller, query_id: str) -> QueryRecord:
    """One query. Raises `NotFound`, also for another project's."""
    record = rooms.records.get(QueryRecord, query_id)
    try:
        permissions.see_queries(caller, project_by_name(rooms.records, record.project))
    except NotFound:
        raise permissions.not_found("query", query_id) from None
    return record


def _open(rooms: Rooms, caller: Caller, record: QueryRecord) -> None:
    """On record before the first row is told."""
    event = AuditEvent(
        action="query.run",
        target=f"project/{record.project}",
        caller=caller,
        because=f"query/{record.id}",
        details={"versions": list(record.versions)},
    )
    rooms.audit.record(event, Put(record))


def _no_result(rooms: Rooms, caller: Caller, record: QueryRecord, error: AtollError) -> None:
    """A refusal or an early failure is on record with its reason; time that was used is charged."""
    now = rooms.clock.now()
    ended = record.but(finished_at=now, error_code=error.code, error=str(error))
    refused = isinstance(error, StatementRefused)
    event = AuditEvent(
        action="query.refuse" if refused else "query.fail",
        target=f"project/{record.project}",
        caller=caller,
        allowed=not refused,
        because=f"query/{record.id}",
        details={"error_code": error.code},
    )
    writes: list[Write] = [Put(ended)]
    if isinstance(error, LimitExceeded | Conflict | InvalidInput) and not refused:
        seconds = (now - record.started_at).total_seconds()
        writes.append(_charge(rooms, caller, ended, Metric.QUERY_SECONDS, seconds))
    rooms.audit.record(event, *writes)


def _charge(
    rooms: Rooms, caller: Caller, record: QueryRecord, metric: Metric, quantity: float, dataset: str | None = None
) -> Append:
    return rooms.usage.charge(
        metric=metric,
        quantity=Decimal(str(round(quantity, 6))),
        user=caller.name,
        project=record.project,
        dataset=dataset,
        because=f"query/{record.id}",
    )
