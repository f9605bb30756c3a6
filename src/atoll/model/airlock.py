"""The airlock: files that ask to leave a project or to enter it, what was found in them, and who let them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class Direction(StrEnum):
    """Which way the files go."""

    OUT = "out"
    IN = "in"


class AirlockState(StrEnum):
    """Where a request stands; what leads from one to the next is in `access/airlock_policies.py`."""

    #: Files are gathered.
    DRAFT = "draft"
    #: The platform looks into the files.
    CHECKING = "checking"
    #: A check refuses a file: the requester changes it, or withdraws.
    RETURNED = "returned"
    #: Two reviewers decide, blind to each other.
    REVIEW = "review"
    #: Reviewers let no file through.
    REFUSED = "refused"
    #: Files may leave, once for each grant.
    RELEASED = "released"
    #: Files are brought into the project's share.
    PLACING = "placing"
    PLACED = "placed"
    WITHDRAWN = "withdrawn"
    #: The time to fetch the files is over.
    EXPIRED = "expired"


#: What never changes again.
FINAL = frozenset({AirlockState.PLACED, AirlockState.WITHDRAWN, AirlockState.EXPIRED})
#: While files may be changed.
OPEN = frozenset({AirlockState.DRAFT, AirlockState.RETURNED, AirlockState.REFUSED})


class Severity(StrEnum):
    """refuse: no reviewer may let it through. warn: a reviewer looks at it. info: good to know."""

    REFUSE = "refuse"
    WARN = "warn"
    INFO = "info"


class AirlockFinding(Frozen):
    """One thing that a check found. It holds no value of the file."""

    #: A stable word, e.g. `small_cells`.
    check: str
    severity: Severity
    #: Place of the file in the request, from 0.
    file: int
    #: Sheet, row, column, page, member of an archive; empty for the whole file.
    where: Sentence = ""
    message: Sentence
    todo: Sentence = ""


class AirlockFile(Frozen):
    """A file as it was put in. Other bytes are another file."""

    name: str
    size_bytes: int
    #: Of the content; approvals are of this, not of the name.
    sha256: str
    #: Where its encrypted content lies.
    blob: str
    #: Base64 of the content's key, sealed by the master key.
    sealed_key: str = Field(repr=False)
    added_at: datetime
    #: What it is by its content, e.g. `csv`; empty before the checks.
    form: str = ""
    #: None before the checks.
    findings: tuple[AirlockFinding, ...] | None = None

    @property
    def refused(self) -> bool:
        """Whether a check lets no reviewer pass it."""
        return any(f.severity is Severity.REFUSE for f in self.findings or ())


class Decision(Frozen):
    """What a reviewer says of one file."""

    index: int = Field(ge=0)
    #: Of what the reviewer looked at.
    sha256: str
    approve: bool
    reason: str


class AirlockReview(Frozen):
    """One reviewer's decisions on every file of a round."""

    reviewer_id: str
    reviewer: str
    #: A changed and submitted request is reviewed anew.
    round: int
    at: datetime
    decisions: tuple[Decision, ...]

    def approves(self, index: int, file: AirlockFile) -> bool:
        """Whether it lets exactly this content through."""
        return any(d.approve and d.index == index and d.sha256 == file.sha256 for d in self.decisions)


class ReleaseGrant(Frozen):
    """One person's right to fetch one file, once."""

    id: str
    index: int
    sha256: str
    person_id: str
    person: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    fetched_at: datetime | None = None


class AirlockStep(Frozen):
    """What was done to a request that changed its state, or let a file out."""

    at: datetime
    #: The word of the audit entry without its `airlock.`: `submit`, `check`, `review`, ...
    deed: str
    #: Where the request stood after it.
    state: AirlockState
    #: Login, or `platform`.
    by: str
    by_id: str
    round: int = 0


class AirlockRequest(Record):
    """Files with a purpose and a destination."""

    kind: ClassVar[str] = "airlock_request"
    indexes: ClassVar[tuple[str, ...]] = ("project", "requester_id", "state", "direction")

    #: Name of the project.
    project: str
    direction: Direction
    purpose: str
    #: Where the files go, and to whom.
    destination: str
    requester_id: str
    requester: str
    #: The workspace that it was asked from.
    workspace: str | None = None
    state: AirlockState = AirlockState.DRAFT
    opened_at: datetime
    changed_at: datetime
    #: How often it was submitted.
    round: int = 0
    submitted_at: datetime | None = None
    operation_id: str | None = None
    files: tuple[AirlockFile, ...] = ()
    #: Of all rounds.
    reviews: tuple[AirlockReview, ...] = ()
    grants: tuple[ReleaseGrant, ...] = ()
    released_at: datetime | None = None
    #: Where machines see the files that came in, by index.
    placed: dict[int, str] = {}
    #: What led from state to state, oldest first.
    history: tuple[AirlockStep, ...] = ()
    #: When the content of files that were not let through was removed.
    purged_at: datetime | None = None

    @property
    def current_reviews(self) -> tuple[AirlockReview, ...]:
        """Those of this round."""
        return tuple(review for review in self.reviews if review.round == self.round)
