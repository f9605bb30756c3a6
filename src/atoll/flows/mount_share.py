"""A machine sees the share of its project at `/project`, to read and to write."""

from __future__ import annotations

from atoll.flows.rooms import Rooms
from atoll.model.workspace import Workspace
from atoll.ports.backend import Mount
from atoll.workspaces.project_shares import INSIDE


def mount_share(rooms: Rooms, workspace: Workspace) -> Mount:
    """The mount of the project's share, which is made when it is not there yet.

    Whether the owner is still of the project is asked by `mount_datasets`, which goes
    before and tells of both in the audit. Raises `Unavailable`.
    """
    return Mount(
        rooms.shares.path(workspace.project),
        INSIDE,
        writable=True,
        group=f"project/{workspace.project}",
        quota_bytes=rooms.shares.quota_bytes,
    )
