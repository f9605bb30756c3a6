"""The audit chain: entries, verification, signed checkpoints, export."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import read_ledger
from atoll.model.ledger import AuditCheckpoint, AuditEntry, ChainCheck

routes = Routes("audit")


@routes.get("/audit", scope=Scope.AUDIT_READ)
def list_audit(
    rooms: RoomsHere,
    caller: CallerHere,
    after: Annotated[int, Query(ge=0, description="Entries numbered above this.")] = 0,
    limit: Limit = 100,
    tail: Annotated[bool, Query(description="The last entries instead, unfiltered.")] = False,
    newest_first: Annotated[bool, Query(description="The other way round; go on with `before`.")] = False,
    sort: Annotated[
        str | None, Query(pattern="^-?number$", description="`-number` is `newest_first`; there is no other order.")
    ] = None,
    before: Annotated[int | None, Query(ge=1, description="With `newest_first`: entries numbered below this.")] = None,
    cursor: Annotated[
        str | None, Query(pattern=r"^\d{1,12}$", description="`cursor` of the page before, whichever way.")
    ] = None,
    person: Annotated[str | None, Query(max_length=64, description="By this person: login or id.")] = None,
    action: Annotated[
        str | None, Query(max_length=64, description="This action, `grant.add`; or all of a noun, `grant.`.")
    ] = None,
    target: Annotated[
        str | None, Query(max_length=200, description="Done to this, `grant/grt_...`; or all of a noun, `grant/`.")
    ] = None,
    allowed: Annotated[bool | None, Query(description="What was let, or what was refused.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="From this time on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this time.")] = None,
) -> Listing[AuditEntry]:
    """Entries of the audit chain, oldest first; `cursor` asks for the next page.

    A page may hold few entries and still have a cursor: so many were looked at.
    """
    if tail:
        return Listing(items=read_ledger.audit(rooms, caller, None, limit, tail=True))
    asked = read_ledger.AuditFilter(
        person=person, action=action, target=target, allowed=allowed, since=since, until=until
    )
    newest_first = newest_first if sort is None else sort == "-number"
    start = int(cursor) if cursor else before if newest_first else after
    page = read_ledger.find_audit(rooms, caller, asked, cursor=start, newest_first=newest_first, limit=limit)
    return Listing(items=page.entries, cursor=None if page.cursor is None else str(page.cursor))


@routes.get("/audit/verification", scope=Scope.AUDIT_READ)
def verify_audit(rooms: RoomsHere, caller: CallerHere) -> ChainCheck:
    """Compute the whole audit chain anew and say whether it holds and agrees with its signed checkpoints."""
    return read_ledger.verify_audit(rooms, caller)


@routes.get("/audit/checkpoints", scope=Scope.AUDIT_READ)
def list_audit_checkpoints(rooms: RoomsHere, caller: CallerHere) -> Listing[AuditCheckpoint]:
    """The signed checkpoints, oldest first; keep one elsewhere to compare with."""
    return Listing(items=read_ledger.list_checkpoints(rooms, caller))


@routes.get(
    "/audit/export",
    scope=Scope.AUDIT_READ,
    response_class=StreamingResponse,
    responses={
        200: {"description": "One entry a line", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    },
)
def export_audit(
    rooms: RoomsHere,
    caller: CallerHere,
    after: Annotated[int, Query(ge=0, description="Entries numbered above this.")] = 0,
) -> StreamingResponse:
    """Entries as they are chained, one JSON object a line, oldest first."""
    head = {"Content-Disposition": 'attachment; filename="atoll-audit.ndjson"'}
    lines = read_ledger.export_audit(rooms, caller, after)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=head)
