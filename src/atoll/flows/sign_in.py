"""People prove who they are, callers show tokens, and tokens are made and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.access import permissions, policies, tokens
from atoll.access.directory import person_by_login, source_by_name
from atoll.access.scopes import Scope
from atoll.access.tokens import MintedToken, TokenRefused
from atoll.errors import (
    AlreadyExists,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    SecondFactorRequired,
    TooManyAttempts,
    VersionConflict,
)
from atoll.flows import second_factor
from atoll.flows.callers import caller_now, data_rules
from atoll.flows.directory_people import TurnedAway, admit
from atoll.flows.front_door import SIGN_IN_LABEL, FrontDoor
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, ApiToken, Caller, Person, Role, SubjectKind
from atoll.ports.records import Page, Put

FIRST_ADMIN = "admin"
_TRIES = 5


@dataclass(frozen=True)
class Attempt:
    """Somebody tries to sign in by password.

    Attributes:
        code: of the second factor, where the account has one.
        browser: id of the browser on record from which the owner of the login has signed in before.
    """

    login: str
    password: str
    code: str | None = None
    browser: str | None = None
    address: str = ""
    request_id: str = ""


def sign_in(rooms: Rooms, door: FrontDoor, attempt: Attempt) -> MintedToken:
    """A token for the person, good for `sign_in_hours`. Raises what `prove` raises."""
    person = prove(rooms, door, attempt)
    now = rooms.clock.now()
    token, secret = tokens.mint(
        subject_kind=SubjectKind.PERSON,
        subject_id=person.id,
        label=SIGN_IN_LABEL,
        now=now,
        expires_at=now + timedelta(hours=rooms.settings.sign_in_hours),
    )
    caller = caller_now(rooms, person, attempt.address, attempt.request_id)
    rooms.audit.record(AuditEvent(action="session.open", target=f"token/{token.id}", caller=caller), Put(token))
    return MintedToken(token, secret)


def prove(rooms: Rooms, door: FrontDoor, attempt: Attempt) -> Person:
    """The person whose login and password these are, and whose code where one is asked for.

    Raises `NotAuthenticated` for a wrong login or password (which one is not told),
    `SecondFactorRequired`, `TooManyAttempts` when guessing is too fast, `Unavailable`
    without the directory.
    """
    origin = f"browser/{attempt.browser}" if attempt.browser else attempt.address
    login = attempt.login.strip().casefold()
    _count(rooms, door, attempt, login, origin)
    person = _person_of(rooms, door, attempt, login)
    if second_factor.has_factor(rooms, person.id):
        if not attempt.code:
            raise SecondFactorRequired("A code is asked for as well.", todo="Type the code that your app shows.")
        # Whoever tries codes has the password, so these are counted whatever their address.
        _count(rooms, door, attempt, f"code of {person.id}", f"browser/{attempt.browser}" if attempt.browser else "")
        caller = caller_now(rooms, person, attempt.address, attempt.request_id)
        if not second_factor.use_code(rooms, person, attempt.code, caller):
            refuse_sign_in(rooms, "wrong code", person.login, attempt.address, attempt.request_id)
            raise NotAuthenticated("The code is wrong, used or too old.", todo="Type the newest code.")
        door.throttle.succeeded(f"code of {person.id}", f"browser/{attempt.browser}" if attempt.browser else "")
    door.throttle.succeeded(login, origin)
    return person


def _count(rooms: Rooms, door: FrontDoor, attempt: Attempt, key: str, origin: str) -> None:
    try:
        door.throttle.attempt(key, origin)
    except TooManyAttempts:
        if door.seldom.first(f"throttled {attempt.address}"):
            refuse_sign_in(rooms, "throttled", attempt.login, attempt.address, attempt.request_id)
        raise


def _person_of(rooms: Rooms, door: FrontDoor, attempt: Attempt, login: str) -> Person:
    """By the account on record where there is a local one, by the directory otherwise."""
    directory, reason = rooms.sign_on.directory, "wrong login or password"
    found = rooms.records.find(Person, where={"login": login}, limit=1).records
    if directory is None or (found and found[0].origin == door.directory.origin):
        if door.directory.authenticate(login, attempt.password) is not None:
            return person_by_login(rooms.records, login)
    else:
        identity = directory.authenticate(login, attempt.password)
        if identity is not None:
            try:
                return admit(rooms, directory.origin, identity)
            except TurnedAway as turned:
                reason = turned.reason
    refuse_sign_in(rooms, reason, attempt.login, attempt.address, attempt.request_id)
    raise NotAuthenticated("Login or password is wrong.", todo="Check both and try again.")


def authenticate(rooms: Rooms, door: FrontDoor, secret: str, *, address: str, request_id: str) -> Caller:
    """Who the token speaks for. Raises `NotAuthenticated`.

    A refusal of a token that is on record is audited under its subject, once a minute;
    one that nobody ever had leaves a log line only, or strangers could fill the chain.
    """
    try:
        return tokens.authenticate(
            rooms.records, rooms.clock, secret, address=address, request_id=request_id, rules=data_rules(rooms)
        )
    except TokenRefused as refused:
        if refused.token is not None and door.seldom.first(f"{refused.token.id} {refused.reason}"):
            _audit_refused_token(rooms, refused.token, refused.reason, address, request_id)
        raise


def refuse(rooms: Rooms, door: FrontDoor, caller: Caller, what: str, scope: Scope) -> None:
    """Put on record, once a minute, that a known caller asked for what they have no right to."""
    if not door.seldom.first(f"{caller.token_id} {what}"):
        return
    rooms.audit.record(
        AuditEvent(action="request.refuse", target=what, caller=caller, allowed=False, details={"scope": scope.value})
    )


def make_token(
    rooms: Rooms, caller: Caller, *, label: str, expires_at: datetime | None = None, login: str | None = None
) -> MintedToken:
    """A token for oneself, or with `tokens:write` for the person `login`.

    Ends after `token_days` unless told otherwise. Raises `InvalidInput`, `NotFound`, `NotPermitted`.
    """
    if login is None or login == caller.name:
        permissions.require(caller, Scope.TOKENS_OWN)
        return _mint(rooms, caller, SubjectKind.PERSON, caller.subject_id, label=label, expires_at=expires_at)
    permissions.require(caller, Scope.TOKENS_WRITE)
    person = person_by_login(rooms.records, login)
    return _mint(rooms, caller, SubjectKind.PERSON, person.id, label=label, expires_at=expires_at)


def make_source_token(
    rooms: Rooms, caller: Caller, source: str, *, label: str, expires_at: datetime | None = None
) -> MintedToken:
    """A token with which the source delivers. Raises `InvalidInput`, `NotFound`, `NotPermitted`."""
    permissions.require(caller, Scope.SOURCES_WRITE)
    found = source_by_name(rooms.records, source)
    return _mint(rooms, caller, SubjectKind.SOURCE, found.id, label=label, expires_at=expires_at)


def list_tokens(
    rooms: Rooms,
    caller: Caller,
    *,
    login: str | None = None,
    source: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[ApiToken]:
    """One's own tokens, or with `tokens:write` those of a person or a source."""
    subject_id = caller.subject_id
    if source is not None:
        permissions.require(caller, Scope.TOKENS_WRITE)
        subject_id = source_by_name(rooms.records, source).id
    elif login is not None and login != caller.name:
        permissions.require(caller, Scope.TOKENS_WRITE)
        subject_id = person_by_login(rooms.records, login).id
    else:
        permissions.require(caller, Scope.TOKENS_OWN)
    return rooms.records.find(ApiToken, where={"subject_id": subject_id}, cursor=cursor, limit=limit, newest_first=True)


