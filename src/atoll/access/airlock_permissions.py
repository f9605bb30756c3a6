"""May this caller see, open or look into an airlock request?"""

from __future__ import annotations

from atoll.access import airlock_policies, permissions
from atoll.access.scopes import Scope
from atoll.errors import NotPermitted
from atoll.model.airlock import AirlockRequest, AirlockState, Direction
from atoll.model.person import Caller, Project, SubjectKind


def open_request(caller: Caller, project: Project, direction: Direction) -> None:
    """Members of a project ask for it, either way. Raises `NotFound` for others."""
    del direction
    permissions.require(caller, Scope.AIRLOCK_REQUEST)
    if not permissions.is_member(caller, project):
        raise permissions.not_found("project", project.name)


def sees(caller: Caller, request: AirlockRequest, project: Project) -> bool:
    """Members see their project's requests; the holders of `airlock:read` those that were submitted, too."""
    if caller.subject_kind is not SubjectKind.PERSON or not permissions.has(caller, Scope.AIRLOCK_READ_OWN):
        return False
    if permissions.is_member(caller, project):
        return True
    return permissions.has(caller, Scope.AIRLOCK_READ) and request.submitted_at is not None


def see_request(caller: Caller, request: AirlockRequest, project: Project) -> None:
    """Raises `NotFound`."""
    if not sees(caller, request, project):
        raise permissions.not_found("airlock_request", request.id)


def change_request(caller: Caller, request: AirlockRequest, project: Project) -> None:
    """Who asked, while of the project. Raises `NotFound`, `NotPermitted`."""
    see_request(caller, request, project)
    permissions.require(caller, Scope.AIRLOCK_REQUEST)
    airlock_policies.own(caller, request)
    if not permissions.is_member(caller, project):
        raise permissions.not_found("airlock_request", request.id)


def review_request(caller: Caller, request: AirlockRequest, project: Project) -> None:
    """A reviewer who neither asked nor is of the project. Raises `NotFound`, `NotPermitted`."""
    see_request(caller, request, project)
    permissions.require(caller, Scope.AIRLOCK_REVIEW)
    airlock_policies.may_review(caller, request, project)


def look_into(caller: Caller, request: AirlockRequest, project: Project) -> None:
    """Who asked sees their own files, reviewers those that wait for or had their review."""
    see_request(caller, request, project)
    if caller.subject_id == request.requester_id and permissions.has(caller, Scope.AIRLOCK_REQUEST):
        return
    review_request(caller, request, project)
    if request.state in (AirlockState.DRAFT, AirlockState.RETURNED):
        raise NotPermitted("The request is being changed.", where=f"airlock_request/{request.id}", todo="Wait for it.")


def to_review(caller: Caller, request: AirlockRequest, project: Project) -> bool:
    """Whether it waits for a review by this caller."""
    return (
        request.state is AirlockState.REVIEW
        and sees(caller, request, project)
        and permissions.has(caller, Scope.AIRLOCK_REVIEW)
        and caller.subject_id != request.requester_id
        and caller.subject_id not in project.members
        and all(review.reviewer_id != caller.subject_id for review in request.current_reviews)
    )
