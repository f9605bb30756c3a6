"""The git repositories of projects: made, looked at, brought back from a backup; and what was pushed to them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.push import Push
from atoll.model.repository import Generation, Repository
from atoll.ports.records import Append, Put, StreamEntry, Write, every

_TRIES = 20


@dataclass(frozen=True)
class RepositoryView:
    """A repository as it is now. `size_bytes` is None for one that does not stand on this host."""

    repository: Repository
    size_bytes: int | None
    generations: tuple[Generation, ...] = ()


@dataclass(frozen=True)
class EntryPage:
    """Entries of a stream, newest first, and the cursor to ask for older ones (None: no more)."""

    entries: tuple[StreamEntry, ...]
    cursor: str | None


def list_repositories(rooms: Rooms, caller: Caller, project: str) -> tuple[RepositoryView, ...]:
    """Those of a project, by name. Raises `NotFound`."""
    permissions.see_repositories(caller, project_by_name(rooms.records, project))
    return tuple(_view(rooms, one) for one in every(rooms.records, Repository, {"project": project}))


def show_repository(rooms: Rooms, caller: Caller, project: str, name: str) -> RepositoryView:
    """One, with the backups that are kept of it. Raises `NotFound`."""
    permissions.see_repositories(caller, project_by_name(rooms.records, project))
    return _view(rooms, _repository(rooms, project, name), whole=True)


def create_repository(rooms: Rooms, caller: Caller, project: str, name: str) -> RepositoryView:
    """An empty one. Raises `NotFound`, `InvalidInput` for its name, `AlreadyExists`."""
    permissions.create_repository(caller, project_by_name(rooms.records, project))
    if rooms.repositories.exists(project, name):
        raise AlreadyExists("The project has a repository of that name.", where=f"{project}/{name}")
    writes = new_record(rooms, project, name, caller.name)
    event = AuditEvent(action="repository.add", target=f"repository/{project}/{name}", caller=caller)
    rooms.audit.record(event, *writes)
    # On record first: what breaks off here is made by the next who asks for it.
    with suppress(AlreadyExists):
        rooms.repositories.create(project, name)
    return _view(rooms, _repository(rooms, project, name), whole=True)


def new_record(rooms: Rooms, project: str, name: str, created_by: str) -> tuple[Write, ...]:
    """The write that puts a repository on record; none when it is."""
    id = f"{project}/{name}"
    try:
        rooms.records.get(Repository, id)
    except NotFound:
        now = rooms.clock.now()
        return (Put(Repository(id=id, project=project, name=name, created_at=now, created_by=created_by)),)
    return ()


def restore_repository(
    rooms: Rooms,
    caller: Caller,
    project: str,
    name: str,
    *,
    generation: str = "",
    into: str | None = None,
    replace: bool = False,
) -> RepositoryView:
    """Bring a backup back, the newest if none is named, as `into` (its own name if not given).

    With `replace` the repository that stands is put aside on the host, not removed; a push
    that is under way goes there. Raises `NotFound`, `AlreadyExists`, `IntegrityBroken`.
    """
    permissions.require(caller, Scope.REPOSITORIES_RESTORE)
    project_by_name(rooms.records, project)
    into = into or name
    kept = rooms.repository_backups.generations(project, name)
    found = next((one for one in kept if generation in ("", one.id)), None)
    if found is None:
        raise Conflict(
            "The repository has no such backup.",
            where=f"repository/{project}/{name}",
            todo="`atoll repository show` lists those there are.",
        )
    details = {"generation": found.id, "into": into, "replace": replace}
    target = f"repository/{project}/{name}"
    # That it is tried is on record before anything is replaced.
    writes = new_record(rooms, project, into, caller.name)
    rooms.audit.record(AuditEvent(action="repository.restore", target=target, caller=caller, details=details), *writes)
    rooms.repository_backups.restore(project, name, found.id, into, rooms.clock.now(), replace=replace)
    done = AuditEvent(action="repository.restored", target=target, caller=caller, details=details)
    # What it is now is backed up at the next pass.
    _change(rooms, project, into, done, backed_up_at=None)
    return _view(rooms, _repository(rooms, project, into), whole=True)


def note_push(rooms: Rooms, event: AuditEvent, push: Push) -> None:
    """Put a push on record: audit, the project's pushes, and the repository's last one."""
    now = rooms.clock.now()
    body: Mapping[str, Any] = {"at": now.isoformat(), **push.model_dump(mode="json")}
    append = Append(f"pushes/{push.project}", (body,))
    for _ in range(_TRIES):
        try:
            known = rooms.records.get(Repository, f"{push.project}/{push.repository}")
        except NotFound:
            rooms.audit.record(event, append)
            return
        pushed = known.but(pushes=known.pushes + 1, last_push_at=now, last_push_by=push.login)
        try:
            rooms.audit.record(event, append, Put(pushed))
        except VersionConflict:
            continue
        return
    raise VersionConflict(
        "The repository is written to without end.", where=f"repository/{known.id}", todo="Push again."
    )


def list_pushes(rooms: Rooms, caller: Caller, project: str, cursor: str | None, limit: int) -> EntryPage:
    """Pushes to the project's repositories, newest first. Raises `NotFound`."""
    permissions.see_repositories(caller, project_by_name(rooms.records, project))
    return _newest_first(rooms, f"pushes/{project}", cursor, limit)


def list_packages(rooms: Rooms, caller: Caller, project: str, cursor: str | None, limit: int) -> EntryPage:
    """Packages that went into the project's machines, newest first. Raises `NotFound`."""
    permissions.see_packages(caller, project_by_name(rooms.records, project))
    return _newest_first(rooms, f"packages/{project}", cursor, limit)


def _newest_first(rooms: Rooms, stream: str, cursor: str | None, limit: int) -> EntryPage:
    """A page of entries numbered below the cursor."""
    if cursor is None:
        entries = rooms.records.tail(stream, limit=limit)
    else:
        below = int(cursor) if cursor.isascii() and cursor.isdigit() else 0
        first = max(below - limit, 1)
        entries = rooms.records.read(stream, after=first - 1, limit=below - first) if below > first else ()
    more = bool(entries) and entries[0].number > 1
    return EntryPage(tuple(reversed(entries)), str(entries[0].number) if more else None)


def _change(rooms: Rooms, project: str, name: str, event: AuditEvent, **changes: object) -> None:
    for _ in range(_TRIES):
        try:
            rooms.audit.record(event, Put(_repository(rooms, project, name).but(**changes)))
        except VersionConflict:
            continue
        return
    raise VersionConflict("The repository is written to without end.", where=f"repository/{project}/{name}")


def _repository(rooms: Rooms, project: str, name: str) -> Repository:
    try:
        return rooms.records.get(Repository, f"{project}/{name}")
    except NotFound:
        raise permissions.not_found("repository", f"{project}/{name}") from None


def _view(rooms: Rooms, repository: Repository, *, whole: bool = False) -> RepositoryView:
    project, name = repository.project, repository.name
    try:
        size_bytes: int | None = rooms.repositories.size_bytes(project, name)
    except (NotFound, OSError):
        size_bytes = None
    return RepositoryView(repository, size_bytes, rooms.repository_backups.generations(project, name) if whole else ())
