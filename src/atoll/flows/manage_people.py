"""People are added, given roles, deactivated; whatever changes about them is audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from atoll.access import permissions, policies
from atoll.access.passwords import hash_password
from atoll.access.scopes import Scope
from atoll.errors import NotFound
from atoll.flows.browser_sessions import end_sessions
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import ApiToken, Caller, Person, Role
from atoll.model.record import new_id
from atoll.ports.records import Page, Put, Write

#: Writes of one transaction, with room for the audit's own.
_MAX_WRITES = 40
NO_DATES: Mapping[str, date | None] = MappingProxyType({})


def list_people(rooms: Rooms, caller: Caller, cursor: str | None = None, limit: int = 100) -> Page[Person]:
    """Everybody, the deactivated too."""
    permissions.require(caller, Scope.PEOPLE_READ)
    return rooms.records.find(Person, cursor=cursor, limit=limit)


def show_person(rooms: Rooms, caller: Caller, person_id: str) -> Person:
    """One person. Raises `NotFound`."""
    permissions.require(caller, Scope.PEOPLE_READ)
    return _person(rooms, person_id)


def add_person(
    rooms: Rooms,
    caller: Caller,
    *,
    login: str,
    display_name: str,
    roles: frozenset[Role],
    password: str | None = None,
) -> Person:
    """Somebody new; without a password they work by tokens only.

    Raises `InvalidInput` for a poor password, `AlreadyExists` when the login is taken.
    """
    permissions.require(caller, Scope.PEOPLE_WRITE)
    if password is not None:
        policies.good_password(password, login)
    person = Person(
        id=new_id("per"),
        login=login,
        display_name=display_name,
        roles=roles,
        password_hash=None if password is None else hash_password(password),
        created_at=rooms.clock.now(),
    )
    event = AuditEvent(
        action="person.add",
        target=f"person/{person.id}",
        caller=caller,
        details={"login": login, "roles": _words(roles), "password": password is not None},
    )
    rooms.audit.record(event, Put(person))
    return rooms.records.get(Person, person.id)


def change_person(
    rooms: Rooms,
    caller: Caller,
    person_id: str,
    *,
    display_name: str | None = None,
    roles: frozenset[Role] | None = None,
    active: bool | None = None,
    password: str | None = None,
    dates: Mapping[str, date | None] = NO_DATES,
) -> Person:
    """Change what is given; `dates` are `training_until` and `agreement_until`.

    A new password takes back every token made before it, and ends every session.

    Raises `NotFound`, `InvalidInput`, `NotPermitted` (own roles), `VersionConflict`.
    """
    permissions.require(caller, Scope.PEOPLE_WRITE)
    person = _person(rooms, person_id)
    changed = person.but(
        display_name=person.display_name if display_name is None else display_name,
        roles=person.roles if roles is None else roles,
        active=person.active if active is None else active,
        # Who is deactivated by a person is not let in again by the directory.
        left_at=person.left_at if active is None else None,
        **dates,
    )
    policies.dates_of_others(caller, person, changed)
    policies.roles_of_directory(person, changed)
    policies.change_person(caller, person, changed.roles, changed.active)
    if password is not None:
        policies.good_password(password, person.login)
        changed = changed.but(password_hash=hash_password(password))
    if changed == person:
        return person
    told = {name: None if day is None else day.isoformat() for name, day in dates.items()}
    event = AuditEvent(
        action="person.change",
        target=f"person/{person.id}",
        caller=caller,
        details={"roles": _words(changed.roles), "active": changed.active, "password": password is not None, **told},
    )
    rooms.audit.record(event, Put(changed))
    if password is not None:
        revoke_tokens(rooms, caller, person, because="new password")
        end_sessions(rooms, caller, person.id, because="new password", keep=caller.token_id)
    return rooms.records.get(Person, person.id)


def _person(rooms: Rooms, person_id: str) -> Person:
    try:
        return rooms.records.get(Person, person_id)
    except NotFound:
        raise permissions.not_found("person", person_id) from None


def revoke_tokens(rooms: Rooms, caller: Caller, person: Person, *, because: str) -> None:
    """Every token of the person, but the one with which the caller asks for this."""
    cursor: str | None = None
    while True:
        page = rooms.records.find(ApiToken, where={"subject_id": person.id}, cursor=cursor, limit=_MAX_WRITES)
        now = rooms.clock.now()
        writes: list[Write] = [
            Put(token.but(revoked_at=now))
            for token in page.records
            if token.revoked_at is None and token.id != caller.token_id
        ]
        if writes:
            event = AuditEvent(
                action="token.revoke",
                target=f"person/{person.id}",
                caller=caller,
                because=because,
                details={"tokens": len(writes)},
            )
            rooms.audit.record(event, *writes)
        if page.cursor is None:
            return
        cursor = page.cursor


def _words(roles: frozenset[Role]) -> list[str]:
    return sorted(role.value for role in roles)
