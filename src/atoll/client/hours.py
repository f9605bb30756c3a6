"""Weekly hours of workspaces."""

from __future__ import annotations

from atoll.client.connection import Connection, Json, segment
from atoll.model.schedule import WeeklyHours


class WorkspaceHours:
    """When workspaces are to run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def show(self, workspace_id: str) -> Json:
        """`hours` (null when it has none), and `idle`: why it is kept alive or was put to rest."""
        return self._connection.get(f"/workspaces/{segment(workspace_id)}/hours")

    def set(self, workspace_id: str, hours: WeeklyHours | None) -> Json:
        """Set the hours, or take them away."""
        body = {"hours": None if hours is None else hours.model_dump(mode="json")}
        return self._connection.put(f"/workspaces/{segment(workspace_id)}/hours", body)
