"""A released file leaves: once for each grant, to the person whom it names, on record before the first byte."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from atoll.access import airlock_policies, permissions
from atoll.access.scopes import Scope
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import seen, write
from atoll.ledger import transfer_event
from atoll.model.airlock import AirlockFile, AirlockRequest, ReleaseGrant
from atoll.model.ledger import Metric
from atoll.model.person import Caller, Project
from atoll.ports.records import Write


def fetch(rooms: Rooms, caller: Caller, request_id: str, index: int) -> tuple[AirlockFile, Iterator[bytes]]:
    """The file and its content. The grant is used up when this returns.

    The whole content is held against its SHA-256 before the grant is used, so that a
    broken disk uses up nobody's. Raises `NotFound`, `NotPermitted`, `Conflict`, `IntegrityBroken`.
    """
    request, project = seen(rooms, caller, request_id)
    permissions.require(caller, Scope.AIRLOCK_REQUEST)
    _member(caller, request, project)
    grant = airlock_policies.fetchable(request, caller, index, rooms.clock.now())
    file = request.files[index]
    content = rooms.airlock.whole(file)
    used: list[ReleaseGrant] = []

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        _member(caller, newest, of)
        now = rooms.clock.now()
        used[:] = [airlock_policies.fetchable(newest, caller, index, now)]
        return airlock_policies.fetched(newest, used[0], now)

    def beside(changed: AirlockRequest) -> tuple[Write, ...]:
        now, because = rooms.clock.now(), f"airlock_request/{changed.id}/{used[0].id}"
        return (
            rooms.flow_log.append(transfer_event(changed, index, person=caller.subject_id, because=because, at=now)),
            rooms.usage.charge(
                metric=Metric.RELEASED_BYTES,
                quantity=Decimal(file.size_bytes),
                user=caller.name,
                project=changed.project,
                unit_price_eur=Decimal(0),
                because=f"airlock_request/{changed.id}",
            ),
        )

    facts = {"file": index, "sha256": file.sha256, "bytes": file.size_bytes, "grant": grant.id}
    write(rooms, caller, request_id, "fetch", change, details=facts, beside=beside)
    return file, iter([content[at : at + 2**18] for at in range(0, len(content), 2**18)])


def _member(caller: Caller, request: AirlockRequest, project: Project) -> None:
    if not permissions.is_member(caller, project):
        raise permissions.not_found("airlock_request", request.id)
