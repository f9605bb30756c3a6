"""The resource ledger: what may exist on a backend, written before the backend is asked for it."""

from __future__ import annotations

from atoll.errors import NotFound
from atoll.flows.rooms import Rooms
from atoll.model.record import new_id
from atoll.model.workspace import Resource, Workspace
from atoll.ports.records import Put, Write, every
from atoll.workspaces.tries import given_way

_PAGE = 1000


def live_rows(rooms: Rooms, workspace_id: str) -> tuple[Resource, ...]:
    """The rows of a workspace that may exist, oldest first."""
    return rooms.records.find(Resource, where={"workspace": workspace_id, "live": "live"}, limit=_PAGE).records


def all_live_rows(rooms: Rooms) -> tuple[Resource, ...]:
    """Every row that may exist, on any backend."""
    return tuple(every(rooms.records, Resource, {"live": "live"}))


def reserve(rooms: Rooms, workspace: Workspace, operation_id: str, present: str | None) -> Resource:
    """The row under which the next machine is made: one that was never seen, else a new one.

    `present` is the token of the machine that is there now. A row that was never seen is
    taken again, with its token, so that an order which is still under way makes no second
    machine. Not one whose operation failed: its token may have been used up unseen.
    """
    now = rooms.clock.now()
    for row in reversed(live_rows(rooms, workspace.id)):
        if row.id != present and row.seen_at is None and not _failed(rooms, row.operation):
            return rooms.records.put(row.but(operation=operation_id, made_at=now))
    row = Resource(
        id=new_id("res"),
        workspace=workspace.id,
        operation=operation_id,
        backend=workspace.backend,
        size=workspace.size,
        made_at=now,
    )
    return rooms.records.put(row)


def _failed(rooms: Rooms, operation_id: str) -> bool:
    try:
        operation = rooms.operations.get(operation_id)
    except NotFound:
        return False
    return operation.finished_at is not None and operation.failure is not None and not given_way(operation)


def matched(
    rooms: Rooms, workspace: Workspace, token: str | None, *, size: str | None = None, for_good: bool = False
) -> tuple[Write, ...]:
    """Writes that make the workspace's rows agree with its machine: `token`'s is live, none that is gone is.

    Rows that were never seen stay, since their order may be under way: the sweeper looks at
    them after a grace. `for_good` closes them too. A row that was closed too early (its
    order took effect late) is opened again; a machine that has none gets one. With `size`
    it has been given that size.
    """
    now = rooms.clock.now()
    rows = {row.id: row for row in live_rows(rooms, workspace.id)}
    gone = (row for row in rows.values() if row.id != token and (for_good or row.seen_at is not None))
    writes: list[Write] = [Put(row.but(gone_at=now)) for row in gone]
    if token is None:
        return tuple(writes)
    row = rows.get(token) or _closed_row(rooms, token) or _found_row(rooms, workspace, token)
    wanted = row.but(gone_at=None, seen_at=row.seen_at or now, size=size or row.size)
    if row.version == 0 or wanted != row:
        writes.append(Put(wanted))
    return tuple(writes)


def _closed_row(rooms: Rooms, token: str) -> Resource | None:
    try:
        return rooms.records.get(Resource, token)
    except NotFound:
        return None


def _found_row(rooms: Rooms, workspace: Workspace, token: str) -> Resource:
    return Resource(
        id=token,
        workspace=workspace.id,
        operation=workspace.operation_id or "",
        backend=workspace.backend,
        size=workspace.size,
        made_at=rooms.clock.now(),
    )
