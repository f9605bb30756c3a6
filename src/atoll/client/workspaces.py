"""Workspaces: launched, changed, shared, waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from atoll.client.connection import Connection, Json, segment
from atoll.client.progress import OnProgress, Progress, Stage, ignore
from atoll.errors import NotFound, Unavailable

_POLL_SECONDS = (0.05, 0.1, 0.2, 0.4)
_POLL_AT_MOST_SECONDS = 1.0


class Workspaces:
    """Machines of people in projects."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep

    def quote(
        self,
        product: str,
        project: str,
        *,
        name: str | None = None,
        size: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        backend: str | None = None,
        queue: bool = False,
    ) -> Json:
        """What a launch would come to; nothing is launched. Its price is `size.eur_per_hour`.

        `waits` says why it would wait in the queue, which it does only with `queue`.
        """
        body = _launch(product, project, name, size, parameters, backend, queue)
        found: Json = self._connection.post("/workspaces", {**body, "dry_run": True}, repeatable=True)["quote"]
        return found

    def create(
        self,
        product: str,
        project: str,
        *,
        confirm_eur_per_hour: Decimal | str,
        name: str | None = None,
        size: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        backend: str | None = None,
        queue: bool = False,
    ) -> Json:
        """Launch at the price that `quote` told. Raises `Conflict` when it is another now."""
        body = _launch(product, project, name, size, parameters, backend, queue)
        body["confirm_eur_per_hour"] = str(confirm_eur_per_hour)
        found: Json = self._connection.post("/workspaces", body)["workspace"]
        return found

    def list(self, *, project: str | None = None, ended: bool = False, at_most: int | None = None) -> Iterator[Json]:
        """Those that the caller may see, newest first; with `ended` the terminated too."""
        return self._connection.items("/workspaces", project=project, ended=ended or None, at_most=at_most)

    def show(self, workspace: str) -> Json:
        """One workspace, by id."""
        return self._connection.get(f"/workspaces/{segment(workspace)}")

    def id_of(self, name: str, owner: str | None = None) -> str:
        """The id of a standing workspace by its name, of this owner. Raises `NotFound`."""
        for workspace in self.list():
            if workspace["name"] == name and owner in (None, workspace["owner"]):
                return str(workspace["id"])
        raise NotFound("There is no such workspace.", where=name, todo="See `atoll workspace list`.")

    def stop(self, workspace: str) -> Json:
        """End its processes; the home stays."""
        return self._order(workspace, "stop")

    def hibernate(self, workspace: str) -> Json:
        """Have it stand still with its state kept."""
        return self._order(workspace, "hibernate")

    def wake(self, workspace: str) -> Json:
        """Have it run again."""
        return self._order(workspace, "wake")

    def resize(self, workspace: str, size: str, *, confirm_eur_per_hour: Decimal | str) -> Json:
        """Another size, at a confirmed price."""
        return self._order(workspace, "resize", {"size": size, "confirm_eur_per_hour": str(confirm_eur_per_hour)})

    def extend(self, workspace: str, days: int | None = None) -> Json:
        """Let it stand so many days from now, or as many as its product gives."""
        return self._order(workspace, "extend", {} if days is None else {"days": days})

    def terminate(self, workspace: str) -> Json:
        """Take it away for good, its home too."""
        return self._order(workspace, "terminate")

    def share(self, workspace: str, login: str, *, look_on: bool = False) -> Json:
        """Let a member of the project see it; with `look_on` its screen only, without keys and pointer."""
        path = f"/workspaces/{segment(workspace)}/shares/{segment(login)}"
        return self._connection.put(f"{path}?look_on=true" if look_on else path)

    def unshare(self, workspace: str, login: str) -> Json:
        """Let them see it no longer."""
        return self._connection.delete(f"/workspaces/{segment(workspace)}/shares/{segment(login)}")

    def log(self, workspace: str, *, last_bytes: int | None = None) -> Json:
        """`lines` of what was done to it, and its `output`."""
        return self._connection.get(f"/workspaces/{segment(workspace)}/log", last_bytes=last_bytes)

    def wait(self, workspace: str, on_progress: OnProgress = ignore, *, timeout_seconds: float = 600) -> Json:
        """Wait until it changes no more by itself; gives it as it stands then.

        Raises `Unavailable` when that takes longer; what is under way goes on.
        """
        give_up = time.monotonic() + timeout_seconds
        polls = 0
        while True:
            found = self.show(workspace)
            on_progress(_progress(found))
            if not found["changing"]:
                return found
            if time.monotonic() > give_up:
                raise Unavailable(
                    f"The workspace is still {found['state']} after {timeout_seconds:.0f} seconds; it goes on.",
                    where=workspace,
                    todo=f"Look again with `atoll workspace show {workspace}`.",
                )
            self._sleep(_POLL_SECONDS[polls] if polls < len(_POLL_SECONDS) else _POLL_AT_MOST_SECONDS)
            polls += 1

    def _order(self, workspace: str, verb: str, body: Json | None = None) -> Json:
        # Each says how it is wanted, so twice is the same as once.
        return self._connection.post(f"/workspaces/{segment(workspace)}/{verb}", body, repeatable=True)


def _launch(
    product: str,
    project: str,
    name: str | None,
    size: str | None,
    parameters: Mapping[str, Any] | None,
    backend: str | None,
    queue: bool,
) -> Json:
    given = {"product": product, "project": project, "name": name, "size": size, "backend": backend}
    body: Json = {key: value for key, value in given.items() if value is not None}
    return {**body, "parameters": dict(parameters or {}), **({"queue": True} if queue else {})}


def _progress(workspace: Json) -> Progress:
    """How far the operation on it is: its steps, each weighing the same."""
    if not workspace["changing"]:
        return Progress(Stage.MACHINE, 1, 1, str(workspace["state"]))
    operation = workspace.get("operation") or {}
    step = next((s["name"] for s in operation.get("steps", ()) if not s["done"]), "")
    what = f"{workspace['state']}: {step}" if step and operation.get("finished_at") is None else workspace["state"]
    return Progress(Stage.MACHINE, float(workspace["progress"] or 0), 1, str(what))
