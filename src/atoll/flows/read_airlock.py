"""Airlock requests are listed, looked at and looked into, by those who may."""

from __future__ import annotations

from atoll.access import airlock_permissions, airlock_policies, permissions
from atoll.access.directory import project_by_name
from atoll.access.permissions import not_found
from atoll.access.scopes import Scope
from atoll.airlock import Job, Limits, Preview, preview_file
from atoll.errors import Conflict, NotFound
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import seen
from atoll.model.airlock import AirlockRequest, AirlockReview, AirlockState, AirlockStep, Direction
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Project
from atoll.ports.records import Page


def list_requests(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str | None = None,
    state: AirlockState | None = None,
    direction: Direction | None = None,
    mine: bool = False,
    to_review: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[AirlockRequest]:
    """Requests that the caller may see, newest first.

    Of one project, state or direction, own ones, or those that wait for the caller's review.
    A page may hold fewer than `limit` and still have a cursor. Raises `NotFound` for a
    project that may not be seen.
    """
    permissions.require(caller, Scope.AIRLOCK_READ_OWN)
    where: dict[str, str] = {}
    if project is not None:
        of = project_by_name(rooms.records, project)
        if not (permissions.has(caller, Scope.AIRLOCK_READ) or permissions.is_member(caller, of)):
            raise not_found("project", project)
        where["project"] = project
    if mine:
        where["requester_id"] = caller.subject_id
    if to_review:
        state = AirlockState.REVIEW
    if state is not None:
        where["state"] = state.value
    if direction is not None:
        where["direction"] = direction.value
    page = rooms.records.find(AirlockRequest, where=where or None, cursor=cursor, limit=limit, newest_first=True)
    allowed = airlock_permissions.to_review if to_review else _sees
    projects: dict[str, Project] = {}
    for request in page.records:
        if request.project not in projects:
            projects[request.project] = project_by_name(rooms.records, request.project)
    return Page(tuple(r for r in page.records if allowed(caller, r, projects[r.project])), page.cursor)


def show_request(rooms: Rooms, caller: Caller, request_id: str) -> tuple[AirlockRequest, Project]:
    """One request and its project. Raises `NotFound`."""
    return seen(rooms, caller, request_id)


def reviews_for(caller: Caller, request: AirlockRequest) -> tuple[AirlockReview, ...]:
    """The reviews that the caller may see: those of decided rounds, and one's own."""
    decided = {r.round for r in request.reviews if len(_of_round(request, r.round)) >= airlock_policies.REVIEWERS}
    return tuple(r for r in request.reviews if r.round in decided or r.reviewer_id == caller.subject_id)


def steps_told(caller: Caller, request: AirlockRequest, step: AirlockStep) -> bool:
    """Whether the caller may know who did this: of a round that is not decided, no reviewer but oneself."""
    if step.deed != "review" or step.by_id == caller.subject_id:
        return True
    return len(_of_round(request, step.round)) >= airlock_policies.REVIEWERS


def preview(rooms: Rooms, caller: Caller, request_id: str, index: int) -> Preview:
    """What of a file is shown: to who asked and to reviewers, and on record. Raises `NotFound`, `NotPermitted`."""
    request, project = seen(rooms, caller, request_id)
    airlock_permissions.look_into(caller, request, project)
    file = airlock_policies.file_at(request, index)
    if request.purged_at is not None and index not in airlock_policies.approved(request):
        raise Conflict("The content of this file was removed.", where=f"airlock_request/{request.id}, file {index}")
    rooms.audit.record(
        AuditEvent(
            action="airlock.look",
            target=f"airlock_request/{request.id}",
            caller=caller,
            details={"project": request.project, "file": index, "sha256": file.sha256},
        )
    )
    try:
        content = rooms.airlock.whole(file)
    except NotFound:
        raise not_found("file", str(index)) from None
    job = Job(
        index=index,
        name=file.name,
        size_bytes=file.size_bytes,
        direction=request.direction,
        limits=Limits(seconds=rooms.settings.airlock_check_seconds),
    )
    return preview_file(job, content)


def _sees(caller: Caller, request: AirlockRequest, project: Project) -> bool:
    return airlock_permissions.sees(caller, request, project)


def _of_round(request: AirlockRequest, number: int) -> tuple[AirlockReview, ...]:
    return tuple(review for review in request.reviews if review.round == number)
