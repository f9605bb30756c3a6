"""Somebody stops a piece of long work."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import Conflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Operation
from atoll.model.person import Caller


def cancel(rooms: Rooms, caller: Caller, operation_id: str) -> Operation:
    """Ask the operation to stop at its next safe point.

    On record before it is asked, so that no cancellation goes unseen.
    Raises `NotFound`, `Conflict` when it has ended.
    """
    permissions.require(caller, Scope.OPERATIONS_WRITE)
    operation = rooms.operations.get(operation_id)
    if not operation.open:
        raise Conflict(
            f"The operation has already {operation.state.value}.",
            where=f"operation/{operation_id}",
            todo="Nothing to cancel.",
        )
    rooms.audit.record(
        AuditEvent(
            action="operation.cancel",
            target=f"operation/{operation_id}",
            caller=caller,
            details={"subject": operation.subject},
        )
    )
    return rooms.operations.cancel(operation_id)
