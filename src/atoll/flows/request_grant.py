"""A member asks that their project may read a dataset; a steward who is not of it gives or refuses."""

from __future__ import annotations

from datetime import datetime

from atoll.access import grants, permissions, policies
from atoll.access.directory import project_by_name
from atoll.access.grant_request_policies import Act, after, withdraw
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, NotFound, VersionConflict
from atoll.flows import grant_access
from atoll.flows.rooms import Rooms
from atoll.model.grant import Grant, TableGrant
from atoll.model.grant_request import GrantRequest, GrantRequestState
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.ports.records import Page, Put, Write


def request_grant(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str,
    dataset: str,
    tables: tuple[TableGrant, ...] | None,
    purpose: str,
    pinned: int | None = None,
    expires_at: datetime | None = None,
) -> GrantRequest:
    """Ask for it. Raises `NotFound` for a project one is not in or an unknown dataset,
    `InvalidInput` for a version, tables, columns or a filter that do not hold, `AlreadyExists` while
    an earlier request of the caller's for both waits.
    """
    permissions.request_grant(caller, project_by_name(rooms.records, project))
    grant_access.check_part(rooms, dataset, tables, expires_at, pinned)
    now = rooms.clock.now()
    policies.grant_ends(now, expires_at)
    request = GrantRequest(
        id=new_id("grq"),
        project=project,
        dataset=dataset,
        tables=tables,
        pinned=pinned,
        purpose=purpose,
        expires_at=expires_at,
        requested_by=caller.name,
        requester_id=caller.subject_id,
        requested_at=now,
    )
    try:
        rooms.audit.record(_event("grant.request", caller, request, {"purpose": purpose}), Put(request))
    except AlreadyExists:
        raise AlreadyExists(
            "You have asked for this dataset already, and it is not decided.",
            where=f"project/{project}, dataset/{dataset}",
            todo="Withdraw the earlier request first, or wait for the decision.",
        ) from None
    return rooms.records.get(GrantRequest, request.id)


def list_requests(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str | None = None,
    dataset: str | None = None,
    waiting: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[GrantRequest]:
    """Requests, newest first; with `waiting` those that wait for a decision.

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
    if waiting:
        where["decided_state"] = GrantRequestState.WAITING.value
    page = rooms.records.find(GrantRequest, where=where or None, cursor=cursor, limit=limit, newest_first=True)
    now = rooms.clock.now()
    everything = project is not None or permissions.has(caller, Scope.GRANTS_READ)
    kept = (r for r in page.records if not waiting or r.state(now) is GrantRequestState.WAITING)
    return Page(tuple(r for r in kept if everything or _sees(rooms, caller, r)), page.cursor)


def show_request(rooms: Rooms, caller: Caller, request_id: str) -> GrantRequest:
    """One request. Raises `NotFound`, also for another project's."""
    permissions.require(caller, Scope.GRANTS_READ_OWN)
    try:
        request = rooms.records.get(GrantRequest, request_id)
    except NotFound:
        raise permissions.not_found("grant request", request_id) from None
    if not _sees(rooms, caller, request):
        raise permissions.not_found("grant request", request_id)
    return request


def standing_grant(rooms: Rooms, request: GrantRequest) -> Grant | None:
    """The grant in force that an approval would replace."""
    held = grants.standing(rooms.records, request.project, request.dataset)
    return held if held is not None and held.holds(rooms.clock.now()) else None


def approve(rooms: Rooms, caller: Caller, request_id: str, reason: str) -> GrantRequest:
    """Give what was asked: the grant is made in the transaction of the decision, and replaces one in force.

    Raises `NotFound`, `NotPermitted` for one's own request or project, `Conflict` when it is
    decided already or lapsed, `InvalidInput` when the dataset has not the tables any more.
    """
    request = _to_decide(rooms, caller, request_id)
    now = rooms.clock.now()
    decided = after(request, Act.APPROVE, caller, reason, now)
    version = grant_access.check_part(rooms, request.dataset, request.tables, request.expires_at, request.pinned)
    grant = Grant(
        id=new_id("grt"),
        project=request.project,
        dataset=request.dataset,
        tables=request.tables,
        pinned=request.pinned,
        reason=request.purpose,
        granted_by=caller.name,
        granted_at=now,
        expires_at=request.expires_at,
    )
    before = grants.standing(rooms.records, request.project, request.dataset)
    facts = {"grant": grant.id, "closes": None if before is None else before.id, "reason": reason}
    writes = (Put(decided.but(grant=grant.id)), *grants.replacement(before, grant), *grant_access.hold(grant, version))
    return _record(rooms, _event("grant.approve", caller, request, facts), request_id, *writes)


def refuse(rooms: Rooms, caller: Caller, request_id: str, reason: str) -> GrantRequest:
    """Turn it down, with the reason. Raises as `approve`."""
    request = _to_decide(rooms, caller, request_id)
    decided = after(request, Act.REFUSE, caller, reason, rooms.clock.now())
    return _record(rooms, _event("grant.refuse", caller, request, {"reason": reason}), request_id, Put(decided))


def withdraw_request(rooms: Rooms, caller: Caller, request_id: str) -> GrantRequest:
    """Take one's own request back. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.GRANTS_REQUEST)
    request = show_request(rooms, caller, request_id)
    withdraw(request, caller)
    decided = after(request, Act.WITHDRAW, caller, "", rooms.clock.now())
    return _record(rooms, _event("grant.withdraw", caller, request, {}), request_id, Put(decided))


def _to_decide(rooms: Rooms, caller: Caller, request_id: str) -> GrantRequest:
    permissions.require(caller, Scope.GRANTS_WRITE)
    request = show_request(rooms, caller, request_id)
    permissions.decide_grant_request(caller, request, project_by_name(rooms.records, request.project))
    return request


def _record(rooms: Rooms, event: AuditEvent, request_id: str, *writes: Write) -> GrantRequest:
    try:
        rooms.audit.record(event, *writes)
    except (AlreadyExists, VersionConflict):
        raise Conflict(
            "Somebody decided on the request, or changed the project's grant or the version, at the same time.",
            where=f"grant_request/{request_id}",
            todo="Look at it again.",
        ) from None
    return rooms.records.get(GrantRequest, request_id)


def _event(action: str, caller: Caller, request: GrantRequest, facts: dict[str, str | None]) -> AuditEvent:
    return AuditEvent(
        action=action,
        target=f"grant_request/{request.id}",
        caller=caller,
        details={
            "project": request.project,
            "dataset": request.dataset,
            "tables": None if request.tables is None else [table.table for table in request.tables],
            "row_filter": any(table.row_filter is not None for table in request.tables or ()),
            "version": "latest" if request.pinned is None else request.pinned,
            "expires_at": None if request.expires_at is None else request.expires_at.isoformat(),
            **facts,
        },
    )


def _sees(rooms: Rooms, caller: Caller, request: GrantRequest) -> bool:
    try:
        permissions.see_grants_of(caller, project_by_name(rooms.records, request.project))
    except NotFound:
        return False
    return True
