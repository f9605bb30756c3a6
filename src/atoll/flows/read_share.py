"""How full a project's share is, what lies in it, and how a file of it is put into an airlock request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from atoll.access import airlock_permissions, permissions
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import InvalidInput
from atoll.flows import request_airlock
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import found
from atoll.model.airlock import AirlockRequest, Direction
from atoll.model.person import Caller
from atoll.workspaces.project_shares import INSIDE, ShareEntry

_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class ShareUse:
    """How full a share is."""

    #: Where machines see it.
    path: str
    used_bytes: int
    quota_bytes: int


def show_share(rooms: Rooms, caller: Caller, name: str) -> ShareUse:
    """How full the share is. Raises `NotFound` for a project that may not be seen, `Unavailable`."""
    project = project_by_name(rooms.records, name)
    permissions.see_project(caller, project)
    return ShareUse(INSIDE, rooms.shares.used_bytes(project.name), rooms.shares.quota_bytes)


def list_files(rooms: Rooms, caller: Caller, name: str, folder: str = "") -> tuple[ShareEntry, ...]:
    """What lies in a folder of the share: names and sizes, for members who may ask for files to leave.

    Raises `NotFound`, also for a project that is not the caller's, and `InvalidInput`.
    """
    project = project_by_name(rooms.records, name)
    permissions.require(caller, Scope.AIRLOCK_REQUEST)
    if not permissions.is_member(caller, project):
        raise permissions.not_found("project", name)
    return rooms.shares.entries(project.name, folder)


def put_from_share(rooms: Rooms, caller: Caller, request_id: str, index: int, path: str) -> AirlockRequest:
    """Copy a file of the project's share into a request on the way out; what the share holds later counts no more.

    Raises as `request_airlock.put_file`, and `NotFound` when there is no such file.
    """
    request, project = found(rooms, request_id)
    airlock_permissions.change_request(caller, request, project)
    if request.direction is not Direction.OUT:
        raise InvalidInput("Files of the share are inside already.", where="path", todo="Upload the file instead.")
    with rooms.shares.read(project.name, path) as file:
        name = path.rpartition("/")[2]
        return request_airlock.put_file(rooms, caller, request_id, index, name, _chunks(file))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
