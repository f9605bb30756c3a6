"""A kept result is read, page by page or whole, while every grant it came from stands; then it is removed."""

from __future__ import annotations

import time
from contextlib import suppress

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import Conflict, NotFound, VersionConflict
from atoll.flows.reuse_result import grants_stand
from atoll.flows.rooms import Rooms
from atoll.flows.run_query import show_query
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Caller
from atoll.model.query import KeptResult, QueryRecord, QueryState
from atoll.ports.records import Put, every
from atoll.query import ResultFile

#: A half-written result that nobody has touched for so long belongs to a run that is gone.
_STRAY_SECONDS = 3600.0
_ASKED = "asked"


def read_page(rooms: Rooms, caller: Caller, query_id: str) -> tuple[QueryRecord, ResultFile]:
    """The result, to read rows of it.

    Who may: who may query under the project now, as long as every grant behind the
    result stands. What another than the asker reads is on record, once for each
    person and query. Raises `NotFound`, `Conflict` when there is no result to read.
    """
    record, kept = _readable(rooms, caller, query_id)
    if caller.subject_id != record.person and caller.subject_id not in kept.seen_by:
        _note(rooms, caller, record, kept, "page")
    return record, rooms.results.open(kept.file)


def download(rooms: Rooms, caller: Caller, query_id: str) -> tuple[QueryRecord, ResultFile]:
    """The whole result; each time is on record. Raises as `read_page` does."""
    record, kept = _readable(rooms, caller, query_id)
    rooms.audit.record(_event(caller, record, "whole"))
    return record, rooms.results.open(kept.file)


def remove(rooms: Rooms, caller: Caller, query_id: str) -> None:
    """Who asked has the result removed before its time. Again is no harm. Raises `NotFound`, `NotPermitted`."""
    record = show_query(rooms, caller, query_id)
    permissions.cancel_query(caller, record)
    if record.result is not None and record.result.removed_at is None:
        _mark(rooms, record, record.result, _ASKED, caller)
        sweep_results(rooms)


def sweep_results(rooms: Rooms) -> int:
    """Remove what is expired, what a revoked grant was behind, and the oldest beyond the space; how many.

    Level-triggered: it compares what is on record with what lies in the directory.
    """
    count = 0
    standing: dict[str, KeptResult] = {}
    for record in every(rooms.records, QueryRecord, {"holds": "result"}, newest_first=True):
        kept = record.result
        assert kept is not None
        room = sum(one.size_bytes for one in standing.values() if one.file != kept.file)
        reason = _reason(rooms, kept, room)
        if reason is None:
            standing[kept.file] = kept
        elif _mark(rooms, record, kept, reason, PLATFORM):
            count += 1
    for id, changed_at in rooms.results.ids().items():
        if id in standing:
            continue
        # One that is being written has no record yet that says so.
        if time.time() - changed_at > _STRAY_SECONDS or _is_over(rooms, id):
            rooms.results.remove(id)
    return count


def _readable(rooms: Rooms, caller: Caller, query_id: str) -> tuple[QueryRecord, KeptResult]:
    record = show_query(rooms, caller, query_id)
    permissions.query_under(caller, project_by_name(rooms.records, record.project))
    if record.state is not QueryState.DONE:
        raise Conflict(f"The query is {record.state}.", where=f"query/{query_id}", todo="Wait until it is done.")
    kept = record.result
    if kept is None:
        raise Conflict(
            "The result of this query was streamed and is not kept.",
            where=f"query/{query_id}",
            todo="Ask again with POST /queries/async.",
        )
    if kept.removed_at is not None or kept.expires_at <= rooms.clock.now() or not grants_stand(rooms, kept):
        raise NotFound(
            "The result is kept no longer, or a grant it came from has ended.",
            where=f"query/{query_id}",
            todo="Run the query again.",
        )
    return record, kept


def _reason(rooms: Rooms, kept: KeptResult, room: int) -> str | None:
    """Why the result goes, None while it stays."""
    if kept.expires_at <= rooms.clock.now():
        return "expired"
    if not grants_stand(rooms, kept):
        return "revoked"
    return "space" if room + kept.size_bytes > rooms.settings.results_bytes else None


def _mark(rooms: Rooms, record: QueryRecord, kept: KeptResult, reason: str, caller: Caller) -> bool:
    """Unreadable from here on; the file goes after."""
    gone = kept.but(removed_at=rooms.clock.now(), removed_because=reason)
    event = AuditEvent(action="query.forget", target=f"query/{record.id}", caller=caller, details={"reason": reason})
    with suppress(VersionConflict):
        rooms.audit.record(event, Put(record.but(result=gone)))
        return True
    return False


def _is_over(rooms: Rooms, id: str) -> bool:
    """Whether nobody writes the result: its query has ended, and no other answers with it."""
    try:
        return rooms.records.get(QueryRecord, id).finished_at is not None
    except NotFound:
        return True


def _note(rooms: Rooms, caller: Caller, record: QueryRecord, kept: KeptResult, what: str) -> None:
    seen = kept.but(seen_by=(*kept.seen_by, caller.subject_id))
    # Somebody else noted another reader in the same moment: this one is noted at the next page.
    with suppress(VersionConflict):
        rooms.audit.record(_event(caller, record, what), Put(record.but(result=seen)))


def _event(caller: Caller, record: QueryRecord, what: str) -> AuditEvent:
    return AuditEvent(
        action="query.read",
        target=f"project/{record.project}",
        caller=caller,
        because=f"query/{record.id}",
        details={"what": what, "versions": list(record.versions)},
    )
