"""A scientist asks for files to leave or enter a project: opens, fills, submits and withdraws a request."""

from __future__ import annotations

from collections.abc import Iterable

from atoll.access import airlock_permissions, airlock_policies
from atoll.access.directory import project_by_name
from atoll.airlock import safe_name
from atoll.errors import InvalidInput, NotFound
from atoll.flows import check_airlock
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import found, step, write
from atoll.model.airlock import AirlockFile, AirlockRequest, AirlockState, Direction
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Project
from atoll.model.record import new_id
from atoll.model.workspace import Workspace
from atoll.ports.records import Put


def open_request(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str,
    direction: Direction,
    purpose: str,
    destination: str,
    workspace: str | None = None,
) -> AirlockRequest:
    """A request without files. Raises `NotFound` for a project that is not the caller's, `InvalidInput`."""
    of = project_by_name(rooms.records, project)
    airlock_permissions.open_request(caller, of, direction)
    if workspace is not None:
        _own_workspace(rooms, caller, of, workspace)
    now = rooms.clock.now()
    request = AirlockRequest(
        id=new_id("air"),
        project=project,
        direction=direction,
        purpose=purpose,
        destination=destination,
        requester_id=caller.subject_id,
        requester=caller.name,
        workspace=workspace,
        opened_at=now,
        changed_at=now,
    )
    request = request.but(history=(step(request, caller, "open"),))
    event = AuditEvent(
        action="airlock.open",
        target=f"airlock_request/{request.id}",
        caller=caller,
        because=f"workspace/{workspace}" if workspace else "",
        details={"project": project, "direction": direction.value, "state": request.state.value},
    )
    rooms.audit.record(event, Put(request))
    return rooms.records.get(AirlockRequest, request.id)


def put_file(
    rooms: Rooms, caller: Caller, request_id: str, index: int, name: str, chunks: Iterable[bytes]
) -> AirlockRequest:
    """Put a file at its place, or another in place of the one there. Its bytes are never changed again.

    Raises `InvalidInput` (name, place), `Conflict` (not while it is checked or reviewed),
    `LimitExceeded` (its size), `NotFound`, `NotPermitted`.
    """
    request, project = found(rooms, request_id)
    airlock_permissions.change_request(caller, request, project)
    plain, now = safe_name(name), rooms.clock.now()
    # Said before the bytes are taken, not after.
    airlock_policies.with_file(request, index, _empty(plain, request), now)
    stored = rooms.airlock.receive(chunks)
    file = AirlockFile(
        name=plain,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        blob=stored.blob,
        sealed_key=stored.sealed_key,
        added_at=now,
    )
    replaced: list[AirlockFile] = []

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.change_request(caller, newest, of)
        replaced[:] = newest.files[index : index + 1]
        return airlock_policies.with_file(newest, index, file, now)

    facts = {"file": index, "sha256": file.sha256, "bytes": file.size_bytes}
    try:
        changed = write(rooms, caller, request_id, "put", change, details=facts)
    except BaseException:
        rooms.airlock.remove(stored.blob)
        raise
    for old in replaced:
        rooms.airlock.remove(old.blob)
    return changed


def remove_file(rooms: Rooms, caller: Caller, request_id: str, index: int) -> AirlockRequest:
    """Take a file out; those behind it move up. Raises as `put_file`."""
    removed: list[AirlockFile] = []

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.change_request(caller, newest, of)
        changed = airlock_policies.without_file(newest, index, rooms.clock.now())
        removed[:] = [newest.files[index]]
        return changed

    changed = write(rooms, caller, request_id, "remove", change, details={"file": index})
    for old in removed:
        rooms.airlock.remove(old.blob)
    return changed


def submit(rooms: Rooms, caller: Caller, request_id: str) -> AirlockRequest:
    """Hand the files to the checks, and after them to the reviewers; again is no harm."""
    request, project = found(rooms, request_id)
    airlock_permissions.change_request(caller, request, project)
    if request.state in (AirlockState.CHECKING, AirlockState.REVIEW):
        return request
    operation = check_airlock.plan(rooms, caller, request.id)

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.change_request(caller, newest, of)
        return airlock_policies.submitted(newest, operation.id, rooms.clock.now())

    done = write(
        rooms,
        caller,
        request_id,
        "submit",
        change,
        because=f"operation/{operation.id}",
        beside=lambda _changed: (Put(operation),),
    )
    rooms.operations.woken.set()
    return done


def withdraw(rooms: Rooms, caller: Caller, request_id: str) -> AirlockRequest:
    """Take one's request back; what was released can be fetched no more."""

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.change_request(caller, newest, of)
        return airlock_policies.withdrawn(newest, rooms.clock.now())

    return write(rooms, caller, request_id, "withdraw", change)


def _own_workspace(rooms: Rooms, caller: Caller, project: Project, workspace: str) -> None:
    try:
        machine = rooms.records.get(Workspace, workspace)
    except NotFound:
        machine = None
    if machine is None or machine.owner != caller.subject_id or machine.project != project.name:
        raise InvalidInput("This is no workspace of yours in the project.", where="workspace", todo="Leave it out.")


def _empty(name: str, request: AirlockRequest) -> AirlockFile:
    return AirlockFile(name=name, size_bytes=0, sha256="", blob="", sealed_key="", added_at=request.changed_at)
