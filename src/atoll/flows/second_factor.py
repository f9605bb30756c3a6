"""A person sets up a second factor, shows its code at sign-in, and takes it away again."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from atoll.access import permissions
from atoll.access import second_factor as codes
from atoll.access.scopes import Scope
from atoll.errors import Conflict, InvalidInput, NotFound, NotPermitted, Unavailable, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Person, SubjectKind
from atoll.model.second_factor import SecondFactor
from atoll.ports.keys import MasterKey
from atoll.ports.records import Delete, Put


@dataclass(frozen=True)
class Enrolment:
    """What the person's app needs; shown once."""

    secret: str
    uri: str


def has_factor(rooms: Rooms, person_id: str) -> bool:
    """Whether a code is asked of the person at sign-in."""
    found = _find(rooms, person_id)
    return found is not None and found.confirmed_at is not None


def start(rooms: Rooms, caller: Caller) -> Enrolment:
    """A fresh secret for the caller's app; none is asked for until a code of it is confirmed.

    Raises `Conflict` when one is in force, `Unavailable` without a master key.
    """
    person = _own(rooms, caller)
    known = _find(rooms, person.id)
    if known is not None and known.confirmed_at is not None:
        raise Conflict("You have a second factor already.", where="second-factor", todo="Remove it first.")
    secret = codes.new_secret()
    sealed = _master(rooms).seal(secret, context=_context(person.id))
    fresh = SecondFactor(
        id=person.id,
        version=0 if known is None else known.version,
        sealed=base64.b64encode(sealed).decode(),
        created_at=rooms.clock.now(),
    )
    event = AuditEvent(action="second_factor.start", target=f"person/{person.id}", caller=caller)
    rooms.audit.record(event, Put(fresh))
    return Enrolment(codes.as_text(secret), codes.uri(secret, person.login))


def confirm(rooms: Rooms, caller: Caller, code: str) -> tuple[str, ...]:
    """Put the factor in force; returns recovery codes, shown once.

    Raises `NotFound` when none was started, `Conflict` when it is in force, `InvalidInput` for a wrong code.
    """
    person = _own(rooms, caller)
    known = _find(rooms, person.id)
    if known is None:
        raise permissions.not_found("second factor", person.login)
    if known.confirmed_at is not None:
        raise Conflict("The second factor is in force already.", where="second-factor", todo="Nothing to do.")
    step = codes.matching_step(_secret(rooms, known), code, rooms.clock.now(), known.last_step)
    if step is None:
        raise InvalidInput(
            "The code is not what the app should show now.",
            where="code",
            todo="Check the clock of the device, and type the newest code.",
        )
    recovery = codes.new_recovery_codes()
    hashes = frozenset(filter(None, map(codes.recovery_hash, recovery)))
    changed = known.but(confirmed_at=rooms.clock.now(), last_step=step, recovery=hashes)
    event = AuditEvent(action="second_factor.confirm", target=f"person/{person.id}", caller=caller)
    rooms.audit.record(event, Put(changed))
    return recovery


def remove(rooms: Rooms, caller: Caller, code: str) -> None:
    """Take one's own factor away, with a code of it or a recovery code. Raises `NotFound`, `InvalidInput`."""
    person = _own(rooms, caller)
    if not has_factor(rooms, person.id):
        raise permissions.not_found("second factor", person.login)
    if not use_code(rooms, person, code, caller):
        raise InvalidInput("The code is wrong, used or too old.", where="code", todo="Type the newest code.")
    _delete(rooms, caller, person)


def reset(rooms: Rooms, caller: Caller, person_id: str) -> None:
    """Take somebody's factor away who lost the device and the recovery codes. Idempotent.

    Raises `NotFound`, `NotPermitted` for one's own.
    """
    permissions.require(caller, Scope.PEOPLE_WRITE)
    try:
        person = rooms.records.get(Person, person_id)
    except NotFound:
        raise permissions.not_found("person", person_id) from None
    if person.id == caller.subject_id:
        raise NotPermitted(
            "Nobody resets their own second factor.",
            where=f"person/{person.login}",
            todo="Remove it with a code, or ask another administrator.",
        )
    _delete(rooms, caller, person)


def use_code(rooms: Rooms, person: Person, code: str, caller: Caller) -> bool:
    """Whether this is a code of the person's factor that was not used before; it is used then.

    A recovery code is on record as used.
    """
    known = _find(rooms, person.id)
    if known is None or known.confirmed_at is None:
        return False
    hash = codes.recovery_hash(code)
    try:
        if hash is not None and hash in known.recovery:
            left = known.recovery - {hash}
            event = AuditEvent(
                action="second_factor.recover",
                target=f"person/{person.id}",
                caller=caller,
                details={"left": len(left)},
            )
            rooms.audit.record(event, Put(known.but(recovery=left)))
            return True
        step = codes.matching_step(_secret(rooms, known), code, rooms.clock.now(), known.last_step)
        if step is None:
            return False
        # Part of the sign-in, which is on record by itself.
        rooms.records.put(known.but(last_step=step))
    except VersionConflict:
        # Somebody used a code in the same moment, most likely this one.
        return False
    return True


def _delete(rooms: Rooms, caller: Caller, person: Person) -> None:
    known = _find(rooms, person.id)
    if known is None:
        return
    event = AuditEvent(action="second_factor.remove", target=f"person/{person.id}", caller=caller)
    rooms.audit.record(event, Delete(known))


def _own(rooms: Rooms, caller: Caller) -> Person:
    permissions.require(caller, Scope.ME_WRITE)
    if caller.subject_kind is not SubjectKind.PERSON:
        raise permissions.not_found("person", caller.name)
    return rooms.records.get(Person, caller.subject_id)


def _find(rooms: Rooms, person_id: str) -> SecondFactor | None:
    try:
        return rooms.records.get(SecondFactor, person_id)
    except NotFound:
        return None


def _secret(rooms: Rooms, factor: SecondFactor) -> bytes:
    return _master(rooms).open(base64.b64decode(factor.sealed), context=_context(factor.id))


def _master(rooms: Rooms) -> MasterKey:
    if rooms.sign_on.master is None:
        raise Unavailable("Second factors cannot be used here.", where="second-factor", todo="Ask an operator.")
    return rooms.sign_on.master


def _context(person_id: str) -> str:
    return f"second factor of {person_id}"
