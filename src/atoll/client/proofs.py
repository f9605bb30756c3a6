"""Proofs of isolation: asked for, waited for, kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from atoll.client.connection import Connection, Json, segment
from atoll.client.progress import OnProgress, Progress, Stage, ignore
from atoll.errors import Conflict, Unavailable

_POLL_SECONDS = 0.3


class Proofs:
    """Attempts to break out of machines, and what came of them."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep

    def prove(self, workspace: str, *, bombs: bool = False) -> Json:
        """Have a running workspace tried; the proof as it stands at once."""
        return self._connection.post(f"/workspaces/{segment(workspace)}/proofs", {"bombs": bombs})

    def prove_fresh(self, *, product: str | None = None, backend: str | None = None, bombs: bool = False) -> Json:
        """Have a machine tried that is made for it; the proof as it stands at once."""
        return self._connection.post("/proofs", {"product": product, "backend": backend, "bombs": bombs})

    def show(self, proof: str) -> Json:
        """One proof, with its `evidence` once it is there."""
        return self._connection.get(f"/proofs/{segment(proof)}")

    def list(self, workspace: str | None = None, *, at_most: int | None = None) -> Iterator[Json]:
        """Proofs of a workspace, or those that one may see; newest first."""
        path = "/proofs" if workspace is None else f"/workspaces/{segment(workspace)}/proofs"
        return self._connection.items(path, at_most=at_most)

    def wait(self, proof: str, on_progress: OnProgress = ignore, *, timeout_seconds: float = 600) -> Json:
        """Wait for the evidence.

        Raises `Conflict` when the attempts could not be made, `Unavailable` when it takes longer.
        """
        give_up = time.monotonic() + timeout_seconds
        while True:
            found = self.show(proof)
            operation = found["operation"]
            step = next((s["name"] for s in operation["steps"] if not s["done"]), "done")
            on_progress(Progress(Stage.MACHINE, float(operation["progress"]), 1, step))
            if found["evidence"] is not None:
                return found
            if operation["finished_at"] is not None:
                failure = operation["failure"] or {}
                raise Conflict(
                    f"The attempts could not be made. {failure.get('message', '')}".strip(), where=f"proof/{proof}"
                )
            if time.monotonic() > give_up:
                raise Unavailable(
                    f"The proof is not there after {timeout_seconds:.0f} seconds; it goes on.", where=f"proof/{proof}"
                )
            self._sleep(_POLL_SECONDS)
