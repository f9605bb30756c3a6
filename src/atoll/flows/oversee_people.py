"""Who is signed in where, whose sign-in is slowed, and which tokens there are: for whoever keeps people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.access.throttle import Slowed
from atoll.errors import NotFound
from atoll.flows import second_factor
from atoll.flows.browser_sessions import end_sessions
from atoll.flows.front_door import FrontDoor
from atoll.flows.manage_people import show_person
from atoll.flows.rooms import Rooms
from atoll.model.person import ApiToken, Caller, Person, Source, SubjectKind
from atoll.model.session import Session
from atoll.ports.records import every


@dataclass(frozen=True)
class PersonAccess:
    """How a person can come in at this moment."""

    second_factor: bool
    #: Browsers that are signed in, the last one seen first.
    sessions: tuple[Session, ...]
    #: Where the person's login was tried in vain lately, as seen by this process.
    slowed: tuple[Slowed, ...]


@dataclass(frozen=True)
class NamedToken:
    """A token, and the login or the name of whom it speaks for."""

    token: ApiToken
    subject: str


@dataclass(frozen=True)
class TokenPage:
    """Some tokens, and where the next begin."""

    tokens: tuple[NamedToken, ...]
    cursor: str | None


def show_access(rooms: Rooms, door: FrontDoor, caller: Caller, person_id: str) -> PersonAccess:
    """Sessions, second factor and failed sign-ins of a person. Raises `NotFound`."""
    person = show_person(rooms, caller, person_id)
    now = rooms.clock.now()
    silent_since = now - timedelta(minutes=rooms.settings.session_idle_minutes)
    standing = [
        session
        for session in every(rooms.records, Session, {"person": person.id})
        if session.ended_at is None and session.expires_at > now and session.seen_at > silent_since
    ]
    return PersonAccess(
        second_factor=second_factor.has_factor(rooms, person.id),
        sessions=tuple(sorted(standing, key=lambda session: session.seen_at, reverse=True)),
        slowed=door.throttle.standing(person.login),
    )


def sign_out_person(rooms: Rooms, caller: Caller, person_id: str) -> int:
    """End every session and sign-in token of a person, but the one that asks; how many. API tokens stay.

    Raises `NotFound`.
    """
    permissions.require(caller, Scope.PEOPLE_WRITE)
    person = show_person(rooms, caller, person_id)
    return end_sessions(rooms, caller, person.id, because="signed out by an administrator", keep=caller.token_id)


def list_everybodys_tokens(rooms: Rooms, caller: Caller, cursor: str | None, limit: int) -> TokenPage:
    """The tokens of all people and sources, newest first."""
    permissions.require(caller, Scope.TOKENS_WRITE)
    page = rooms.records.find(ApiToken, cursor=cursor, limit=limit, newest_first=True)
    names = _names(rooms, page.records)
    return TokenPage(tuple(NamedToken(token, names[token.subject_id]) for token in page.records), page.cursor)


def _names(rooms: Rooms, tokens: Iterable[ApiToken]) -> dict[str, str]:
    return {id: _name(rooms, kind, id) for id, kind in {(token.subject_id, token.subject_kind) for token in tokens}}


def _name(rooms: Rooms, kind: SubjectKind, id: str) -> str:
    try:
        if kind is SubjectKind.PERSON:
            return rooms.records.get(Person, id).login
        return rooms.records.get(Source, id).name
    except NotFound:
        return id
