"""Workspaces as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field

from atoll.api.schemas.deliveries import OperationAnswer
from atoll.api.schemas.products import SizeAnswer
from atoll.flows.open_workspace import Launch, Quote
from atoll.flows.read_workspace import WorkspaceLog, WorkspaceView
from atoll.model.person import NAME
from atoll.model.record import Frozen
from atoll.model.said import LineBody, Sentence
from atoll.model.workspace import Desired, MachineState

_Price = Annotated[Decimal, Field(ge=0, max_digits=20, allow_inf_nan=False)]
_Size = Annotated[str, Field(max_length=40)]


class NewWorkspace(Frozen):
    """A workspace to launch."""

    #: Name of the product, or `<name>@<number>` for one version.
    product: Annotated[str, Field(max_length=64)]
    project: Annotated[str, Field(pattern=NAME)]
    #: Left out, it is made from the product's.
    name: Annotated[str, Field(pattern=NAME)] | None = None
    #: Left out, the product's default.
    size: _Size | None = None
    parameters: dict[str, Any] = {}
    #: Where it runs; left out, the first that fits.
    backend: Annotated[str, Field(max_length=40)] | None = None
    #: Where there is no room, wait in the queue and start by itself; without it such a launch is refused.
    queue: bool = False
    #: Say what it would come to and launch nothing.
    dry_run: bool = False
    #: The price of its size, as a dry run tells it; another price is a conflict.
    confirm_eur_per_hour: _Price | None = None

    def launch(self) -> Launch:
        """What is asked for."""
        return Launch(
            product=self.product,
            project=self.project,
            name=self.name,
            size=self.size,
            parameters=self.parameters,
            backend=self.backend,
            queue=self.queue,
        )


class NewSize(Frozen):
    """A size for a workspace."""

    size: _Size
    #: The price of the size; another price is a conflict.
    confirm_eur_per_hour: _Price | None = None


class Extension(Frozen):
    """How long a workspace stands from now."""

    #: Left out, as many as its product gives.
    days: Annotated[int, Field(ge=1, le=3660)] | None = None


class QuoteAnswer(Frozen):
    """What a launch comes to."""

    product: str
    title: Sentence
    project: str
    name: str
    size: SizeAnswer
    backend: str
    expires_at: datetime
    #: Sentences: what falls back and why, and whether the product is deprecated.
    warnings: tuple[Sentence, ...]
    #: Why it would wait in the queue; empty when it would start at once.
    waits: Sentence
    #: Whether a machine answers already that it would be given.
    ready: bool

    @classmethod
    def of(cls, quote: Quote) -> Self:
        """The quote."""
        return cls(
            product=quote.product.id,
            title=quote.product.product.title,
            project=quote.project,
            name=quote.name,
            size=SizeAnswer.of(quote.size),
            backend=quote.backend,
            expires_at=quote.expires_at,
            warnings=quote.warnings,
            waits=quote.waits,
            ready=quote.ready is not None,
        )


class SeenAnswer(Frozen):
    """What was last seen of the machine."""

    state: MachineState
    at: datetime
    detail: Sentence
    exit_status: int | None


class MountAnswer(Frozen):
    """What is seen inside at a path."""

    path: str
    #: `<dataset>@<number>`; null for the project's share.
    dataset_version: str | None
    writable: bool


class WorkspaceAnswer(Frozen):
    """A workspace; `state` is derived from what is wanted, what is seen and what is under way."""

    id: str
    name: str
    owner: str
    project: str
    #: `<name>@<number>` of the product.
    product: str
    size: str
    backend: str
    eur_per_hour: Decimal
    #: In a word: queued, provisioning, running, hibernated, stopping, unknown, failed, ...
    state: str
    #: Why it is so, in a sentence.
    reason: Sentence
    #: Of the operation under way, 0 to 1.
    progress: float | None
    #: Whether its state or size will change without anybody's doing.
    changing: bool
    desired: Desired
    observed: SeenAnswer
    created_at: datetime
    expires_at: datetime
    terminated_at: datetime | None
    shared_with: tuple[str, ...]
    #: Those of them who look on at its screen, without keys and pointer.
    looks_on: tuple[str, ...]
    #: Null for those who may not see what is inside.
    parameters: dict[str, Any] | None
    #: Path under which its service is reached.
    path: str
    #: 1 for the next to start; null for one that does not wait for room.
    queue_place: int | None
    #: `kept alive because ...` or `hibernated because ...`; empty before the idle rule has looked.
    idle_reason: Sentence
    #: Since when nobody has used it; null while it is in use, or not known.
    idle_since: datetime | None
    #: The last sign of use.
    last_seen_at: datetime | None
    #: How long it has run without a break; null while it does not run.
    uptime_seconds: float | None
    #: Running and storage since it was launched.
    spent_eur: Decimal
    mounts: tuple[MountAnswer, ...]
    operation: OperationAnswer | None

    @classmethod
    def of(cls, view: WorkspaceView) -> Self:
        """The workspace with its derived state."""
        workspace = view.workspace
        return cls(
            id=workspace.id,
            name=workspace.name,
            owner=workspace.owner_login,
            project=workspace.project,
            product=workspace.product,
            size=workspace.size,
            backend=workspace.backend,
            eur_per_hour=workspace.eur_per_hour,
            state=view.state.word,
            reason=view.state.reason,
            progress=view.state.progress,
            changing=view.changing,
            desired=workspace.desired,
            observed=SeenAnswer(
                state=workspace.observed.state,
                at=workspace.observed.at,
                detail=workspace.observed.detail,
                exit_status=workspace.observed.exit_status,
            ),
            created_at=workspace.created_at,
            expires_at=workspace.expires_at,
            terminated_at=workspace.terminated_at,
            shared_with=tuple(sorted(workspace.shared_with)),
            looks_on=tuple(sorted(workspace.looks_on)),
            parameters=dict(workspace.parameters) if view.inside else None,
            path=f"/w/{workspace.id}/",
            queue_place=view.queue_place,
            idle_reason=view.facts.idle_reason,
            idle_since=view.facts.idle_since,
            last_seen_at=view.facts.last_seen_at,
            uptime_seconds=view.facts.uptime_seconds,
            spent_eur=view.facts.spent_eur,
            mounts=tuple(
                MountAnswer(path=one.target, dataset_version=one.dataset_version or None, writable=one.writable)
                for one in view.facts.mounts
            ),
            operation=None if view.operation is None else OperationAnswer.of(view.operation),
        )


class LaunchAnswer(Frozen):
    """What a launch comes to, and the workspace; null for a dry run."""

    quote: QuoteAnswer
    workspace: WorkspaceAnswer | None


class WorkspaceLineAnswer(Frozen):
    """A line that an operation on the workspace said."""

    at: datetime
    operation: str
    story: str
    body: LineBody


class WorkspaceLogAnswer(Frozen):
    """What was done to the machine, oldest first, and the end of what it printed."""

    lines: tuple[WorkspaceLineAnswer, ...]
    #: Null for those who may not see what is inside, or while its backend cannot tell.
    output: str | None

    @classmethod
    def of(cls, log: WorkspaceLog) -> Self:
        """The log."""
        lines = tuple(
            WorkspaceLineAnswer(at=line.at, operation=line.operation, story=line.story, body=dict(line.body))
            for line in log.lines
        )
        return cls(lines=lines, output=log.output)
