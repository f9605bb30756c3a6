"""Browsers are signed in by a cookie, judged at each request, and signed out: here, everywhere, or by time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from atoll.access import permissions, sessions
from atoll.access.scopes import Scope
from atoll.access.sessions import OpenedSession, SessionRefused
from atoll.errors import NotFound, VersionConflict
from atoll.flows.callers import caller_now
from atoll.flows.front_door import SIGN_IN_LABEL, FrontDoor
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import ApiToken, Caller, Person, Project, SubjectKind
from atoll.model.session import Session
from atoll.ports.records import Delete, Put, Write, every

log = logging.getLogger(__name__)

#: How exactly the last activity is kept; each step is a write.
_SEEN_EVERY = timedelta(minutes=1)
#: Writes of one transaction, with room for the audit's own.
_AT_ONCE = 40


@dataclass(frozen=True)
class Presence:
    """Who is signed in, as the pages show it."""

    person: Person
    projects: tuple[Project, ...]


def open_session(
    rooms: Rooms,
    person: Person,
    *,
    method: str,
    address: str,
    request_id: str,
    replaces: str | None = None,
    also: Sequence[Write] = (),
) -> OpenedSession:
    """A fresh session for a person who has proved who they are; the one that the browser had ends.

    Args:
        replaces: value of the cookie that the browser sent, if any.
        also: written with it.
    """
    opened = sessions.mint(
        person=person.id,
        method=method,
        now=rooms.clock.now(),
        life=timedelta(hours=rooms.settings.session_hours),
    )
    caller = caller_now(rooms, person, address, request_id)
    event = AuditEvent(
        action="session.open", target=f"session/{opened.session.id}", caller=caller, details={"method": method}
    )
    rooms.audit.record(event, Put(opened.session), *_ending(rooms, replaces), *also)
    return opened


def authenticate(
    rooms: Rooms, door: FrontDoor, secret: str, *, address: str, request_id: str, active: bool = True
) -> tuple[Caller, Session]:
    """Who the cookie speaks for, with the roles of this moment. Raises `SessionRefused`.

    Args:
        active: whether the person did something; what a page asks by itself keeps no session alive.
    """
    now = rooms.clock.now()
    try:
        session = sessions.find(
            rooms.records, secret, now=now, idle=timedelta(minutes=rooms.settings.session_idle_minutes)
        )
        person = _person(rooms, session)
    except SessionRefused as refused:
        _audit_refused(rooms, door, refused, address, request_id)
        raise
    if active and now >= session.seen_at + _SEEN_EVERY:
        _seen(rooms, session)
    return caller_now(rooms, person, address, request_id).but(token_id=session.id), session


def presence(rooms: Rooms, caller: Caller) -> Presence:
    """The person behind the caller, and their projects in order of name. Raises `NotFound` for a source."""
    permissions.require(caller, Scope.ME_READ)
    if caller.subject_kind is not SubjectKind.PERSON:
        raise permissions.not_found("session", "")
    own = (project for project in every(rooms.records, Project) if permissions.is_member(caller, project))
    return Presence(rooms.records.get(Person, caller.subject_id), tuple(sorted(own, key=lambda project: project.name)))


def close_session(rooms: Rooms, caller: Caller) -> None:
    """End the session with which the caller asks; visits to machines opened from it end too. Idempotent."""
    permissions.require(caller, Scope.ME_READ)
    session = _own(rooms, caller)
    if session.ended_at is not None:
        return
    event = AuditEvent(action="session.close", target=f"session/{session.id}", caller=caller)
    try:
        rooms.audit.record(event, Put(session.but(ended_at=rooms.clock.now())))
    except VersionConflict:
        # Seen or ended in the same moment by another request.
        close_session(rooms, caller)


def close_sessions(rooms: Rooms, caller: Caller) -> int:
    """Sign the caller out everywhere: sessions and tokens of sign-ins; how many. API tokens stay."""
    permissions.require(caller, Scope.ME_READ)
    return end_sessions(rooms, caller, caller.subject_id, because="signed out everywhere")


def end_sessions(rooms: Rooms, caller: Caller, person_id: str, *, because: str, keep: str | None = None) -> int:
    """End what the person's sign-ins opened, but the session or token `keep`; how many. On record when any."""
    ended = 0
    for _ in range(1000):
        writes = _standing(rooms, person_id, keep)[:_AT_ONCE]
        if not writes:
            return ended
        event = AuditEvent(
            action="session.close",
            target=f"person/{person_id}",
            caller=caller,
            because=because,
            details={"sessions": len(writes)},
        )
        try:
            rooms.audit.record(event, *writes)
        except VersionConflict:
            continue
        ended += len(writes)
    raise VersionConflict("Sessions are written to without end.", where=f"person/{person_id}", todo="Try again.")


