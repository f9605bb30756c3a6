"""Statements that the people of a project keep for each other."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import NotFound
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.query import SavedQuery
from atoll.model.record import new_id
from atoll.ports.records import Delete, Page, Put


def list_saved(
    rooms: Rooms, caller: Caller, project: str, cursor: str | None = None, limit: int = 100
) -> Page[SavedQuery]:
    """The project's saved queries, oldest first. Raises `NotFound` for a project one is not in."""
    permissions.see_queries(caller, project_by_name(rooms.records, project))
    return rooms.records.find(SavedQuery, where={"project": project}, cursor=cursor, limit=limit)


def save(rooms: Rooms, caller: Caller, project: str, name: str, description: str, sql: str) -> SavedQuery:
    """Keep a statement; it need not hold yet. Raises `NotFound`."""
    permissions.query_under(caller, project_by_name(rooms.records, project))
    saved = SavedQuery(
        id=new_id("svq"),
        project=project,
        name=name,
        description=description,
        sql=sql,
        saved_by=caller.name,
        changed_by=caller.name,
        changed_at=rooms.clock.now(),
    )
    rooms.audit.record(_event("saved_query.add", caller, saved), Put(saved))
    return rooms.records.get(SavedQuery, saved.id)


def change(rooms: Rooms, caller: Caller, id: str, name: str, description: str, sql: str) -> SavedQuery:
    """Any member changes it; who did is told. Raises `NotFound`."""
    saved = _mine(rooms, caller, id).but(
        name=name, description=description, sql=sql, changed_by=caller.name, changed_at=rooms.clock.now()
    )
    rooms.audit.record(_event("saved_query.change", caller, saved), Put(saved))
    return rooms.records.get(SavedQuery, id)


def forget(rooms: Rooms, caller: Caller, id: str) -> None:
    """Any member removes it; its text stays nowhere. Raises `NotFound`."""
    saved = _mine(rooms, caller, id)
    rooms.audit.record(_event("saved_query.remove", caller, saved), Delete(saved))


def _mine(rooms: Rooms, caller: Caller, id: str) -> SavedQuery:
    try:
        saved = rooms.records.get(SavedQuery, id)
        permissions.query_under(caller, project_by_name(rooms.records, saved.project))
    except NotFound:
        raise permissions.not_found("saved query", id) from None
    return saved


def _event(action: str, caller: Caller, saved: SavedQuery) -> AuditEvent:
    return AuditEvent(
        action=action, target=f"saved_query/{saved.id}", caller=caller, details={"project": saved.project}
    )
