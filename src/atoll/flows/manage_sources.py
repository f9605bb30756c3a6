"""Sources are registered, with the datasets they may deliver to."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.directory import source_by_name
from atoll.access.scopes import Scope
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Source
from atoll.model.record import new_id
from atoll.ports.records import Page, Put


def list_sources(rooms: Rooms, caller: Caller, cursor: str | None = None, limit: int = 100) -> Page[Source]:
    """Every source, the deactivated too."""
    permissions.require(caller, Scope.SOURCES_READ)
    return rooms.records.find(Source, cursor=cursor, limit=limit)


def show_source(rooms: Rooms, caller: Caller, name: str) -> Source:
    """One source. Raises `NotFound`."""
    permissions.require(caller, Scope.SOURCES_READ)
    return source_by_name(rooms.records, name)


def add_source(rooms: Rooms, caller: Caller, *, name: str, title: str, datasets: frozenset[str]) -> Source:
    """A source without credentials yet. Raises `AlreadyExists` when the name is taken."""
    permissions.require(caller, Scope.SOURCES_WRITE)
    source = Source(id=new_id("src"), name=name, title=title, datasets=datasets, created_at=rooms.clock.now())
    event = AuditEvent(
        action="source.add", target=f"source/{name}", caller=caller, details={"datasets": sorted(datasets)}
    )
    rooms.audit.record(event, Put(source))
    return rooms.records.get(Source, source.id)


def change_source(
    rooms: Rooms,
    caller: Caller,
    name: str,
    *,
    title: str | None = None,
    datasets: frozenset[str] | None = None,
    active: bool | None = None,
) -> Source:
    """Change what is given; deactivated, its tokens stop at once. Raises `NotFound`, `VersionConflict`."""
    permissions.require(caller, Scope.SOURCES_WRITE)
    source = source_by_name(rooms.records, name)
    changed = source.but(
        title=source.title if title is None else title,
        datasets=source.datasets if datasets is None else datasets,
        active=source.active if active is None else active,
    )
    if changed == source:
        return source
    event = AuditEvent(
        action="source.change",
        target=f"source/{name}",
        caller=caller,
        details={"datasets": sorted(changed.datasets), "active": changed.active},
    )
    rooms.audit.record(event, Put(changed))
    return rooms.records.get(Source, source.id)
