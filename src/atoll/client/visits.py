"""Visits: from one's own browser into one's machine."""

from __future__ import annotations

from atoll.client.connection import Connection, Json, segment


class Visits:
    """Ways into machines."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ticket(self, workspace_id: str) -> Json:
        """Where a browser enters the machine, once: `url` and `expires_at`. Raises `Conflict` if it does not run."""
        return self._connection.post(f"/workspaces/{segment(workspace_id)}/ticket", {})
