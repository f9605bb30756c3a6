"""A person asks SQL under a project; the answer streams, and what it used is settled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from types import TracebackType

import pyarrow as pa

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import (
    AtollError,
    BudgetExceeded,
    Conflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    StatementRefused,
    Unavailable,
    VersionConflict,
)
from atoll.flows.governed_relations import governed_relations, scanned_bytes
from atoll.flows.rooms import Rooms
from atoll.flows.watch_budgets import check_launch
from atoll.ledger import query_event
from atoll.model.dataset import DatasetVersion
from atoll.model.ledger import AuditEvent, Metric
from atoll.model.person import Caller
from atoll.model.query import KeptResult, QueryLimits, QueryRecord, QueryStats, Relation
from atoll.model.record import new_id
from atoll.ports.records import Append, Page, Put, Write
from atoll.query import Cancellation, QueryRun

#: How often it is tried to put on record that a version is read, while others write to it.
_TRIES = 20


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
    return start(rooms, caller, record, cancellation)


def start(rooms: Rooms, caller: Caller, record: QueryRecord, cancellation: Cancellation | None = None) -> RunningQuery:
    """As `run`, for a record whose caller was let through.

    `Unavailable` and `Conflict` leave a queued query as it was, for whoever runs it to try again
    or to `refuse`; anything else is on record.
    """
    queued = record.queued_at is not None
    begun = record
    try:
        check_launch(rooms, user=caller.name, project=record.project, what="queried")
        governed = governed_relations(rooms, record.project, record.sql)

        def approve(read: Sequence[Relation]) -> None:
            """While the engine computes the first rows: its price, and that it runs goes on record."""
            nonlocal begun
            check_price(rooms, sum(scanned_bytes(read).values()))
            opened = record.but(versions=governed.versions_of(read))
            _open(rooms, caller, opened, {r.version for r in read if r.at})
            begun = opened.but(version=opened.version + 1)

        started = rooms.engine.run(
            record.sql,
            governed.relations,
            limits_of(rooms),
            cancellation,
            names=governed.names,
            tells_progress=queued,
            approve=approve,
        )
    except AtollError as error:
        if not (queued and isinstance(error, Unavailable | Conflict)):
            refuse(rooms, caller, begun, error)
        raise
    return RunningQuery(rooms, caller, begun, started, governed.grants_of(started.relations))


class RunningQuery:
    """A query under way: a context manager, and an iterable of Arrow record batches.

    Leaving it early cancels the query. However it ends, it is settled once: record,
    flow event, and the cost of its seconds and scanned bytes.
    """

    def __init__(
        self, rooms: Rooms, caller: Caller, record: QueryRecord, started: QueryRun, grants: tuple[str, ...]
    ) -> None:
        #: Ids of the grants that let it read what it reads.
        self.grants = grants
        self._keep: Callable[[], KeptResult] | None = None
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

    def keep(self, keep: Callable[[], KeptResult]) -> None:
        """Have `keep` called when the last batch was read: what it returns goes on record with the end."""
        self._keep = keep

    def leave(self) -> None:
        """End it without settling it: it will be run again."""
        self._settled = True
        self._run.close()

    def fail(self, error: AtollError) -> None:
        """Settle a queued query that was ended."""
        self._settle(error.code, str(error))

    def __enter__(self) -> RunningQuery:
        self._run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run.__exit__(kind, error, trace)
        finally:
            if isinstance(error, AtollError):
                self._settle(error.code, str(error))
            else:
                self._settle("cancelled", "The answer was not read to its end.")

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._run
            kept = self._keep() if self._keep else None
        except (Unavailable, Conflict) as error:
            # Whoever runs a queued query tries again, or says that it failed.
            if self._record.queued_at is None:
                self._settle(error.code, str(error))
            raise
        except AtollError as error:
            self._settle(error.code, str(error))
            raise
        self._settle("", "", kept)

    def _settle(self, error_code: str, error: str, kept: KeptResult | None = None) -> None:
        if self._settled:
            return
        self._settled = True
        stats = self._run.stats if not error_code else None
        now = self._rooms.clock.now()
        record = self._record.but(finished_at=now, stats=stats, error_code=error_code, error=error, result=kept)
        seconds = stats.seconds if stats else (now - record.started_at).total_seconds()
        charges = [_charge(self._rooms, self._caller, record, Metric.QUERY_SECONDS, seconds)]
        for dataset, size_bytes in scanned_bytes(self._run.relations).items():
            charges.append(_charge(self._rooms, self._caller, record, Metric.SCANNED_BYTES, size_bytes, dataset))
        record = record.but(cost_eur=_cost(charges))
        flow = self._rooms.flow_log.append(query_event(record, self._run.relations, at=now))
        self._rooms.records.transact([Put(record), flow, *charges])
        self._record = record


def limits_of(rooms: Rooms) -> QueryLimits:
    """What one query may use, by the settings."""
    return QueryLimits(
        memory_bytes=rooms.settings.query_memory_bytes,
        seconds=rooms.settings.query_seconds,
        max_rows=rooms.settings.query_max_rows,
        threads=rooms.settings.query_threads,
    )


def price_of(rooms: Rooms, size_bytes: int) -> Decimal:
    """What it costs today to scan so many bytes, in EUR."""
    book = rooms.usage.prices_at(rooms.clock.now())
    price = next(one for one in book.prices if one.metric is Metric.SCANNED_BYTES)
    return size_bytes * price.eur / price.per


def check_price(rooms: Rooms, size_bytes: int) -> None:
    """Raises `LimitExceeded` when to scan so much costs more than one query may."""
    most = Decimal(str(rooms.settings.query_max_eur))
    if (price := price_of(rooms, size_bytes)) > most:
        raise LimitExceeded(
            f"The query would scan data for {price:.2f} EUR; one may cost {most:.2f} EUR.",
            todo="Read fewer tables, or ask an operator about query_max_eur.",
        )


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


def _open(rooms: Rooms, caller: Caller, record: QueryRecord, travelled: Collection[str]) -> None:
    """On record before the first row is told.

    Older versions that it reads are written to, so that nobody marks one expired in this moment.
    Raises `StatementRefused` when one has expired since it was planned.
    """
    event = AuditEvent(
        action="query.run",
        target=f"project/{record.project}",
        caller=caller,
        because=f"query/{record.id}",
        details={"versions": list(record.versions)},
    )
    for left in reversed(range(_TRIES)):
        held = [rooms.records.get(DatasetVersion, version) for version in travelled]
        if gone := next((version for version in held if not version.live), None):
            raise StatementRefused("The version has expired and can be read no more.", where=f"dataset/{gone.id}")
        try:
            rooms.audit.record(event, Put(record), *map(Put, held))
            return
        except VersionConflict:
            # Somebody else began to read the same version, or keeps it.
            if not left:
                raise


def refuse(rooms: Rooms, caller: Caller, record: QueryRecord, error: AtollError) -> None:
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
    used = isinstance(error, LimitExceeded | Conflict | InvalidInput) and not isinstance(error, BudgetExceeded)
    if used and not refused:
        seconds = (now - record.started_at).total_seconds()
        charge = _charge(rooms, caller, ended, Metric.QUERY_SECONDS, seconds)
        writes = [Put(ended.but(cost_eur=_cost([charge]))), charge]
    rooms.audit.record(event, *writes)


def _cost(charges: Iterable[Append]) -> Decimal:
    """Sum of the amounts that are about to be charged, in EUR."""
    return sum((Decimal(str(entry["amount_eur"])) for charge in charges for entry in charge.entries), Decimal(0))


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
