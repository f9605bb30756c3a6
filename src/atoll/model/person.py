"""People, projects, sources and their credentials."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from atoll.model.record import Frozen, Record

LOGIN = r"^[a-z0-9][a-z0-9._@-]{0,63}$"
NAME = r"^[a-z][a-z0-9_-]{0,39}$"


class Role(StrEnum):
    """What a person may do across the platform; scopes hang on roles (access/scopes.py)."""

    ADMIN = "admin"
    STEWARD = "steward"
    SCIENTIST = "scientist"
    AUDITOR = "auditor"


class SubjectKind(StrEnum):
    """Who a token speaks for."""

    PERSON = "person"
    SOURCE = "source"


class Person(Record):
    """Somebody who works with Atoll."""

    kind: ClassVar[str] = "person"
    indexes: ClassVar[tuple[str, ...]] = ("login",)
    unique: ClassVar[tuple[str, ...]] = ("login",)

    login: str = Field(pattern=LOGIN)
    display_name: str
    roles: frozenset[Role]
    #: Which directory vouches for the person: `local`, `ldap`, `oidc`.
    origin: str = "local"
    #: Argon2id hash, for local accounts that sign in by password.
    password_hash: str | None = None
    active: bool = True
    created_at: datetime


class Project(Record):
    """People, grants and a budget; nothing crosses from one project to another."""

    kind: ClassVar[str] = "project"
    indexes: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(pattern=NAME)
    title: str
    #: Ids of the people of the project.
    members: frozenset[str] = frozenset()
    created_at: datetime


class Source(Record):
    """A laboratory or third party that delivers files."""

    kind: ClassVar[str] = "source"
    indexes: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(pattern=NAME)
    title: str
    #: Datasets that this source may deliver to.
    datasets: frozenset[str]
    active: bool = True
    created_at: datetime


class ApiToken(Record):
    """A credential. Only its SHA-256 is kept; the token itself is shown once."""

    kind: ClassVar[str] = "token"
    indexes: ClassVar[tuple[str, ...]] = ("token_hash", "subject_id")
    unique: ClassVar[tuple[str, ...]] = ("token_hash",)

    #: Hexadecimal SHA-256 of the token (256 random bits, so no salt is needed).
    token_hash: str
    subject_kind: SubjectKind
    subject_id: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class Caller(Frozen):
    """Who makes a request, after authentication; goes into every audit entry."""

    subject_kind: SubjectKind
    #: Id of the person or source.
    subject_id: str
    #: Login of the person or name of the source.
    name: str
    roles: frozenset[Role] = frozenset()
    token_id: str | None = None
    #: Network address the request came from, empty for the platform itself.
    address: str = ""
    request_id: str = ""


#: The platform acting by itself (reconcilers, start-up).
PLATFORM = Caller(subject_kind=SubjectKind.PERSON, subject_id="platform", name="platform")
