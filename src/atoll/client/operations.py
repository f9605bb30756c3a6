"""Long work, and the settings in force."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json, segment


class Operations:
    """Long work with steps, progress and a log."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, subject: str | None = None, at_most: int | None = None) -> Iterator[Json]:
        """Operations, newest first, of one subject (`delivery/dlv_...`) if given."""
        return self._connection.items("/operations", subject=subject, at_most=at_most)

    def show(self, operation_id: str) -> Json:
        """One operation with its steps and progress."""
        return self._connection.get(f"/operations/{segment(operation_id)}")

    def log(self, operation_id: str) -> Iterator[Json]:
        """The operation's durable log, oldest first."""
        return self._connection.items(f"/operations/{segment(operation_id)}/log")

    def cancel(self, operation_id: str) -> Json:
        """Ask it to end; what it has not committed is not committed."""
        return self._connection.delete(f"/operations/{segment(operation_id)}")


class Platform:
    """What the server says of itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def settings(self) -> Iterator[Json]:
        """The settings in force, secrets masked."""
        return self._connection.items("/settings")

    def scopes(self) -> Iterator[Json]:
        """Every right there is, what it allows, and who has it."""
        return self._connection.items("/scopes")
