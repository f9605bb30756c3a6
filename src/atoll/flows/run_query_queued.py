"""A query that the platform runs by itself: its asker may leave, its result is kept for a while.

It is an operation. When the platform stops or dies in the middle, the query is run once
more from its start; what it used is charged once, when it is settled. When that run is
lost as well it fails and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import AtollError, Conflict, NotFound, Unavailable, VersionConflict
from atoll.flows.callers import caller_now
from atoll.flows.governed_relations import governed_relations
from atoll.flows.reuse_result import earlier, reuse, reuse_key
from atoll.flows.rooms import Rooms
from atoll.flows.run_query import RunningQuery, refuse, show_query, start
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import Caller, Person, SubjectKind
from atoll.model.query import KeptResult, QueryRecord, QueryState, ResultColumn
from atoll.model.record import new_id
from atoll.operations import StepContext, Story
from atoll.ports.records import Put
from atoll.query import Cancellation, ResultWriter

STORY = "run_query"
#: Begun at most so often: once, and once more when the platform was lost meanwhile.
_RUNS = 2
_WATCH_SECONDS = 0.2
_TRIES = 20


def ask(rooms: Rooms, caller: Caller, project: str, sql: str, *, fresh: bool = False) -> QueryRecord:
    """Have the platform run a query; the record to follow it by.

    When the project asked the same of the same versions under the same grants and the
    result is still kept, that is the answer, at once and at no cost (unless `fresh`).
    Raises `NotFound` for a project one is not in.
    """
    permissions.query_under(caller, project_by_name(rooms.records, project))
    now = rooms.clock.now()
    record = QueryRecord(
        id=new_id("qry"), project=project, person=caller.subject_id, sql=sql, started_at=now, queued_at=now
    )
    if not fresh and (found := earlier(rooms, record)) is not None:
        return reuse(rooms, caller, record, found)
    operation = rooms.operations.plan(
        story=STORY,
        subject=f"query/{record.id}",
        steps=("run",),
        caller=caller,
        deadline_seconds=rooms.settings.query_wait_seconds + rooms.settings.query_seconds,
        params={"query": record.id},
    ).but(max_attempts=_RUNS)
    record = record.but(operation=operation.id)
    event = AuditEvent(action="query.queue", target=f"project/{project}", caller=caller, because=f"query/{record.id}")
    rooms.audit.record(event, Put(record), Put(operation))
    rooms.operations.woken.set()
    return rooms.records.get(QueryRecord, record.id)


def cancel(rooms: Rooms, caller: Caller, query_id: str) -> QueryRecord:
    """End a queued or running query: its asker only. Raises `NotFound`, `Conflict` when it is over or streams."""
    for _ in range(_TRIES):
        record = show_query(rooms, caller, query_id)
        permissions.cancel_query(caller, record)
        if record.finished_at is not None:
            raise Conflict(f"The query is {record.state} already.", where=query_id, todo="Nothing to cancel.")
        if record.operation is None:
            raise Conflict(
                "The query streams its result to its asker.", where=query_id, todo="Close that connection to end it."
            )
        event = AuditEvent(action="query.cancel", target=f"query/{query_id}", caller=caller)
        try:
            if record.state is QueryState.QUEUED:
                ended = record.but(
                    finished_at=rooms.clock.now(), error_code="cancelled", error="Cancelled before it was run."
                )
                rooms.audit.record(event, Put(ended))
                rooms.operations.cancel(record.operation)
            else:
                rooms.operations.cancel(record.operation)
                rooms.audit.record(event)
        except VersionConflict:
            continue
        rooms.operations.woken.set()
        return rooms.records.get(QueryRecord, query_id)
    raise VersionConflict("The query is written to without end.", where=query_id, todo="Try again.")


def progress_of(rooms: Rooms, record: QueryRecord) -> float | None:
    """How far a queued query is, 0 to 1; None where nobody can tell."""
    if record.finished_at is not None:
        return 1.0
    if record.operation is None or record.state is not QueryState.RUNNING:
        return None
    step = rooms.operations.get(record.operation).steps[0]
    return step.progress or None


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(name=STORY, steps=(("run", partial(_run, rooms)),), abandon=partial(_abandon, rooms))


def _run(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    record = _record(rooms, context.operation)
    if record.finished_at is not None:
        # Cancelled before it began, or settled by a run that died right after.
        return {}
    caller = _asker(rooms, context.operation, record)
    permissions.query_under(caller, project_by_name(rooms.records, record.project))
    key = reuse_key(record.project, record.sql, governed_relations(rooms, record.project, record.sql))
    record = rooms.records.put(record.but(runs=record.runs + 1, started_at=rooms.clock.now(), reusable=key))
    cancellation = Cancellation()
    with _Watch(context, cancellation) as watch:
        try:
            with start(rooms, caller, record, cancellation) as running:
                _keep(rooms, record, running, watch)
        except (Conflict, Unavailable):
            if isinstance(watch.stopped, AtollError):
                _ended(rooms, caller, record, watch.stopped)
            if watch.stopped is not None:
                raise watch.stopped from None
            raise
    return {"query": record.id}


def _ended(rooms: Rooms, caller: Caller, record: QueryRecord, why: AtollError) -> None:
    """Cancelled, or past its deadline, before its first row: on record, and its time is charged."""
    now = rooms.records.get(QueryRecord, record.id)
    if now.finished_at is None:
        refuse(rooms, caller, now, Conflict(why.what))


def _keep(rooms: Rooms, record: QueryRecord, running: RunningQuery, watch: _Watch) -> None:
    """Write the result as it comes; it goes on record together with the end of the query."""
    try:
        writer = rooms.results.write(record.id, running.schema, rooms.settings.result_bytes)
    except OSError as problem:
        raise _no_space(problem) from None
    running.keep(lambda: _kept(rooms, writer, running))
    try:
        for batch in running:
            writer.write(batch)
    except (Conflict, Unavailable) as error:
        if isinstance(watch.stopped, AtollError):
            running.fail(error)
        else:
            running.leave()
        raise
    except OSError as problem:
        raise _no_space(problem) from None
    finally:
        writer.discard()


def _kept(rooms: Rooms, writer: ResultWriter, running: RunningQuery) -> KeptResult:
    try:
        size_bytes = writer.commit()
    except OSError as problem:
        raise _no_space(problem) from None
    return KeptResult(
        file=running.query_id,
        rows=writer.rows,
        size_bytes=size_bytes,
        columns=tuple(ResultColumn(name=field.name, type=str(field.type)) for field in running.schema),
        grants=running.grants,
        expires_at=rooms.clock.now() + timedelta(hours=rooms.settings.result_hours),
    )


class _Watch:
    """Tells how far the query is, and ends it when the runner wants its step to stop."""

    def __init__(self, context: StepContext, cancellation: Cancellation) -> None:
        self._context = context
        self._cancellation = cancellation
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="query-progress", daemon=True)
        #: What the runner raised: cancelled, past the deadline, stopping, or lease lost.
        self.stopped: Exception | None = None

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_WATCH_SECONDS):
            try:
                self._context.progress(self._cancellation.progress or 0.0)
            except Unavailable:
                continue
            except Exception as reason:
                self.stopped = reason
                self._cancellation.cancel()
                return


def _abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """Failed for good: the record says why; what was written of its result goes."""
    record = _record(rooms, context.operation)
    if record.state is QueryState.DONE:
        return
    rooms.results.remove(record.id)
    if record.finished_at is not None:
        return
    lost = failure.error_code == "attempts_used_up"
    message = "The platform was lost while it ran, twice. Ask again." if lost else failure.message
    ended = record.but(finished_at=rooms.clock.now(), error_code=failure.error_code, error=message)
    event = AuditEvent(
        action="query.fail",
        target=f"project/{record.project}",
        caller=_named(context.operation, record),
        because=f"query/{record.id}",
        details={"error_code": failure.error_code},
    )
    rooms.audit.record(event, Put(ended))


def _record(rooms: Rooms, operation: Operation) -> QueryRecord:
    return rooms.records.get(QueryRecord, str(operation.params["query"]))


def _asker(rooms: Rooms, operation: Operation, record: QueryRecord) -> Caller:
    """Who asked, with the rights of now. Raises `NotFound` when they are no longer active."""
    person = rooms.records.get(Person, record.person)
    if not person.active:
        raise NotFound("Who asked is no longer active.", where=f"query/{record.id}")
    return caller_now(rooms, person, request_id=operation.request_id)


def _named(operation: Operation, record: QueryRecord) -> Caller:
    return Caller(
        subject_kind=SubjectKind.PERSON,
        subject_id=record.person,
        name=operation.asked_by,
        request_id=operation.request_id,
    )


def _no_space(problem: OSError) -> Unavailable:
    return Unavailable(f"The result cannot be kept: {problem.strerror}.", todo="Tell an operator; then ask again.")
