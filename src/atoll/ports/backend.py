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
- After `destroy` is complete nothing is left: no process, mount, cgroup or directory,
  but the home, which `forget_home` removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from atoll.model.workspace import HibernateKind, MachineState


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


@dataclass(frozen=True)
class Mount:
    """A host directory seen inside, read-only unless `writable`."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class MachineSpec:
    """What a machine is to be.

    Attributes:
        workspace: id of the workspace.
        token: client token of this creation, the id of its `Resource`.
        environment: name of the environment that runs inside.
        service: `jupyter`, `terminal` or `batch`.
        base_url: path under which the service is reached, `/w/<id>/`.
        vcpu, memory_bytes, pids: limits.
        home_bytes: quota of the home, which outlives stop and hibernate.
        mounts: what is seen inside beside the home.
        gateway: host directory with the gateway's socket `gw.sock`, seen at /run/gw.
        parameters: of the product, checked.
        variables: environment variables, no secrets.
    """

    workspace: str
    token: str
    environment: str
    service: Literal["jupyter", "terminal", "batch"]
    base_url: str
    vcpu: float
    memory_bytes: int
    home_bytes: int
    pids: int = 512
    mounts: tuple[Mount, ...] = ()
    gateway: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """What a backend says of one machine.

    `socket` is where its service listens, once it answers; `detail` is for people.
    """

    workspace: str
    token: str | None
    state: MachineState
    detail: str = ""
    socket: Path | None = None
    exit_status: int | None = None


@dataclass(frozen=True)
class Figures:
    """What a machine uses now. `cpu_seconds` only grows while it runs."""

    cpu_seconds: float
    memory_bytes: int
    processes: int
    home_bytes: int


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

    def doctor(self) -> tuple[Finding, ...]:
        """What this host can give and what it cannot."""
        ...
