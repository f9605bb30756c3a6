"""Two reviewers decide, blind to each other until both have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from atoll.access import airlock_permissions, airlock_policies
from atoll.access.directory import person_by_login
from atoll.errors import Conflict, NotFound
from atoll.flows import place_incoming
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import found, seen, write
from atoll.model.airlock import AirlockRequest, AirlockState, Decision
from atoll.model.person import Caller, Person, Project
from atoll.ports.records import Put


def review(rooms: Rooms, caller: Caller, request_id: str, decisions: Sequence[Decision]) -> AirlockRequest:
    """Decide on every file. The second review lets out, or brings in, what both approved.

    Raises `NotFound`, `NotPermitted` (own or own project's request), `Conflict` (reviewed
    already, not under review, another content), `InvalidInput`.
    """
    days = timedelta(days=rooms.settings.airlock_release_days)

    def change(newest: AirlockRequest, project: Project) -> AirlockRequest:
        airlock_permissions.review_request(caller, newest, project)
        return airlock_policies.reviewed(newest, caller, project, decisions, now=rooms.clock.now(), release=days)

    operation = place_incoming.plan(rooms, caller, request_id)
    done = write(
        rooms,
        caller,
        request_id,
        "review",
        change,
        details=_told,
        beside=lambda changed: (Put(operation),) if changed.state is AirlockState.PLACING else (),
    )
    rooms.operations.woken.set()
    return done


def grant_again(rooms: Rooms, caller: Caller, request_id: str, index: int, login: str | None = None) -> AirlockRequest:
    """A reviewer lets a person of the project fetch a released file once more. Raises as `review`."""
    request, project = seen(rooms, caller, request_id)
    airlock_permissions.review_request(caller, request, project)
    try:
        person = person_by_login(rooms.records, login or request.requester)
    except NotFound:
        person = _nobody(login or request.requester, request)
    now = rooms.clock.now()
    until = now + timedelta(days=rooms.settings.airlock_release_days)

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.review_request(caller, newest, of)
        return airlock_policies.granted(newest, caller, of, index, person, until, now)

    return write(rooms, caller, request_id, "grant", change, details={"file": index, "person": person.id})


def withdraw(rooms: Rooms, caller: Caller, request_id: str) -> AirlockRequest:
    """A reviewer takes a release back: what was not fetched can be fetched no more."""
    request, project = found(rooms, request_id)
    airlock_permissions.review_request(caller, request, project)

    def change(newest: AirlockRequest, of: Project) -> AirlockRequest:
        airlock_permissions.review_request(caller, newest, of)
        if newest.state is not AirlockState.RELEASED:
            raise Conflict(
                "Nothing of it is released.", where=f"airlock_request/{newest.id}", todo="Review it instead."
            )
        return airlock_policies.withdrawn(newest, rooms.clock.now())

    return write(rooms, caller, request_id, "withdraw", change)


def _told(changed: AirlockRequest) -> dict[str, object]:
    """What goes on record: decisions only once both have decided, as who may read the record may review, too."""
    if len(changed.current_reviews) < airlock_policies.REVIEWERS:
        return {"round": changed.round}
    return {
        "round": changed.round,
        "approved": sorted(airlock_policies.approved(changed)),
        "decisions": [
            {"reviewer": r.reviewer_id, "file": d.index, "sha256": d.sha256, "approve": d.approve}
            for r in changed.current_reviews
            for d in r.decisions
        ],
    }


def _nobody(login: str, request: AirlockRequest) -> Person:
    """Somebody who is not of the project: told as such, whether the login is known or not."""
    return Person(
        id="nobody", login=login, display_name="", roles=frozenset(), active=False, created_at=request.opened_at
    )