def revoke_token(rooms: Rooms, caller: Caller, token_id: str) -> None:
    """Take a token back at once; again is no harm. Raises `NotFound`, also for another's token."""
    for _ in range(_TRIES):
        try:
            token = rooms.records.get(ApiToken, token_id)
        except NotFound:
            raise permissions.not_found("token", token_id) from None
        permissions.manage_token(caller, token)
        if token.revoked_at is not None:
            return
        event = AuditEvent(action="token.revoke", target=f"token/{token_id}", caller=caller)
        try:
            rooms.audit.record(event, Put(token.but(revoked_at=rooms.clock.now())))
            return
        except VersionConflict:
            continue
    raise VersionConflict("The token is written to without end.", where=f"token/{token_id}", todo="Try again.")


def ensure_admin(rooms: Rooms, keep: Callable[[str], None] = lambda _: None) -> str | None:
    """On a store without people make the person `admin` and a token; returns its secret, once.

    `keep` is given the secret before the token is on record: a process that dies in
    between leaves a secret that opens nothing, never a token whose secret is lost.
    None when there are people already, also when another process was faster.
    """
    if rooms.records.find(Person, limit=1).records:
        return None
    now = rooms.clock.now()
    # A fixed id: of two processes that start at once, one writes and the other is told.
    person = Person(
        id="per_first_admin",
        login=FIRST_ADMIN,
        display_name="Administrator",
        roles=frozenset({Role.ADMIN}),
        created_at=now,
    )
    token, secret = tokens.mint(
        subject_kind=SubjectKind.PERSON,
        subject_id=person.id,
        label="first start",
        now=now,
        expires_at=now + timedelta(days=rooms.settings.token_days),
    )
    event = AuditEvent(
        action="person.add",
        target=f"person/{person.id}",
        caller=PLATFORM,
        because="first start",
        details={"login": person.login, "roles": [Role.ADMIN.value], "token": token.id},
    )
    keep(secret)
    try:
        rooms.audit.record(event, Put(person), Put(token))
    except (AlreadyExists, VersionConflict):
        return None
    return secret


