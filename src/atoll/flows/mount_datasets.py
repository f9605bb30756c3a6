"""A machine sees the data its project was granted: `/data/<dataset>/<table>/*.parquet`, read-only."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import NotFound
from atoll.flows.lay_out_dataset import GrantedVersion, granted_versions, lay_out, store
from atoll.flows.rooms import Rooms
from atoll.flows.workspace_owner import owner_of
from atoll.ledger import mount_event
from atoll.model.ledger import AuditEvent
from atoll.model.mount import DatasetMount, MountedBy
from atoll.model.person import Caller
from atoll.model.workspace import Workspace
from atoll.ports.backend import Mount
from atoll.ports.records import Put

#: Where datasets are inside a machine.
INSIDE = "/data"
_BATCH = 40


def mount_datasets(rooms: Rooms, workspace: Workspace, because: str = "") -> tuple[Mount, ...]:
    """Lay out what the workspace's project was granted, and say how its machine mounts it.

    One mount for each dataset, at the version granted, pinned or newest: `manifest.json`, and a directory of
    Parquet files for each table. To mount is to read, so the owner must be one who may
    query under the project. `because` is what it is done for, e.g. `operation/op_...`;
    done again for the same it is told once in audit and flows.

    Raises `NotFound` for an owner who is no member of the project any more,
    `NotPermitted` for one who may not query, `Unavailable`, and what queries raise.
    """
    owner = owner_of(rooms, workspace)
    permissions.query_under(owner, project_by_name(rooms.records, workspace.project))
    granted = granted_versions(rooms, workspace.project)
    # Written first, so that the sweeper takes nothing away that is being made ready.
    _note(rooms, workspace, granted, because)
    mounts = [lay_out(rooms, one, user=owner.name, because=f"workspace/{workspace.id}") for one in granted]
    _tell(rooms, workspace, owner, granted, mounts)
    return tuple(Mount(store(rooms).path(mount.id), f"{INSIDE}/{mount.dataset}") for mount in mounts)


def unmount_datasets(rooms: Rooms, workspace_id: str) -> None:
    """The machine is stopped or gone, so nothing is kept for it any more. Idempotent."""
    held = _mounted_by(rooms, workspace_id)
    if held.mounts:
        rooms.records.put(held.but(mounts=(), because="", told=False))


def _mounted_by(rooms: Rooms, workspace_id: str) -> MountedBy:
    try:
        return rooms.records.get(MountedBy, workspace_id)
    except NotFound:
        return MountedBy(id=workspace_id, mounts=())


def _note(rooms: Rooms, workspace: Workspace, granted: Sequence[GrantedVersion], because: str) -> None:
    held = _mounted_by(rooms, workspace.id)
    keys = tuple(one.key for one in granted)
    if held.version == 0 or (held.mounts, held.because) != (keys, because):
        rooms.records.put(held.but(mounts=keys, because=because, told=False))


def _tell(
    rooms: Rooms,
    workspace: Workspace,
    owner: Caller,
    granted: Sequence[GrantedVersion],
    mounts: Sequence[DatasetMount],
) -> None:
    held = _mounted_by(rooms, workspace.id)
    if held.told:
        return
    now = rooms.clock.now()
    flows = [
        rooms.flow_log.append(
            mount_event(
                mount,
                tuple(one.relations.values()),
                workspace=workspace.id,
                person=owner.subject_id,
                because=held.because,
                at=now,
            )
        )
        for one, mount in zip(granted, mounts, strict=True)
    ]
    event = AuditEvent(
        action="workspace.mount",
        target=f"workspace/{workspace.id}",
        caller=owner,
        because=held.because,
        details={
            "project": workspace.project,
            "versions": [mount.dataset_version for mount in mounts],
            "grants": [mount.grant for mount in mounts],
            "mounts": [mount.id for mount in mounts],
            "share": workspace.project,
        },
    )
    # A transaction takes 50 writes; the last one carries the mark that all is told.
    while len(flows) > _BATCH:
        rooms.records.transact(flows[:_BATCH])
        flows = flows[_BATCH:]
    rooms.audit.record(event, *flows, Put(held.but(told=True)))
