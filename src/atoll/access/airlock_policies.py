"""The life of an airlock request: one table of what leads where, and the acts as pure functions.

An act takes the request as it is and gives the one that follows, or raises and changes
nothing. No act but `reviewed` leads to `released` or `placing`, and it does so only with
two approvals of the same content by two people, neither of whom asked or is of the project.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from atoll.errors import Conflict, InvalidInput, NotFound, NotPermitted
from atoll.model.airlock import (
    AirlockFile,
    AirlockRequest,
    AirlockReview,
    AirlockState,
    Decision,
    Direction,
    ReleaseGrant,
)
from atoll.model.person import Caller, Person, Project
from atoll.model.record import new_id

#: Reviewers that must agree.
REVIEWERS = 2
MAX_FILES = 50


class Act(StrEnum):
    """What is done to a request."""

    CHANGE = "change"
    SUBMIT = "submit"
    CHECKS_PASS = "checks_pass"  # noqa: S105 - no password
    CHECKS_RETURN = "checks_return"
    CHECKS_FAIL = "checks_fail"
    REVIEW = "review"
    REFUSE = "refuse"
    RELEASE = "release"
    ADMIT = "admit"
    PLACE = "place"
    PLACE_FAIL = "place_fail"
    GRANT = "grant"
    FETCH = "fetch"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"


_S = AirlockState
#: From which state, by which act, to which state. What is not here cannot happen.
TRANSITIONS: Mapping[tuple[AirlockState, Act], AirlockState] = MappingProxyType(
    {
        (_S.DRAFT, Act.CHANGE): _S.DRAFT,
        (_S.RETURNED, Act.CHANGE): _S.DRAFT,
        (_S.REFUSED, Act.CHANGE): _S.DRAFT,
        (_S.DRAFT, Act.SUBMIT): _S.CHECKING,
        (_S.CHECKING, Act.CHECKS_PASS): _S.REVIEW,
        (_S.CHECKING, Act.CHECKS_RETURN): _S.RETURNED,
        # The checks themselves could not be done.
        (_S.CHECKING, Act.CHECKS_FAIL): _S.DRAFT,
        (_S.REVIEW, Act.REVIEW): _S.REVIEW,
        (_S.REVIEW, Act.REFUSE): _S.REFUSED,
        (_S.REVIEW, Act.RELEASE): _S.RELEASED,
        (_S.REVIEW, Act.ADMIT): _S.PLACING,
        (_S.PLACING, Act.PLACE): _S.PLACED,
        (_S.PLACING, Act.PLACE_FAIL): _S.REFUSED,
        (_S.RELEASED, Act.GRANT): _S.RELEASED,
        (_S.RELEASED, Act.FETCH): _S.RELEASED,
        (_S.RELEASED, Act.EXPIRE): _S.EXPIRED,
        (_S.DRAFT, Act.WITHDRAW): _S.WITHDRAWN,
        (_S.CHECKING, Act.WITHDRAW): _S.WITHDRAWN,
        (_S.RETURNED, Act.WITHDRAW): _S.WITHDRAWN,
        (_S.REVIEW, Act.WITHDRAW): _S.WITHDRAWN,
        (_S.REFUSED, Act.WITHDRAW): _S.WITHDRAWN,
        (_S.RELEASED, Act.WITHDRAW): _S.WITHDRAWN,
    }
)


def after(request: AirlockRequest, act: Act) -> AirlockState:
    """The state that the act leads to. Raises `Conflict` when it is not for this state."""
    to = TRANSITIONS.get((request.state, act))
    if to is None:
        raise Conflict(
            f"The request is {request.state.value}; this cannot be done to it now.",
            where=f"airlock_request/{request.id}",
            todo="Look at where it stands; open a new one if it is over.",
        )
    return to


def own(caller: Caller, request: AirlockRequest) -> None:
    """Only who asked changes, submits and withdraws a request."""
    if caller.subject_id != request.requester_id:
        raise NotPermitted(
            "Only who asked may do this.",
            where=f"airlock_request/{request.id}",
            todo=f"Ask {request.requester}.",
        )


def with_file(request: AirlockRequest, index: int, file: AirlockFile, now: datetime) -> AirlockRequest:
    """Put a file in, or another in its place; every check and review of what was there is over."""
    state = after(request, Act.CHANGE)
    files = list(request.files)
    if not 0 <= index <= len(files) or index >= MAX_FILES:
        raise InvalidInput(
            f"The request has {len(files)} files and takes {MAX_FILES} at most; there is no place {index}.",
            where="index",
            todo=f"Replace one, or use {len(files)} for the next.",
        )
    if any(other.name == file.name for n, other in enumerate(files) if n != index):
        raise InvalidInput("Another file of the request has this name.", where="name", todo="Choose another name.")
    files[index : index + 1] = [file]
    return request.but(files=tuple(files), state=state, changed_at=now)


def without_file(request: AirlockRequest, index: int, now: datetime) -> AirlockRequest:
    """Take a file out; those behind it move up."""
    state = after(request, Act.CHANGE)
    file_at(request, index)
    files = tuple(file for n, file in enumerate(request.files) if n != index)
    return request.but(files=files, state=state, changed_at=now)


def file_at(request: AirlockRequest, index: int) -> AirlockFile:
    """The file. Raises `NotFound`."""
    if not 0 <= index < len(request.files):
        raise NotFound(f"The request has no file {index}.", where=f"airlock_request/{request.id}", todo="Count from 0.")
    return request.files[index]


def submitted(request: AirlockRequest, operation_id: str, now: datetime) -> AirlockRequest:
    """Hand the files over to the checks; a new round begins."""
    state = after(request, Act.SUBMIT)
    if not request.files:
        raise Conflict("The request holds no file.", where=f"airlock_request/{request.id}", todo="Put one in first.")
    files = tuple(file.but(form="", findings=None) for file in request.files)
    return request.but(
        state=state, files=files, round=request.round + 1, operation_id=operation_id, submitted_at=now, changed_at=now
    )


def checked(request: AirlockRequest, files: Sequence[AirlockFile], now: datetime) -> AirlockRequest:
    """Take what the checks found, of the files that are there. A file that they refuse goes to no reviewer."""
    kept = [file.but(form="", findings=None) for file in request.files]
    if kept != [file.but(form="", findings=None) for file in files] or any(f.findings is None for f in files):
        raise Conflict("The checks were of other files.", where=f"airlock_request/{request.id}")
    act = Act.CHECKS_RETURN if any(file.refused for file in files) else Act.CHECKS_PASS
    return request.but(state=after(request, act), files=tuple(files), changed_at=now)


def unchecked(request: AirlockRequest, now: datetime) -> AirlockRequest:
    """The checks could not be done: back to who asked."""
    return request.but(state=after(request, Act.CHECKS_FAIL), changed_at=now)


def may_review(caller: Caller, request: AirlockRequest, project: Project) -> None:
    """Neither who asked nor anybody of the project reviews it. Whether they may review at all is a scope."""
    if caller.subject_id == request.requester_id or caller.subject_id in project.members:
        raise NotPermitted(
            "Requests are reviewed by people who neither asked nor are of the project.",
            where=f"airlock_request/{request.id}",
            todo="Leave it to another reviewer.",
        )


def reviewed(
    request: AirlockRequest,
    caller: Caller,
    project: Project,
    decisions: Sequence[Decision],
    *,
    now: datetime,
    release: timedelta,
) -> AirlockRequest:
    """Add a reviewer's decisions on every file; with the second of two the request is decided.

    A review by somebody who is of the project by now counts no more. `release` is how
    long files that may leave can be fetched. Raises `NotPermitted`, `Conflict`, `InvalidInput`.
    """
    after(request, Act.REVIEW)
    may_review(caller, request, project)
    standing = tuple(r for r in request.current_reviews if r.reviewer_id not in project.members)
    if any(review.reviewer_id == caller.subject_id for review in standing):
        raise Conflict("You have reviewed it already.", where=f"airlock_request/{request.id}", todo="Nothing to do.")
    _every_file(request, decisions)
    review = AirlockReview(
        reviewer_id=caller.subject_id, reviewer=caller.name, round=request.round, at=now, decisions=tuple(decisions)
    )
    past = tuple(r for r in request.reviews if r.round != request.round)
    seen = request.but(reviews=(*past, *standing, review), changed_at=now)
    if len(standing) + 1 < REVIEWERS:
        return seen.but(state=after(request, Act.REVIEW))
    through = approved(seen, project.members)
    if not through:
        return seen.but(state=after(request, Act.REFUSE))
    if request.direction is Direction.IN:
        return seen.but(state=after(request, Act.ADMIT), released_at=now)
    grants = tuple(
        _grant(seen, index, seen.requester_id, seen.requester, caller, now, now + release) for index in sorted(through)
    )
    return seen.but(state=after(request, Act.RELEASE), grants=(*seen.grants, *grants), released_at=now)


def approved(request: AirlockRequest, members: Collection[str] = ()) -> frozenset[int]:
    """Indexes of files whose very content two different qualified people let through in this round."""
    reviews = {
        r.reviewer_id: r
        for r in request.current_reviews
        if r.reviewer_id != request.requester_id and r.reviewer_id not in members
    }
    if len(reviews) < REVIEWERS:
        return frozenset()
    return frozenset(
        index
        for index, file in enumerate(request.files)
        if file.findings is not None and not file.refused and all(r.approves(index, file) for r in reviews.values())
    )


def granted(
    request: AirlockRequest,
    caller: Caller,
    project: Project,
    index: int,
    person: Person,
    expires_at: datetime,
    now: datetime,
) -> AirlockRequest:
    """Let a person of the project fetch a file that was let through, once more."""
    state = after(request, Act.GRANT)
    may_review(caller, request, project)
    file_at(request, index)
    if index not in approved(request):
        raise Conflict("This file was not let through.", where=f"file {index}", todo="Only approved files leave.")
    if not project.has_member(person.id, now) or not person.active:
        raise InvalidInput("The person is not of the project.", where="login", todo="Name a member of the project.")
    grant = _grant(request, index, person.id, person.login, caller, now, expires_at)
    return request.but(state=state, grants=(*request.grants, grant), changed_at=now)


def fetchable(request: AirlockRequest, caller: Caller, index: int, now: datetime) -> ReleaseGrant:
    """The grant by which the caller may fetch the file now. Raises `NotPermitted`, `Conflict`, `NotFound`."""
    after(request, Act.FETCH)
    file = file_at(request, index)
    mine = [g for g in request.grants if g.index == index and g.person_id == caller.subject_id]
    if not mine or index not in approved(request):
        raise NotPermitted(
            "This file may not be fetched by you.",
            where=f"airlock_request/{request.id}, file {index}",
            todo="Released files are fetched by the person whom the grant names.",
        )
    for grant in mine:
        if grant.fetched_at is None and now < grant.expires_at and grant.sha256 == file.sha256:
            return grant
    raise Conflict(
        "The file was fetched already, or the time for it is over; a grant is good for one download.",
        where=f"airlock_request/{request.id}, file {index}",
        todo="Ask a reviewer for another grant.",
    )


def fetched(request: AirlockRequest, grant: ReleaseGrant, now: datetime) -> AirlockRequest:
    """The grant is used up."""
    state = after(request, Act.FETCH)
    grants = tuple(g.but(fetched_at=now) if g.id == grant.id else g for g in request.grants)
    return request.but(state=state, grants=grants, changed_at=now)


def overdue(request: AirlockRequest, now: datetime) -> bool:
    """Whether nobody can fetch anything of a release any more because its time is over."""
    return request.state is AirlockState.RELEASED and all(now >= grant.expires_at for grant in request.grants)


def expired(request: AirlockRequest, now: datetime) -> AirlockRequest:
    """The time to fetch is over."""
    if not overdue(request, now):
        raise Conflict("There is time yet to fetch the files.", where=f"airlock_request/{request.id}")
    return request.but(state=after(request, Act.EXPIRE), changed_at=now)


def placed(request: AirlockRequest, where: Mapping[int, str], now: datetime) -> AirlockRequest:
    """The files are in the project's share: all that were let through, and no other."""
    if set(where) != approved(request):
        raise Conflict("Other files were placed than were let through.", where=f"airlock_request/{request.id}")
    return request.but(state=after(request, Act.PLACE), placed=dict(where), changed_at=now)


