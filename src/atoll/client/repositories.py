"""Git repositories of projects, what was pushed to them, and packages that went into machines."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json, segment


class Repositories:
    """By project."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, project: str) -> Iterator[Json]:
        """Those of a project."""
        return self._connection.items(f"/projects/{segment(project)}/repositories")

    def create(self, project: str, name: str) -> Json:
        """An empty one."""
        return self._connection.post(f"/projects/{segment(project)}/repositories", {"name": name})

    def show(self, project: str, name: str) -> Json:
        """One, with its backups."""
        return self._connection.get(f"/projects/{segment(project)}/repositories/{segment(name)}")

    def restore(
        self, project: str, name: str, *, generation: str = "", into: str | None = None, replace: bool = False
    ) -> Json:
        """Bring a backup back, the newest if none is named."""
        body: Json = {"generation": generation, "into": into, "replace": replace}
        return self._connection.post(f"/projects/{segment(project)}/repositories/{segment(name)}/restore", body)

    def pushes(self, project: str, *, at_most: int | None = None) -> Iterator[Json]:
        """What was pushed, newest first."""
        return self._connection.items(f"/projects/{segment(project)}/pushes", at_most=at_most)

    def packages(self, project: str, *, at_most: int | None = None) -> Iterator[Json]:
        """Packages that went into the project's machines, newest first."""
        return self._connection.items(f"/projects/{segment(project)}/packages", at_most=at_most)
