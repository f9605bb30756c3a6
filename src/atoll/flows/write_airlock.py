"""Every write of an airlock request: read anew, changed by a pure act, and audited in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from atoll.access.airlock_permissions import see_request
from atoll.access.directory import project_by_name
from atoll.access.permissions import not_found
from atoll.errors import NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.airlock import AirlockRequest, AirlockStep
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Project
from atoll.ports.records import Put, Write

_TRIES = 10

Change = Callable[[AirlockRequest, Project], AirlockRequest]
Details = Mapping[str, Any] | Callable[[AirlockRequest], Mapping[str, Any]]
NO_DETAILS: Mapping[str, Any] = MappingProxyType({})
#: Told in the history though the state may stay as it is.
_TOLD = frozenset({"review", "grant", "fetch"})


def seen(rooms: Rooms, caller: Caller, request_id: str) -> tuple[AirlockRequest, Project]:
    """The request and its project. Raises `NotFound` for one that may not be seen."""
    request, project = found(rooms, request_id)
    see_request(caller, request, project)
    return request, project


def found(rooms: Rooms, request_id: str) -> tuple[AirlockRequest, Project]:
    """The request and its project, whoever asks."""
    try:
        request = rooms.records.get(AirlockRequest, request_id)
        return request, project_by_name(rooms.records, request.project)
    except NotFound:
        raise not_found("airlock_request", request_id[:64]) from None


def write(
    rooms: Rooms,
    caller: Caller,
    request_id: str,
    action: str,
    change: Change,
    *,
    details: Details = NO_DETAILS,
    because: str = "",
    beside: Callable[[AirlockRequest], tuple[Write, ...]] = lambda _request: (),
) -> AirlockRequest:
    """Change the request by `change`, which checks rights and rules anew at each try.

    `details` are facts for the audit, or a function of the changed request; `beside` gives
    what else is written in the same transaction. Raises what `change` raises.
    """
    for _ in range(_TRIES):
        request, project = found(rooms, request_id)
        changed = _told(request, change(request, project), caller, action)
        facts = details(changed) if callable(details) else details
        event = AuditEvent(
            action=f"airlock.{action}",
            target=f"airlock_request/{request_id}",
            caller=caller,
            because=because,
            details={
                "project": request.project,
                "state": changed.state.value,
                **facts,
            },
        )
        try:
            rooms.audit.record(event, Put(changed), *beside(changed))
        except VersionConflict:
            continue
        return rooms.records.get(AirlockRequest, request_id)
    raise VersionConflict("The request is written to without end.", where=request_id, todo="Try again.")


def step(request: AirlockRequest, caller: Caller, deed: str) -> AirlockStep:
    """What was just done to the request."""
    return AirlockStep(
        at=request.changed_at,
        deed=deed,
        state=request.state,
        by=caller.name,
        by_id=caller.subject_id,
        round=request.round,
    )


def _told(before: AirlockRequest, changed: AirlockRequest, caller: Caller, deed: str) -> AirlockRequest:
    """With a step of its history, unless it is one more file of a draft."""
    if before.state is changed.state and deed not in _TOLD:
        return changed
    return changed.but(history=(*changed.history, step(changed, caller, deed)))
