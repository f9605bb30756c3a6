"""Sessions of browsers as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from atoll.access.scopes import Scope
from atoll.api.schemas.people import Password
from atoll.model.person import Role
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class NewSession(Frozen):
    """Login and password, and the code of the second factor where the account has one."""

    login: Annotated[str, Field(max_length=64)]
    password: Password
    code: Annotated[str, Field(max_length=32)] | None = None


class ProjectOfSession(Frozen):
    """A project that the person is a member of."""

    name: str
    title: str


class SessionAnswer(Frozen):
    """Who is signed in at this browser, and what they may do at this moment."""

    login: str
    display_name: str
    roles: tuple[Role, ...]
    scopes: tuple[Scope, ...]
    projects: tuple[ProjectOfSession, ...]
    #: Goes into the header X-Atoll-Csrf of every request that changes something.
    csrf_token: str
    #: The end, whatever is done until then.
    expires_at: datetime
    #: Whether the account asks for a code at sign-in.
    second_factor: bool
    #: Why data is closed to the person at this moment (training, agreement), a sentence each.
    closed: tuple[Sentence, ...] = ()


class MethodAnswer(Frozen):
    """A way to sign in."""

    kind: Literal["password", "oidc"]
    #: What the page calls it.
    name: str
    #: Where to send the browser, for ways that lead elsewhere.
    start_url: str | None = None


class MethodsAnswer(Frozen):
    """The ways to sign in here."""

    methods: tuple[MethodAnswer, ...]
    languages: tuple[str, ...] = ("en", "fr")