def _mint(
    rooms: Rooms, caller: Caller, kind: SubjectKind, subject_id: str, *, label: str, expires_at: datetime | None
) -> MintedToken:
    now = rooms.clock.now()
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidInput("The end has no time zone.", where="expires_at", todo="Write it like 2030-01-31T12:00:00Z.")
    ends = expires_at or now + timedelta(days=rooms.settings.token_days)
    policies.token_lifetime(now, ends)
    token, secret = tokens.mint(subject_kind=kind, subject_id=subject_id, label=label, now=now, expires_at=ends)
    event = AuditEvent(
        action="token.make",
        target=f"token/{token.id}",
        caller=caller,
        details={"for": f"{kind.value}/{subject_id}", "expires_at": ends.isoformat()},
    )
    rooms.audit.record(event, Put(token))
    return MintedToken(rooms.records.get(ApiToken, token.id), secret)


def refuse_sign_in(rooms: Rooms, reason: str, login: str, address: str, request_id: str) -> None:
    """Audit a failed sign-in. A login that nobody has is not kept: it may be a password typed too early."""
    try:
        target = f"person/{person_by_login(rooms.records, login).id}"
    except NotFound:
        target = "person/unknown"
    nobody = Caller(
        subject_kind=SubjectKind.PERSON,
        subject_id="anonymous",
        name="anonymous",
        address=address,
        request_id=request_id,
    )
    rooms.audit.record(
        AuditEvent(action="session.refuse", target=target, caller=nobody, allowed=False, details={"reason": reason})
    )


def _audit_refused_token(rooms: Rooms, token: ApiToken, reason: str, address: str, request_id: str) -> None:
    caller = Caller(
        subject_kind=token.subject_kind,
        subject_id=token.subject_id,
        name=token.subject_id,
        token_id=token.id,
        address=address,
        request_id=request_id,
    )
    rooms.audit.record(
        AuditEvent(
            action="session.refuse",
            target=f"token/{token.id}",
            caller=caller,
            allowed=False,
            details={"reason": reason},
        )
    )
