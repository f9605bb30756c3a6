"""The airlock: files ask to leave a project or to enter it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from atoll.client.connection import Connection, Json, segment
from atoll.client.local_files import read_chunks
from atoll.errors import InvalidInput, Unavailable
from atoll.model.airlock import AirlockState

_POLL_SECONDS = 0.3


class Airlock:
    """Requests, their files, reviews and releases."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep

    def open(self, project: str, *, purpose: str, destination: str, direction: str = "out") -> Json:
        """A request without files."""
        body = {"project": project, "direction": direction, "purpose": purpose, "destination": destination}
        return self._connection.post("/airlock-requests", body)

    def put(self, request_id: str, index: int, path: Path, name: str | None = None) -> Json:
        """Put a local file at a place of the request. Raises `InvalidInput` when it cannot be read."""
        try:
            size_bytes = path.stat().st_size
        except OSError as problem:
            raise InvalidInput(f"The file cannot be read: {problem.strerror}.", where=str(path)) from None
        address = f"{_path(request_id)}/files/{index}?name={segment(name or path.name)}"
        return self._connection.upload(address, lambda: read_chunks(path), size_bytes)

    def put_from_share(self, request_id: str, index: int, path: str) -> Json:
        """Put a file of the project's share, by its path below `/project`, at a place of the request."""
        return self._connection.post(f"{_path(request_id)}/files/{index}/from-share", {"path": path})

    def remove(self, request_id: str, index: int) -> Json:
        """Take a file out."""
        return self._connection.delete(f"{_path(request_id)}/files/{index}")

    def submit(self, request_id: str) -> Json:
        """Hand the files to the checks."""
        return self._connection.post(f"{_path(request_id)}/submit", repeatable=True)

    def request(
        self, project: str, paths: Sequence[Path], *, purpose: str, destination: str, direction: str = "out"
    ) -> Json:
        """Open a request with these files and submit it."""
        opened = self.open(project, purpose=purpose, destination=destination, direction=direction)
        for index, path in enumerate(paths):
            self.put(opened["id"], index, path)
        return self.submit(opened["id"])

    def wait(self, request_id: str, *, timeout_seconds: float = 600) -> Json:
        """Wait until checks, or placing, are over; gives the request. Raises `Unavailable` after the time."""
        waited = 0.0
        while True:
            found = self.show(request_id)
            if found["state"] not in (AirlockState.CHECKING, AirlockState.PLACING):
                return found
            if waited > timeout_seconds:
                raise Unavailable("The airlock did not end in time.", where=request_id, todo="Look again later.")
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    def list(
        self,
        *,
        project: str | None = None,
        state: str | None = None,
        direction: str | None = None,
        mine: bool = False,
        to_review: bool = False,
        at_most: int | None = None,
    ) -> Iterator[Json]:
        """Those that the caller may see."""
        return self._connection.items(
            "/airlock-requests",
            project=project,
            state=state,
            direction=direction,
            mine=mine or None,
            to_review=to_review or None,
            at_most=at_most,
        )

    def show(self, request_id: str) -> Json:
        """One request: files, findings, reviews, grants."""
        return self._connection.get(_path(request_id))

    def preview(self, request_id: str, index: int) -> Json:
        """What is shown of a file."""
        return self._connection.get(f"{_path(request_id)}/files/{index}/preview")

    def review(self, request_id: str, decisions: Sequence[Json]) -> Json:
        """Decide on every file: `index`, `sha256` of what was looked at, `approve`, `reason`."""
        return self._connection.post(f"{_path(request_id)}/reviews", {"decisions": list(decisions)})

    def grant(self, request_id: str, index: int, login: str | None = None) -> Json:
        """Another download of a released file."""
        return self._connection.post(f"{_path(request_id)}/grants", {"index": index, "login": login})

    def withdraw(self, request_id: str) -> Json:
        """Take one's own request back."""
        return self._connection.post(f"{_path(request_id)}/withdraw")

    def revoke(self, request_id: str) -> Json:
        """A reviewer takes a release back."""
        return self._connection.post(f"{_path(request_id)}/revoke")

    def fetch(self, request_id: str, index: int, out: BinaryIO) -> int:
        """Write a released file to `out`; gives its bytes. It can be fetched once."""
        size_bytes = 0
        with self._connection.download(f"{_path(request_id)}/files/{index}/content") as chunks:
            for chunk in chunks:
                size_bytes += out.write(chunk)
        return size_bytes


def _path(request_id: str) -> str:
    return f"/airlock-requests/{segment(request_id)}"
