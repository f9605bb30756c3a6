"""Workspaces: one provisioned product, owned by one person in one project."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from atoll.model.person import NAME
from atoll.model.record import Frozen, Record

#: What may answer inside a machine.
Service = Literal["jupyter", "terminal", "batch", "desktop", "application"]
#: Services that are a screen: it is streamed, and no page of the machine is served.
STREAMED: tuple[Service, ...] = ("desktop", "application")


class Size(Frozen):
    """A size of machine, named like `m5.2xlarge`."""

    name: str
    family: str
    #: Virtual CPUs; a fraction is a share of one.
    vcpu: float = Field(gt=0)
    memory_bytes: int = Field(gt=0)
    #: While it runs. Storage is priced by the price book.
    eur_per_hour: Decimal = Field(ge=0)


class HibernateKind(StrEnum):
    """What keeps a hibernated machine's state.

    memory: processes stand still, CPU is freed, memory is kept; lost when the host restarts.
    disk: memory is written to disk; survives a restart of the host.
    """

    NONE = "none"
    MEMORY = "memory"
    DISK = "disk"


class IdleRule(Frozen):
    """When a machine counts as idle, and what happens then. A running cell keeps it alive always."""

    #: Minutes without work, sessions or jobs after which it is idle.
    after_minutes: int = Field(default=60, ge=1)
    #: What is done then.
    action: Literal["hibernate", "stop", "none"] = "hibernate"
    #: Use of one core over the last minutes above which it is busy, 0 to 1.
    busy_cpu: float = Field(default=0.1, gt=0, le=1)


class LifetimeRule(Frozen):
    """How long a machine stands at most; its owner is warned and may extend."""

    #: Days that a new one stands.
    days: int = Field(default=30, ge=1)
    #: Its owner is warned so many days before the end.
    warn_days: int = Field(default=3, ge=0)
    #: Most days from then on that an extension gives; 0 for none.
    extend_days: int = Field(default=30, ge=0)


class Product(Frozen):
    """An entry of the catalog of machines, one version. The YAML that operators write is this shape."""

    #: What it is launched by; a version is `<name>@<number>`.
    name: str = Field(pattern=NAME)
    #: For people.
    title: str
    #: A sentence or two: what is inside.
    description: str = ""
    #: Name of the environment that runs inside (environments are built on the host).
    environment: str = Field(pattern=NAME)
    #: What answers inside: a web server on a unix socket, a terminal in a page, nothing (a script), or a screen
    #: that is streamed: a whole desktop, or one application.
    service: Service
    #: Names of the sizes that may be chosen, the first is the default.
    sizes: tuple[str, ...] = Field(min_length=1)
    #: Capabilities a backend must have; `hibernate` may fall back as `fallback` says.
    needs: frozenset[Literal["mount", "hibernate", "hibernate_to_disk", "desktop", "resize"]] = frozenset()
    #: What is done instead where the backend lacks a capability, by capability.
    fallback: dict[str, str] = {}
    #: JSON Schema of the parameters; forms are made from it.
    parameters: dict[str, Any] = {}
    #: Quota of the home, which outlives stop and hibernate.
    home_bytes: int = Field(default=10 * 2**30, gt=0)
    idle: IdleRule = IdleRule()
    lifetime: LifetimeRule = LifetimeRule()
    #: Whether files may be saved from the machine's page to the visitor's own computer.
    downloads: bool = False
    #: Whether the page may read and write the visitor's clipboard by program.
    clipboard: bool = True
    #: Whether text may be pasted into a streamed screen, where the project allows it too. None ever comes out.
    paste: bool = True
    #: Machines kept ready for a quick launch, by name of the size. The platform pays for them until they are
    #: launched; they wait with the defaults of the parameters, and give way when the host is full.
    warm_pool: dict[str, Annotated[int, Field(ge=0, le=10)]] = {}

    @model_validator(mode="before")
    @classmethod
    def _without_old_warm(cls, data: object) -> object:
        """Products on record from before pools had sizes kept nothing ready."""
        if isinstance(data, dict) and data.get("warm") == 0:
            return {key: value for key, value in data.items() if key != "warm"}
        return data


class ProductState(StrEnum):
    """Where a version of a product stands in its life."""

    PUBLISHED = "published"
    #: Existing machines go on, new ones are warned of it.
    DEPRECATED = "deprecated"
    #: Nothing new is launched from it.
    RETIRED = "retired"


class ProductVersion(Record):
    """A version of a product in the catalog. Id `<name>@<number>`."""

    kind: ClassVar[str] = "product"
    indexes: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    number: int
    text: str
    product: Product
    state: ProductState = ProductState.PUBLISHED
    #: Names of the projects that may launch it; None means every project.
    projects: frozenset[str] | None = None
    published_by: str
    published_at: datetime


class Desired(StrEnum):
    """What its owner (or a rule) wants a workspace to be."""

    RUNNING = "running"
    HIBERNATED = "hibernated"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class MachineState(StrEnum):
    """What a backend says of a machine. `unknown` is not `stopped`: the backend could not tell."""

    ABSENT = "absent"
    STARTING = "starting"
    #: Its processes run and its service has answered.
    RUNNING = "running"
    FROZEN = "frozen"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Observed(Frozen):
    """What was last seen of the machine, and when."""

    state: MachineState = MachineState.ABSENT
    at: datetime
    #: In words: why it is so, e.g. `The host was restarted; memory was lost.`
    detail: str = ""
    #: Exit status of a batch job that has ended.
    exit_status: int | None = None


class Workspace(Record):
    """One provisioned product, owned by one person in one project."""

    kind: ClassVar[str] = "workspace"
    indexes: ClassVar[tuple[str, ...]] = ("owner", "project", "standing", "product", "unmet", "queue")

    name: str = Field(pattern=NAME)
    #: Id and login of the person.
    owner: str
    owner_login: str
    #: Name of the project.
    project: str
    #: `<name>@<number>` of the product version.
    product: str
    size: str
    backend: str
    parameters: dict[str, Any] = {}
    #: Price agreed at launch, EUR for an hour of running.
    eur_per_hour: Decimal
    created_at: datetime
    expires_at: datetime
    desired: Desired = Desired.RUNNING
    #: Why it is wanted so: `asked by ada`, `idle for 60 min`, `budget of heart-study is used up`.
    desired_because: str = ""
    #: Counts changes of what is wanted; the operation that has met it writes it to `observed_generation`.
    generation: int = 1
    observed: Observed
    observed_generation: int = 0
    #: Operation that works on it now or did last.
    operation_id: str | None = None
    #: Logins of people of the project it is shared with.
    shared_with: frozenset[str] = frozenset()
    #: Those of them who look on at its screen, without keys and pointer.
    looks_on: frozenset[str] = frozenset()
    terminated_at: datetime | None = None
    #: When it began to wait for room, and the generation of the wish that waits; a newer wish does not.
    queued_at: datetime | None = None
    queued_generation: int = 0
    #: Its size and price before the last resizing; they come back when that fails.
    size_before: str = ""
    eur_per_hour_before: Decimal | None = None

    @property
    def queued(self) -> bool:
        """Whether it waits for room, and nothing is made of it before."""
        waits = self.queued_at is not None and self.queued_generation == self.generation
        return waits and self.desired is Desired.RUNNING and self.terminated_at is None

    @property
    def queue(self) -> str | None:
        """Index of workspaces that wait for room: `queued`, or None."""
        return "queued" if self.queued else None

    @property
    def standing(self) -> str | None:
        """Index of workspaces that are not gone: `standing`, or None."""
        return "standing" if self.terminated_at is None else None

    @property
    def unmet(self) -> str | None:
        """Index of workspaces with a wish that no operation has met yet: `unmet`, or None."""
        met = self.terminated_at is not None or self.observed_generation >= self.generation
        return None if met or self.queued else "unmet"


class Resource(Record):
    """The resource ledger: written before a backend is asked to make something. Id is the client token."""

    kind: ClassVar[str] = "resource"
    indexes: ClassVar[tuple[str, ...]] = ("workspace", "live")

    workspace: str
    operation: str
    backend: str
    #: Name of the size it has now.
    size: str = ""
    made_at: datetime
    #: When the backend was first seen with it; until then its making may still be under way.
    seen_at: datetime | None = None
    #: When the backend was seen without it, for good.
    gone_at: datetime | None = None

    @property
    def live(self) -> str | None:
        """Index of resources that may exist: `live`, or None."""
        return "live" if self.gone_at is None else None


class Orphan(Record):
    """A machine of a backend that belongs to no standing workspace. Id `<backend>/<workspace>/<token>`."""

    kind: ClassVar[str] = "orphan"
    indexes: ClassVar[tuple[str, ...]] = ("open_key",)

    backend: str
    workspace: str
    token: str
    found_at: datetime
    #: When it was no longer there.
    gone_at: datetime | None = None

    @property
    def open_key(self) -> str | None:
        """Index of orphans that are still there: `open`, or None."""
        return "open" if self.gone_at is None else None


class WarmMachine(Record):
    """A machine made ready before anybody asked. Its id is that of the workspace it will be, once it is launched."""

    kind: ClassVar[str] = "warm_machine"
    indexes: ClassVar[tuple[str, ...]] = ("waiting", "held")
    unique: ClassVar[tuple[str, ...]] = ("held",)

    #: `<name>@<number>` of the product version.
    product: str
    size: str
    backend: str
    #: Its number in the pool, from 0.
    place: int = Field(ge=0)
    #: Id of its `Resource`, by whose token it is made.
    token: str
    made_at: datetime
    #: When the backend was last asked to make it.
    asked_at: datetime | None = None
    #: When its service was first seen to answer; only then it may be launched.
    ready_at: datetime | None = None
    #: Up to when its waiting is charged to the platform.
    charged_until: datetime | None = None
    #: When it became a person's workspace.
    claimed_at: datetime | None = None
    #: From when on it is to be taken away, and why. It is not launched any more then.
    ending_at: datetime | None = None
    ending_because: str = ""
    #: When nothing of it was left.
    gone_at: datetime | None = None

    @property
    def waiting(self) -> str | None:
        """Index of those that are nobody's and may still be there: `waiting`, or None."""
        return "waiting" if self.claimed_at is None and self.gone_at is None else None

    @property
    def held(self) -> str | None:
        """Index of places in pools: one machine each, None once it is taken or goes."""
        free = self.waiting is None or self.ending_at is not None
        return None if free else f"{self.product}/{self.size}/{self.backend}/{self.place}"