def not_placed(request: AirlockRequest, now: datetime) -> AirlockRequest:
    """The files could not be brought in: back to who asked."""
    return request.but(state=after(request, Act.PLACE_FAIL), changed_at=now)


def withdrawn(request: AirlockRequest, now: datetime) -> AirlockRequest:
    """Take it back; what was released can be fetched no more."""
    return request.but(state=after(request, Act.WITHDRAW), changed_at=now)


def _every_file(request: AirlockRequest, decisions: Sequence[Decision]) -> None:
    if sorted(d.index for d in decisions) != list(range(len(request.files))):
        raise InvalidInput(
            f"A review decides on each of the {len(request.files)} files, once.",
            where="decisions",
            todo="Give one decision for each file.",
        )
    for decision in decisions:
        if decision.sha256 != request.files[decision.index].sha256:
            raise Conflict(
                "The file is another than the one that was looked at.",
                where=f"file {decision.index}",
                todo="Look at it again.",
            )
        if not decision.reason.strip():
            raise InvalidInput("A decision has a reason.", where=f"file {decision.index}", todo="Say why.")


def _grant(
    request: AirlockRequest, index: int, person_id: str, login: str, by: Caller, now: datetime, expires_at: datetime
) -> ReleaseGrant:
    return ReleaseGrant(
        id=new_id("rel"),
        index=index,
        sha256=request.files[index].sha256,
        person_id=person_id,
        person=login,
        granted_by=by.name,
        granted_at=now,
        expires_at=expires_at,
    )
