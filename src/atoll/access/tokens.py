"""API tokens: made, told apart, and turned into a caller."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from atoll.access.callers import NO_RULES, DataRules, caller_of
from atoll.errors import NotAuthenticated, NotFound
from atoll.model.person import ApiToken, Caller, Person, Source, SubjectKind
from atoll.model.record import new_id
from atoll.ports.clock import Clock
from atoll.ports.records import RecordStore

PREFIX = "atoll_"
_SECRET = re.compile(r"atoll_[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True)
class MintedToken:
    """A token and its secret, which is shown once and kept nowhere."""

    token: ApiToken
    secret: str


class TokenRefused(NotAuthenticated):
    """A token that does not speak for anybody.

    Attributes:
        reason: one word for the audit; the caller is not told it.
        token: the token on record, None when there is none.
    """

    def __init__(self, reason: str, token: ApiToken | None = None) -> None:
        super().__init__(
            "The token is missing, wrong, expired or revoked.",
            todo="Sign in again, or ask an administrator for a token.",
        )
        self.reason = reason
        self.token = token


def mint(
    *, subject_kind: SubjectKind, subject_id: str, label: str, now: datetime, expires_at: datetime
) -> tuple[ApiToken, str]:
    """A fresh token, not on record yet, and its secret `atoll_<43 characters>` (256 random bits)."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=new_id("tok"),
        token_hash=digest(secret),
        subject_kind=subject_kind,
        subject_id=subject_id,
        label=label,
        created_at=now,
        expires_at=expires_at,
    )
    return token, secret


def digest(secret: str) -> str:
    """Hexadecimal SHA-256 of the secret: all that is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(
    records: RecordStore,
    clock: Clock,
    secret: str,
    *,
    address: str = "",
    request_id: str = "",
    rules: DataRules = NO_RULES,
) -> Caller:
    """Who the secret speaks for, with the roles of this moment.

    Token and subject are read anew at each call, so that a revocation, a change of
    roles or a deactivation holds at once. Raises `TokenRefused`.
    """
    if _SECRET.match(secret) is None:
        raise TokenRefused("malformed")
    found = records.find(ApiToken, where={"token_hash": digest(secret)}, limit=1).records
    if not found:
        raise TokenRefused("unknown")
    token = found[0]
    if token.revoked_at is not None:
        raise TokenRefused("revoked", token)
    if clock.now() >= token.expires_at:
        raise TokenRefused("expired", token)
    caller = _subject(records, token, clock.now(), rules)
    return caller.but(token_id=token.id, address=address, request_id=request_id)


def _subject(records: RecordStore, token: ApiToken, now: datetime, rules: DataRules) -> Caller:
    subject: Person | Source
    try:
        if token.subject_kind is SubjectKind.PERSON:
            subject = records.get(Person, token.subject_id)
        else:
            subject = records.get(Source, token.subject_id)
    except NotFound:
        raise TokenRefused("gone", token) from None
    if not subject.active:
        raise TokenRefused("deactivated", token)
    if isinstance(subject, Person):
        return caller_of(subject, now, rules)
    return Caller(subject_kind=SubjectKind.SOURCE, subject_id=subject.id, name=subject.name, at=now)
