"""A person changes their own password."""

from __future__ import annotations

from atoll.access import permissions, policies
from atoll.access.passwords import hash_password
from atoll.access.scopes import Scope
from atoll.errors import Conflict, InvalidInput
from atoll.flows.browser_sessions import end_sessions
from atoll.flows.front_door import FrontDoor
from atoll.flows.manage_people import revoke_tokens
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Person, SubjectKind
from atoll.ports.records import Put


def change_own_password(rooms: Rooms, door: FrontDoor, caller: Caller, current: str, new: str) -> None:
    """Change the password of the caller's local account; other sessions and all tokens end.

    Raises `InvalidInput` for a wrong or a poor one, `Conflict` for an account without a
    password here, `TooManyAttempts`.
    """
    permissions.require(caller, Scope.ME_WRITE)
    if caller.subject_kind is not SubjectKind.PERSON:
        raise permissions.not_found("person", caller.name)
    person = rooms.records.get(Person, caller.subject_id)
    if person.origin != door.directory.origin or person.password_hash is None:
        raise Conflict(
            "Your account has no password here.",
            where=person.login,
            todo="Change it where you sign in, or ask for one.",
        )
    # Whoever found an open browser must not guess on.
    door.throttle.attempt(f"password of {person.id}", "")
    if door.directory.authenticate(person.login, current) is None:
        raise InvalidInput("The current password is wrong.", where="current", todo="Type the one you sign in with.")
    door.throttle.succeeded(f"password of {person.id}", "")
    policies.good_password(new, person.login)
    event = AuditEvent(action="person.change", target=f"person/{person.id}", caller=caller, details={"password": True})
    rooms.audit.record(event, Put(person.but(password_hash=hash_password(new))))
    end_sessions(rooms, caller, person.id, because="new password", keep=caller.token_id)
    revoke_tokens(rooms, caller, person, because="new password")
