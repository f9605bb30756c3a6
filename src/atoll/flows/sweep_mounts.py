"""Laid-out datasets that nobody may see or nobody needs any more are taken away."""

from __future__ import annotations

from typing import TypeVar

from atoll.errors import NotFound, VersionConflict
from atoll.flows import read_lake
from atoll.flows.lay_out_dataset import store
from atoll.flows.rooms import Rooms
from atoll.model.grant import Grant
from atoll.model.ledger import AuditEvent
from atoll.model.mount import DatasetMount, MountedBy
from atoll.model.person import PLATFORM
from atoll.model.record import Record
from atoll.model.workspace import Desired, MachineState, Workspace
from atoll.ports.records import Delete, every

R = TypeVar("R", bound=Record)
_GONE = frozenset({MachineState.ABSENT, MachineState.STOPPED})


def sweep_mounts(rooms: Rooms) -> int:
    """Take away what is not needed; how many directories.

    A directory stays while its grant is in force and it is of the version that it shows or a
    machine has it mounted. When the grant ends it goes at once: a machine that runs
    sees its files vanish, as its next query would be refused.
    """
    _forget_machines(rooms)
    known: set[str] = set()
    count = 0
    for mount in list(every(rooms.records, DatasetMount)):
        known.add(mount.id)
        count += _sweep(rooms, mount)
    places = store(rooms)
    for key in places.list_keys():
        # Left by a crash after its record was deleted.
        if key not in known:
            count += places.remove(key, unless=lambda key=key: _recorded(rooms, key))  # type: ignore[misc]
    return count


def _sweep(rooms: Rooms, mount: DatasetMount) -> bool:
    if _needed(rooms, mount) or not store(rooms).remove(mount.id, unless=lambda: _needed(rooms, mount)):
        return False
    event = AuditEvent(
        action="mount.withdraw",
        target=f"mount/{mount.id}",
        caller=PLATFORM,
        because=f"grant/{mount.grant}",
        details={
            "project": mount.project,
            "version": mount.dataset_version,
            "granted": _granted(rooms, mount),
            "workspaces": sorted(_users(rooms, mount.id)),
        },
    )
    try:
        rooms.audit.record(event, Delete(mount))
    except VersionConflict:
        # Another process swept it, or has just made it again: the next pass looks anew.
        return False
    return True


def _needed(rooms: Rooms, mount: DatasetMount) -> bool:
    if not _granted(rooms, mount):
        return False
    shown = read_lake.granted_version(rooms, rooms.records.get(Grant, mount.grant))
    if shown is not None and shown.id == mount.dataset_version:
        return True
    return bool(_users(rooms, mount.id))


def _granted(rooms: Rooms, mount: DatasetMount) -> bool:
    try:
        return rooms.records.get(Grant, mount.grant).holds(rooms.clock.now())
    except NotFound:
        return False


def _users(rooms: Rooms, key: str) -> set[str]:
    return {held.id for held in every(rooms.records, MountedBy) if key in held.mounts}


def _forget_machines(rooms: Rooms) -> None:
    for held in list(every(rooms.records, MountedBy)):
        if _is_gone(rooms, held.id):
            try:
                rooms.records.transact([Delete(held)])
            except VersionConflict:
                continue


def _is_gone(rooms: Rooms, workspace_id: str) -> bool:
    """Whether the workspace has no machine and is not about to get one."""
    try:
        workspace = rooms.records.get(Workspace, workspace_id)
    except NotFound:
        return True
    if workspace.standing is None:
        return True
    met = workspace.observed_generation == workspace.generation
    return workspace.desired is Desired.STOPPED and met and workspace.observed.state in _GONE


def _recorded(rooms: Rooms, key: str) -> bool:
    try:
        rooms.records.get(DatasetMount, key)
    except NotFound:
        return False
    return True
