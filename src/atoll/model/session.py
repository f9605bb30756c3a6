"""Browser sessions: a person at the web application."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Record


class Session(Record):
    """What a sign-in in the browser opens. Only the SHA-256 of the cookie's value is kept.

    It holds no right of its own: the person is read anew at each request. The CSRF token
    is derived from the cookie's value, so it is not kept either.
    """

    kind: ClassVar[str] = "session"
    indexes: ClassVar[tuple[str, ...]] = ("secret_hash", "person")
    unique: ClassVar[tuple[str, ...]] = ("secret_hash",)

    secret_hash: str
    #: Id of the person.
    person: str
    #: How the person proved who they are: `password`, `oidc`.
    method: str
    opened_at: datetime
    #: When the person last did something, to the minute or so.
    seen_at: datetime
    #: The end, whatever is done until then.
    expires_at: datetime
    ended_at: datetime | None = None
