"""No control group at hand: limits of single processes, and a count of processes. Weaker, and said to be so."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from atoll.errors import Conflict
from atoll.providers.sandbox.limits.limiter import Limits, Usage

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Rlimits:
    """Bounds each process by itself; the sum of a machine's memory is not bounded."""

    guarantee = (
        "WEAK: no control group may be written here; memory is bounded for each process by itself, "
        "not for the machine, and CPU by whole cores"
    )
    can_freeze = False
    can_resize = False
    strong = False

    def prepare(self, key: str, limits: Limits) -> tuple[Path, ...]:
        """Nothing to make; the backend sets the rlimits at the start."""
        return ()

    def wrap(self, key: str, limits: Limits) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def apply(self, key: str, limits: Limits) -> None:
        """Raises `Conflict`: limits of running processes cannot be widened."""
        raise Conflict("This host cannot resize a running machine.", todo="Stop it, then start it at the new size.")

    def freeze(self, key: str) -> None:
        """Raises `Conflict`."""
        raise Conflict("This host cannot hibernate a machine.", todo="Stop it instead; its home is kept.")

    def thaw(self, key: str) -> None:
        """Nothing is ever frozen."""

    def frozen(self, key: str) -> bool:
        """Never."""
        return False

    def kill(self, key: str) -> None:
        """Nothing here: the end of a machine's first process ends all of it, by its pid namespace."""

    def usage(self, key: str, first: int | None) -> Usage | None:
        """The sum over the machine's processes that live now; what ended ones used is missing but waited-for ones."""
        if first is None:
            return None
        ticks = pages = count = 0
        for pid in (first, *_descendants(first)):
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(fields[index]) for index in (11, 12, 13, 14))
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                count += 1
        return Usage(ticks / _TICKS, pages * _PAGE_BYTES, count) if count else None

    def remove(self, key: str) -> None:
        """Nothing was made."""


def _descendants(first: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [first]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
