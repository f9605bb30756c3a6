"""A steward gives a project a right to a dataset, and takes it back."""

from __future__ import annotations

from datetime import datetime

from atoll.access import grants, permissions, policies
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound, VersionConflict
from atoll.flows import read_lake
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.grant import Grant, TableGrant
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Project
from atoll.model.record import new_id
from atoll.ports.records import Page, Put, Write


def list_grants(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str | None = None,
    dataset: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Grant]:
    """Grants, those revoked and expired too, newest first; of one project or dataset if given.

    Without `grants:read` those of one's own projects only; a page may then hold fewer
    than `limit` and still have a cursor. Raises `NotFound` for a project one may not see.
    """
    permissions.require(caller, Scope.GRANTS_READ_OWN)
    where: dict[str, str] = {}
    if project is not None:
        permissions.see_grants_of(caller, project_by_name(rooms.records, project))
        where["project"] = project
    if dataset is not None:
        where["dataset"] = dataset
    page = rooms.records.find(Grant, where=where or None, cursor=cursor, limit=limit, newest_first=True)
    if project is not None or permissions.has(caller, Scope.GRANTS_READ):
        return page
    return Page(tuple(g for g in page.records if _sees(rooms, caller, g)), page.cursor)


def show_grant(rooms: Rooms, caller: Caller, grant_id: str) -> Grant:
    """One grant. Raises `NotFound`, also for another project's."""
    grant = _grant(rooms, grant_id)
    permissions.see_grant(caller, grant, project_by_name(rooms.records, grant.project))
    return grant


def add_grant(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str,
    dataset: str,
    tables: tuple[TableGrant, ...] | None,
    reason: str,
    pinned: int | None = None,
    expires_at: datetime | None = None,
    dry_run: bool = False,
) -> Grant:
    """Give the project the right. An expired grant that still stands is closed by it; `dry_run` checks only.

    `pinned` is the number of the version to be read, None for the newest, whatever comes.
    Raises `NotFound` for an unknown project or dataset, `NotPermitted` for one's own
    project, `InvalidInput` for a version, tables, columns or a filter that do not hold,
    `Conflict` when a grant is in force already.
    """
    found = project_by_name(rooms.records, project)
    permissions.give_grant(caller, found)
    version = check_part(rooms, dataset, tables, expires_at, pinned)
    now = rooms.clock.now()
    standing = grants.standing(rooms.records, project, dataset)
    policies.add_grant(standing, now, expires_at)
    grant = Grant(
        id=new_id("grt"),
        project=project,
        dataset=dataset,
        tables=tables,
        pinned=pinned,
        reason=reason,
        granted_by=caller.name,
        granted_at=now,
        expires_at=expires_at,
    )
    if dry_run:
        return grant
    _write(rooms, caller, found, standing, grant, version)
    return rooms.records.get(Grant, grant.id)


def revoke_grant(rooms: Rooms, caller: Caller, grant_id: str) -> Grant:
    """Take the right back; queries asked from now on do not have it.

    Raises `NotFound`, `Conflict` when it is revoked already.
    """
    permissions.require(caller, Scope.GRANTS_WRITE)
    grant = _grant(rooms, grant_id)
    policies.revoke_grant(grant)
    event = AuditEvent(
        action="grant.revoke",
        target=f"grant/{grant_id}",
        caller=caller,
        details={"project": grant.project, "dataset": grant.dataset},
    )
    rooms.audit.record(event, Put(grant.but(revoked_at=rooms.clock.now())))
    return rooms.records.get(Grant, grant_id)


def _write(
    rooms: Rooms, caller: Caller, project: Project, expired: Grant | None, grant: Grant, version: DatasetVersion | None
) -> None:
    event = AuditEvent(
        action="grant.add",
        target=f"grant/{grant.id}",
        caller=caller,
        details={
            "project": project.name,
            "dataset": grant.dataset,
            "tables": None if grant.tables is None else [table.table for table in grant.tables],
            "row_filter": any(table.row_filter is not None for table in grant.tables or ()),
            "version": "latest" if grant.pinned is None else grant.pinned,
            "expires_at": None if grant.expires_at is None else grant.expires_at.isoformat(),
            "closes": None if expired is None else expired.id,
        },
    )
    try:
        rooms.audit.record(event, *grants.replacement(expired, grant), *hold(grant, version))
    except (AlreadyExists, VersionConflict):
        raise AlreadyExists(
            "In the same moment the project was given a grant to this dataset, or the version changed.",
            where=f"project/{project.name}, dataset/{grant.dataset}",
            todo="Look at the grants of the project.",
        ) from None


def hold(grant: Grant, version: DatasetVersion | None) -> tuple[Write, ...]:
    """The write that lets nobody mark the pinned version expired in the moment it is granted."""
    return () if grant.pinned is None or version is None else (Put(version),)


def check_part(
    rooms: Rooms,
    dataset: str,
    tables: tuple[TableGrant, ...] | None,
    expires_at: datetime | None,
    pinned: int | None,
) -> DatasetVersion | None:
    """Whether so much of the dataset can be granted; the version that would be read, None when there is none yet.

    Raises `NotFound`, `InvalidInput`, `Conflict`.
    """
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidInput("The end has no time zone.", where="expires_at", todo="Write it like 2030-01-31T12:00:00Z.")
    try:
        found = rooms.records.get(Dataset, dataset)
    except NotFound:
        raise permissions.not_found("dataset", dataset) from None
    version = read_lake.latest_version(rooms, found) if pinned is None else _pinned(rooms, found, pinned)
    if tables is None:
        return version
    policies.granted_tables_exist(tables, version)
    if version is not None:
        _check_filters(rooms, version, tables)
    return version


def _pinned(rooms: Rooms, dataset: Dataset, number: int) -> DatasetVersion:
    try:
        version = rooms.records.get(DatasetVersion, f"{dataset.id}@{number}")
    except NotFound:
        raise InvalidInput(
            f"The dataset has no version {number}.",
            where="version",
            todo=f"Choose one up to {dataset.latest}, or leave it out for the newest.",
        ) from None
    if not version.live:
        raise Conflict(
            "The version has expired.",
            where=f"dataset/{version.id}",
            todo="Choose one that stands, or leave it out for the newest.",
        )
    return version


def _check_filters(rooms: Rooms, version: DatasetVersion, tables: tuple[TableGrant, ...]) -> None:
    columns = {state.table: state.columns for state in version.tables}
    for table in tables:
        if table.row_filter is not None:
            rooms.engine.check_filter(table.row_filter, columns[table.table])


def _grant(rooms: Rooms, grant_id: str) -> Grant:
    try:
        return rooms.records.get(Grant, grant_id)
    except NotFound:
        raise permissions.not_found("grant", grant_id) from None


def _sees(rooms: Rooms, caller: Caller, grant: Grant) -> bool:
    try:
        permissions.see_grant(caller, grant, project_by_name(rooms.records, grant.project))
    except NotFound:
        return False
    return True
