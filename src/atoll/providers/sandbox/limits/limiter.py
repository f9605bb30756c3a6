"""What bounds machines on this host, as the backend sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Limits:
    """What one machine may use: CPUs (a fraction is a share of one), bytes of memory, processes and threads."""

    vcpu: float
    memory_bytes: int
    pids: int


@dataclass(frozen=True)
class Usage:
    """What one machine uses. `killed_for_memory` counts processes that the kernel ended at the memory limit."""

    cpu_seconds: float
    memory_bytes: int
    processes: int
    killed_for_memory: int = 0


class Limiter(Protocol):
    """Bounds machines. `key` names one on this host; every call is idempotent."""

    #: In words, for people.
    guarantee: str
    can_freeze: bool
    can_resize: bool
    #: Whether the kernel's own limits bound the machine, so that it needs no rlimits.
    strong: bool

    def prepare(self, key: str, limits: Limits) -> tuple[Path, ...]:
        """Make the machine's place. Returns files into which its first process writes `0` to enter."""
        ...

    def wrap(self, key: str, limits: Limits) -> tuple[str, ...]:
        """Words before the machine's command, where a program must place it."""
        ...

    def apply(self, key: str, limits: Limits) -> None:
        """Change the limits of a running machine."""
        ...

    def freeze(self, key: str) -> None:
        """Let its processes stand still. Raises `Unavailable` when they do not within two seconds."""
        ...

    def thaw(self, key: str) -> None:
        """Let them go on."""
        ...

    def frozen(self, key: str) -> bool:
        """Whether they stand still."""
        ...

    def kill(self, key: str) -> None:
        """End every process, frozen or not."""
        ...

    def usage(self, key: str, first: int | None) -> Usage | None:
        """What it uses, None when there is no such place. `first` is the pid of its first process."""
        ...

    def remove(self, key: str) -> None:
        """Take the place away. Raises `Unavailable` when processes in it do not end."""
        ...