def sweep_sessions(rooms: Rooms) -> int:
    """Remove sessions that are past their time; how many."""
    now, removed = rooms.clock.now(), 0
    late = [session for session in every(rooms.records, Session) if session.expires_at <= now]
    for first in range(0, len(late), _AT_ONCE):
        some = late[first : first + _AT_ONCE]
        try:
            rooms.records.transact([Delete(session) for session in some])
        except VersionConflict:
            # Another process sweeps; the next pass finds the rest.
            continue
        removed += len(some)
    return removed


def _standing(rooms: Rooms, person_id: str, keep: str | None) -> list[Write]:
    now = rooms.clock.now()
    opened = every(rooms.records, Session, {"person": person_id})
    writes: list[Write] = [
        Put(session.but(ended_at=now)) for session in opened if session.ended_at is None and session.id != keep
    ]
    writes += [
        Put(token.but(revoked_at=now))
        for token in every(rooms.records, ApiToken, {"subject_id": person_id})
        if token.label == SIGN_IN_LABEL and token.revoked_at is None and token.id != keep
    ]
    return writes


def _ending(rooms: Rooms, secret: str | None) -> list[Write]:
    if secret is None:
        return []
    try:
        now = rooms.clock.now()
        held = sessions.find(rooms.records, secret, now=now, idle=timedelta(days=1))
    except SessionRefused:
        return []
    return [Put(held.but(ended_at=now))]


def _own(rooms: Rooms, caller: Caller) -> Session:
    """The session with which the caller asks. Raises `NotFound` when they ask with a token."""
    try:
        return rooms.records.get(Session, caller.token_id or "")
    except NotFound:
        raise NotFound(
            "This request came with a token, not with a session.",
            where="session",
            todo="Sign in at `POST /api/v1/session` for one; a token is revoked by `DELETE /api/v1/tokens/{id}`.",
        ) from None


def _person(rooms: Rooms, session: Session) -> Person:
    try:
        person = rooms.records.get(Person, session.person)
    except NotFound:
        raise SessionRefused("gone", session) from None
    if not person.active:
        raise SessionRefused("deactivated", session)
    return person


def _seen(rooms: Rooms, session: Session) -> None:
    """Housekeeping, not an act: on no audit record. A write lost to another request's is no loss."""
    try:
        rooms.records.put(session.but(seen_at=rooms.clock.now()))
    except VersionConflict:
        log.debug("Another request of the session was noted.")


def _audit_refused(rooms: Rooms, door: FrontDoor, refused: SessionRefused, address: str, request_id: str) -> None:
    """Once a minute for a session on record; a cookie that nobody ever had leaves a log line only."""
    session = refused.session
    if session is None or not door.seldom.first(f"{session.id} {refused.reason}"):
        return
    caller = Caller(
        subject_kind=SubjectKind.PERSON,
        subject_id=session.person,
        name=session.person,
        token_id=session.id,
        address=address,
        request_id=request_id,
    )
    event = AuditEvent(
        action="session.refuse",
        target=f"session/{session.id}",
        caller=caller,
        allowed=False,
        details={"reason": refused.reason},
    )
    rooms.audit.record(event)
