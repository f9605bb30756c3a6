"""Browser sessions: made, told apart, and whether they still hold."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.access.tokens import digest
from atoll.errors import NotAuthenticated, NotFound, NotPermitted
from atoll.model.person import ApiToken
from atoll.model.record import new_id
from atoll.model.session import Session
from atoll.ports.records import RecordStore

PREFIX = "ses"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True)
class OpenedSession:
    """A session and the value of its cookie, which is told once and kept nowhere."""

    session: Session
    secret: str


class SessionRefused(NotAuthenticated):
    """A cookie that opens nothing.

    Attributes:
        reason: one word for the audit; the caller is not told it.
        session: the session on record, None when there is none.
    """

    def __init__(self, reason: str, session: Session | None = None) -> None:
        super().__init__("You are not signed in, or no longer.", todo="Sign in again.")
        self.reason = reason
        self.session = session


def mint(*, person: str, method: str, now: datetime, life: timedelta) -> OpenedSession:
    """A fresh session, not on record yet, with a secret of 256 random bits.

    A secret is never taken from the browser, so that nobody can plant one before a sign-in.
    """
    secret = secrets.token_urlsafe(32)
    session = Session(
        id=new_id(PREFIX),
        secret_hash=digest(secret),
        person=person,
        method=method,
        opened_at=now,
        seen_at=now,
        expires_at=now + life,
    )
    return OpenedSession(session, secret)


def find(records: RecordStore, secret: str, *, now: datetime, idle: timedelta) -> Session:
    """The session the cookie's value opens at this moment. Raises `SessionRefused`."""
    if _SECRET.match(secret) is None:
        raise SessionRefused("malformed")
    found = records.find(Session, where={"secret_hash": digest(secret)}, limit=1).records
    if not found:
        raise SessionRefused("unknown")
    session = found[0]
    if session.ended_at is not None:
        raise SessionRefused("ended", session)
    if now >= session.expires_at:
        raise SessionRefused("expired", session)
    if now >= session.seen_at + idle:
        raise SessionRefused("idle", session)
    return session


def csrf_token(secret: str) -> str:
    """What a page of ours sends with a change, and a page of others cannot know: it cannot read the cookie."""
    return hmac.new(secret.encode(), b"atoll csrf token", hashlib.sha256).hexdigest()


def check_csrf(secret: str, given: str | None) -> None:
    """Raise `NotPermitted` unless the token belongs to the session."""
    if not hmac.compare_digest(csrf_token(secret).encode(), (given or "").encode()):
        raise NotPermitted(
            "The request does not come from a page of Atoll.",
            where="X-Atoll-Csrf",
            todo="Send the `csrf_token` of `GET /api/v1/session` in the header X-Atoll-Csrf; reload the page.",
        )


def holds(records: RecordStore, credential: str, now: datetime) -> bool:
    """Whether the token or session with which something was opened is still good.

    For what outlives a request, such as a visit to a machine: idleness at the platform's
    own pages does not end it, the end of the session does.
    """
    try:
        if credential.startswith(f"{PREFIX}_"):
            session = records.get(Session, credential)
            return session.ended_at is None and now < session.expires_at
        token = records.get(ApiToken, credential)
    except NotFound:
        return False
    return token.revoked_at is None and now < token.expires_at
