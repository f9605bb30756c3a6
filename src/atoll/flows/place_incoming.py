"""Approved files are brought into the share of their project: `/project/incoming/<request>/<name>`.

Killed anywhere and run again, each file is there once: what is there already with the same
content counts as placed, and nothing is ever replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from atoll.access import airlock_policies
from atoll.errors import AlreadyExists, Conflict
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import found, write
from atoll.ledger import transfer_event
from atoll.model.airlock import AirlockFile, AirlockRequest, AirlockState
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM, Caller
from atoll.operations import StepContext, Story

STORY = "place_incoming"
_DEADLINE_SECONDS = 6 * 3600.0
_CHUNK_BYTES = 2**20


def plan(rooms: Rooms, caller: Caller, request_id: str) -> Operation:
    """The operation that places the files, not yet on record."""
    return rooms.operations.plan(
        story=STORY,
        subject=f"airlock_request/{request_id}",
        steps=("place",),
        caller=caller,
        deadline_seconds=_DEADLINE_SECONDS,
        params={"request": request_id},
    )


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(name=STORY, steps=(("place", partial(place, rooms)),), abandon=partial(abandon, rooms))


def place(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Every file that two reviewers let in, and no other."""
    request_id = context.operation.params["request"]
    request, _ = found(rooms, request_id)
    if request.state is not AirlockState.PLACING:
        return {}
    where: dict[int, str] = {}
    for index in sorted(airlock_policies.approved(request)):
        context.check()
        where[index] = _place(rooms, request, request.files[index])
        context.say(f"File {index} is placed.", sha256=request.files[index].sha256)
    because = f"operation/{context.operation.id}"
    write(
        rooms,
        PLATFORM,
        request_id,
        "place",
        lambda newest, _project: airlock_policies.placed(newest, where, rooms.clock.now()),
        details={"files": sorted(where)},
        because=because,
        beside=lambda changed: tuple(
            rooms.flow_log.append(
                transfer_event(
                    changed, index, person=changed.requester_id, because=f"{because}/{index}", at=rooms.clock.now()
                )
            )
            for index in where
        ),
    )
    return {}


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """The files could not be placed (the share is full): back to who asked."""
    request_id = context.operation.params["request"]
    if found(rooms, request_id)[0].state is not AirlockState.PLACING:
        return
    write(
        rooms,
        PLATFORM,
        request_id,
        "place_fail",
        lambda newest, _project: airlock_policies.not_placed(newest, rooms.clock.now()),
        details={"error_code": failure.error_code},
        because=f"operation/{context.operation.id}",
    )


def _place(rooms: Rooms, request: AirlockRequest, file: AirlockFile) -> str:
    content = rooms.airlock.whole(file)
    name = f"incoming/{request.id}/{file.name}"
    try:
        pieces = (content[at : at + _CHUNK_BYTES] for at in range(0, len(content), _CHUNK_BYTES))
        return str(rooms.shares.place(request.project, name, pieces))
    except AlreadyExists:
        with rooms.shares.read(request.project, name) as there:
            same = hashlib.sha256(there.read(file.size_bytes + 1)).hexdigest() == file.sha256
        if not same:
            raise Conflict("Somebody put another file in its place.", where=name, todo="Remove it.") from None
        return f"/project/{name}"
