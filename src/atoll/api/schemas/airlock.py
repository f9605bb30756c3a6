"""Airlock requests as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.access import airlock_policies
from atoll.access.airlock_permissions import to_review
from atoll.flows.read_airlock import reviews_for, steps_told
from atoll.model.airlock import (
    AirlockFile,
    AirlockFinding,
    AirlockRequest,
    AirlockReview,
    AirlockState,
    AirlockStep,
    Decision,
    Direction,
    ReleaseGrant,
    Severity,
)
from atoll.model.person import LOGIN, NAME, Caller, Project
from atoll.model.record import Frozen
from atoll.model.said import Sentence

_Text = Annotated[str, Field(min_length=1, max_length=2000)]


class NewAirlockRequest(Frozen):
    """Files that are to leave a project, or to enter it."""

    project: Annotated[str, Field(pattern=NAME)]
    direction: Direction = Direction.OUT
    #: What for.
    purpose: _Text
    #: Where the files go, and to whom; on the way in, where they come from.
    destination: _Text
    #: The workspace that asks; a machine says its own.
    workspace: Annotated[str, Field(max_length=64)] | None = None


class NewDecision(Frozen):
    """A reviewer's word on one file."""

    index: Annotated[int, Field(ge=0)]
    approve: bool
    reason: _Text
    #: Of the content that was looked at; another content by now is a conflict.
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def decision(self) -> Decision:
        """As it is kept."""
        return Decision(index=self.index, sha256=self.sha256, approve=self.approve, reason=self.reason)


class NewAirlockReview(Frozen):
    """A reviewer's word on every file."""

    decisions: Annotated[tuple[NewDecision, ...], Field(min_length=1, max_length=airlock_policies.MAX_FILES)]


class NewReleaseGrant(Frozen):
    """Another download of a released file."""

    index: Annotated[int, Field(ge=0)]
    #: A member of the project; left out, who asked.
    login: Annotated[str, Field(pattern=LOGIN)] | None = None


class AirlockFileAnswer(Frozen):
    """A file of a request."""

    index: int
    name: str
    size_bytes: int
    sha256: str
    form: str
    added_at: datetime
    #: Left out before the checks.
    findings: tuple[AirlockFinding, ...] | None
    #: Whether a check lets no reviewer pass it.
    refused: bool
    #: Whether two reviewers let it through; known once both have decided.
    approved: bool | None
    #: Where machines see it, once it came in.
    placed: str | None

    @classmethod
    def of(cls, request: AirlockRequest, index: int, file: AirlockFile, approved: bool | None) -> Self:
        """The file at its place."""
        return cls(
            index=index,
            name=file.name,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            form=file.form,
            added_at=file.added_at,
            findings=file.findings,
            refused=file.refused,
            approved=approved,
            placed=request.placed.get(index),
        )


class AirlockReviewAnswer(Frozen):
    """A reviewer's word."""

    reviewer: str
    round: int
    at: datetime
    decisions: tuple[Decision, ...]

    @classmethod
    def of(cls, review: AirlockReview) -> Self:
        """The review."""
        return cls(reviewer=review.reviewer, round=review.round, at=review.at, decisions=review.decisions)


class ReleaseGrantAnswer(Frozen):
    """A person's right to fetch a file once."""

    id: str
    index: int
    person: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    fetched_at: datetime | None

    @classmethod
    def of(cls, grant: ReleaseGrant) -> Self:
        """The grant."""
        return cls(**grant.model_dump(exclude={"sha256", "person_id"}))


class AirlockStepAnswer(Frozen):
    """What was done to a request."""

    at: datetime
    #: The word of the audit entry without its `airlock.`: `submit`, `check`, `review`, ...
    deed: str
    state: AirlockState
    #: Left out of a review until both are there, but for one's own.
    by: str | None

    @classmethod
    def of(cls, step: AirlockStep, *, told: bool) -> Self:
        """The step, with who did it where that may be told."""
        return cls(at=step.at, deed=step.deed, state=step.state, by=step.by if told else None)


class AirlockRequestAnswer(Frozen):
    """A request, with as much of its reviews as the caller may see."""

    id: str
    project: str
    direction: Direction
    purpose: str
    destination: str
    requester: str
    workspace: str | None
    state: AirlockState
    round: int
    opened_at: datetime
    submitted_at: datetime | None
    changed_at: datetime
    released_at: datetime | None
    operation: str | None
    files: tuple[AirlockFileAnswer, ...]
    #: Hidden until both reviewers have decided, but for one's own.
    reviews: tuple[AirlockReviewAnswer, ...]
    grants: tuple[ReleaseGrantAnswer, ...]
    #: Oldest first.
    history: tuple[AirlockStepAnswer, ...]
    #: How many of the two have decided in this round.
    reviewed: int
    #: Whether it waits for a review by the caller.
    to_review: bool
    #: Whether the caller asked.
    mine: bool

    @classmethod
    def of(cls, request: AirlockRequest, project: Project, caller: Caller) -> Self:
        """The request as this caller sees it."""
        decided = len(request.current_reviews) >= airlock_policies.REVIEWERS
        through = airlock_policies.approved(request)
        return cls(
            **request.model_dump(
                exclude={
                    *("kind", "version", "requester_id", "operation_id", "files", "reviews", "grants"),
                    *("placed", "purged_at", "history"),
                }
            ),
            operation=request.operation_id,
            files=tuple(
                AirlockFileAnswer.of(request, index, file, index in through if decided else None)
                for index, file in enumerate(request.files)
            ),
            reviews=tuple(map(AirlockReviewAnswer.of, reviews_for(caller, request))),
            grants=tuple(map(ReleaseGrantAnswer.of, request.grants)),
            history=tuple(
                AirlockStepAnswer.of(step, told=steps_told(caller, request, step)) for step in request.history
            ),
            reviewed=len(request.current_reviews),
            to_review=to_review(caller, request, project),
            mine=caller.subject_id == request.requester_id,
        )


class AirlockCheckAnswer(Frozen):
    """A check, and how much it weighs each way; null where it is not made."""

    name: str
    out: Severity | None
    into: Severity | None
    help: Sentence

    @classmethod
    def of(cls, name: str, out: Severity | None, into: Severity | None, help: str) -> Self:
        """The check."""
        return cls(name=name, out=out, into=into, help=help)
