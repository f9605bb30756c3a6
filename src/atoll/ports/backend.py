"""Where workspaces run.

The contract, for whoever writes a backend:

- Every call is idempotent. `create` is known by its token: again with the same token
  it changes nothing and is no error. `destroy` of what is not there is done.
- A call returns when the backend has taken the order, not when the machine is there:
  what is true is what `observe` says, and in the end what `list_machines` says.
- A call may raise `Unavailable` at any time, also after it took effect. The caller
  then knows nothing and observes again; it neither repeats blindly nor gives up.
- `observe` and `list_machines` never guess: what they cannot tell is `unknown`.
- A machine carries its workspace id and token visibly to the host, so that a sweeper
  can compare both ways with the resource ledger.
- A machine may be made `anonymous`: started, its service answering, and nobody's. It has
  no data, no variables and no gateway of a person until `claim` gives it to one; its home
  is fresh. It is claimed once, by its own token; what cannot be claimed any more ends, and
  is started like any that is stopped.
- After `destroy` is complete nothing is left: no process, mount, cgroup or directory,
  but the home, which `forget_home` removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from atoll.model.workspace import HibernateKind, MachineState, Service


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do; nobody asks for its name to know.

    `isolation` and `limits` say in words how strong walls and limits are on this host.
    """

    hibernate: HibernateKind
    resize: Literal["none", "stopped", "live"]
    desktop: bool
    mount: bool
    isolation: str
    limits: str
    #: Whether attempts to break out can be made inside (`probe`).
    probes: bool = False
    #: Whether machines can be made ready before they are anybody's (`anonymous`, `claim`).
    warm: bool = False


@dataclass(frozen=True)
class Mount:
    """A host directory seen inside, read-only unless `writable`.

    `group` names those machines that write there together: what one writes, the others
    may change. `quota_bytes` is for what is writable, as strong as the backend says in
    its `limits`.
    """

    source: Path
    target: str
    writable: bool = False
    group: str = ""
    quota_bytes: int | None = None


@dataclass(frozen=True)
class MachineSpec:
    """What a machine is to be.

    Attributes:
        workspace: id of the workspace.
        token: client token of this creation, the id of its `Resource`.
        environment: name of the environment that runs inside.
        service: what answers inside.
        base_url: path under which the service is reached, `/w/<id>/`.
        vcpu, memory_bytes, pids: limits.
        home_bytes: quota of the home, which outlives stop and hibernate.
        mounts: what is seen inside beside the home.
        gateway: host directory with the gateway's socket `gw.sock`, seen at /run/gw.
        parameters: of the product, checked.
        variables: environment variables, no secrets.
        anonymous: it is made ready for nobody yet; `mounts` and `variables` are those of everybody.
    """

    workspace: str
    token: str
    environment: str
    service: Service
    base_url: str
    vcpu: float
    memory_bytes: int
    home_bytes: int
    pids: int = 512
    mounts: tuple[Mount, ...] = ()
    gateway: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False


@dataclass(frozen=True)
class Observation:
    """What a backend says of one machine.

    `socket` is where its service listens, once it answers; the screen of a streamed service
    (RFB 3.8, RFC 6143) is beside it, as `model.visit.SCREEN`. `detail` is for people.
    `anonymous` as long as it was not given to a person; `outdated` when a machine made now
    would have something else inside.
    """

    workspace: str
    token: str | None
    state: MachineState
    detail: str = ""
    socket: Path | None = None
    exit_status: int | None = None
    anonymous: bool = False
    outdated: bool = False


@dataclass(frozen=True)
class Figures:
    """What a machine uses now. `cpu_seconds` only grows while it runs."""

    cpu_seconds: float
    memory_bytes: int
    processes: int
    home_bytes: int


@dataclass(frozen=True)
class ProbeFacts:
    """What attempts to break out of a machine need to know of what is outside.

    Attributes:
        addresses: host and port of services that must not be reached.
        paths: of the host, that must not be seen.
        others: paths of other workspaces' sockets on the host.
        bombs: also try to use up processes, memory and disk; this disturbs the machine.
        fill: also fill the home past its quota, which is to end the machine.
    """

    addresses: tuple[tuple[str, int], ...] = ()
    paths: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    bombs: bool = False
    fill: bool = False


@dataclass(frozen=True)
class Probe:
    """One attempt to break out: what was tried, whether it was held, and what came of it."""

    group: str
    what: str
    held: bool
    detail: str


@dataclass(frozen=True)
class Finding:
    """A line of `atoll doctor`: what the host can or cannot give, and what to do."""

    what: str
    good: bool
    detail: str
    todo: str = ""


class Backend(Protocol):
    """Makes and keeps machines. See the module's contract."""

    name: str

    @property
    def capabilities(self) -> Capabilities:
        """What it can do on this host."""
        ...

    def create(self, spec: MachineSpec) -> None:
        """Make and start the machine. Raises `LimitExceeded` when the host has no room."""
        ...

    def start(self, spec: MachineSpec) -> None:
        """Start a stopped machine on its kept home, with a new token. As `create` when it is absent."""
        ...

    def claim(self, spec: MachineSpec) -> None:
        """Give an anonymous machine to its person: mounts and variables of `spec` come to be inside.

        `spec.token` is the one it was made by; nothing happens to another machine, to one
        that was claimed, or to none. Once it is no more observed `anonymous`, all is
        there, for whatever is started inside from then on. Raises `Conflict` when `warm`
        is not among the capabilities, `InvalidInput` for what cannot be mounted.
        """
        ...

    def stop(self, workspace: str) -> None:
        """End its processes; the home stays."""
        ...

    def freeze(self, workspace: str) -> None:
        """Hibernate. Raises `Conflict` when the capability is `none`."""
        ...

    def thaw(self, workspace: str) -> None:
        """Wake."""
        ...

    def resize(self, workspace: str, *, vcpu: float, memory_bytes: int) -> None:
        """Change limits live. Raises `Conflict` unless `resize` is `live`."""
        ...

    def destroy(self, workspace: str) -> None:
        """Take everything of the machine away but its home."""
        ...

    def forget_home(self, workspace: str) -> None:
        """Remove the home for good. Idempotent."""
        ...

    def observe(self, workspace: str) -> Observation:
        """The machine as it is; `absent` when there is none."""
        ...

    def list_machines(self) -> tuple[Observation, ...]:
        """Every machine the backend has. Raises `Unavailable` rather than tell a part."""
        ...

    def figures(self, workspace: str) -> Figures | None:
        """What it uses now, None when it does not run."""
        ...

    def log(self, workspace: str, *, last_bytes: int = 65_536) -> str:
        """The end of what the machine printed; kept after it is gone until `forget_home`."""
        ...

    def probe(self, workspace: str, facts: ProbeFacts) -> tuple[Probe, ...]:
        """Try to break out of a running machine, from inside and with the rights of its person.

        Returns when every attempt was made, some minutes at most. Raises `Conflict` when
        the machine does not run or `probes` is not among the capabilities, `Unavailable`.
        """
        ...

    def doctor(self) -> tuple[Finding, ...]:
        """What this host can give and what it cannot."""
        ...
