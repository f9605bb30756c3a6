"""What was held of a delivery is admitted again under a mended contract, or rejected for good."""

from __future__ import annotations

from atoll.access import permissions, policies
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, VersionConflict
from atoll.flows import admit_delivery, publish_contract
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery, Rejection
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Operation
from atoll.model.person import Caller
from atoll.ports.records import Put


def replay(rooms: Rooms, caller: Caller, delivery_id: str) -> Delivery:
    """Admit what of the delivery is held, under the contract in force now.

    Only rows and files that are held are read again, so that each enters once. Raises
    `NotFound`, `NotPermitted`, and `Conflict` when nothing is held, the files are gone,
    or the contract is the one that held them.
    """
    permissions.require(caller, Scope.DELIVERIES_DECIDE)
    delivery = rooms.records.get(Delivery, delivery_id)
    _at_rest(rooms, delivery)
    policies.replay_delivery(delivery, publish_contract.latest(rooms, delivery.dataset).id)
    operation = admit_delivery.plan(rooms, caller, delivery, replay=len(delivery.replays) + 1)
    event = AuditEvent(
        action="delivery.replay", target=f"delivery/{delivery_id}", caller=caller, because=f"operation/{operation.id}"
    )
    try:
        rooms.audit.record(event, Put(delivery.but(operation_id=operation.id)), Put(operation))
    except (VersionConflict, AlreadyExists):
        raise Conflict("Somebody decided on the delivery at the same time.", where=delivery_id) from None
    rooms.operations.woken.set()
    return rooms.records.get(Delivery, delivery_id)


def reject(rooms: Rooms, caller: Caller, delivery_id: str, reason: str) -> Delivery:
    """Decide that nothing more of the delivery enters; what was committed stays.

    Its files leave quarantine after their retention. Raises `NotFound`, `NotPermitted`,
    and `Conflict` while it is being admitted or when nothing is left to reject.
    """
    permissions.require(caller, Scope.DELIVERIES_DECIDE)
    delivery = rooms.records.get(Delivery, delivery_id)
    _at_rest(rooms, delivery)
    policies.reject_delivery(delivery)
    rejected = delivery.but(rejection=Rejection(by=caller.name, at=rooms.clock.now(), reason=reason))
    event = AuditEvent(
        action="delivery.reject", target=f"delivery/{delivery_id}", caller=caller, details={"reason": reason}
    )
    try:
        rooms.audit.record(event, Put(rejected))
    except VersionConflict:
        raise Conflict("Somebody decided on the delivery at the same time.", where=delivery_id) from None
    return rooms.records.get(Delivery, delivery_id)


def _at_rest(rooms: Rooms, delivery: Delivery) -> None:
    """Raises `Conflict` while an operation has the delivery."""
    operation: Operation | None = rooms.operations.get(delivery.operation_id) if delivery.operation_id else None
    if operation is not None and operation.open:
        raise Conflict(
            "The delivery is being admitted.",
            where=delivery.id,
            todo=f"Wait for it, or cancel it: atoll operation cancel {operation.id}.",
        )
