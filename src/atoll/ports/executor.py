"""Where shares of an admission are carried out, as a port: a cluster instead of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Share = TypeVar("Share")
Done = TypeVar("Done")


class Executor(Protocol):
    """Runs the same function over many shares, on workers that see the same files."""

    def run(
        self, work: Callable[[Share], Done], shares: Sequence[Share], on_progress: Callable[[float], None]
    ) -> list[Done]:
        """`work` of every share, in their order.

        `work` is a function of a module that workers have too, and never raises. A share whose
        worker is lost is begun anew by another, so `work` may run twice, even at once.

        Args:
            work: what is done.
            shares: what it is done to; they hold keys, so they travel encrypted or stay on this host.
            on_progress: told the part done, 0 to 1, once a second at least; it may raise to stop the work.

        Raises `Unavailable` when there are no workers, or those there are were lost.
        """
        ...
