"""People, projects, sources and their credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
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
    indexes: ClassVar[tuple[str, ...]] = ("login", "external_id", "origin")
    unique: ClassVar[tuple[str, ...]] = ("login", "external_id")

    login: str = Field(pattern=LOGIN)
    display_name: str
    roles: frozenset[Role]
    #: Which directory vouches for the person: `local`, `ldap`, `oidc`.
    origin: str = "local"
    #: `origin:` and what the directory never gives to somebody else; a login may be given again.
    external_id: str | None = None
    #: Since when the directory no longer vouches for the person, who is not `active` then.
    left_at: datetime | None = None
    #: Until when an issuer's last word about the person counts; a directory is asked instead.
    vouched_until: datetime | None = None
    #: Last days on which the training and the signed agreement count; None: none on record.
    training_until: date | None = None
    agreement_until: date | None = None
    #: Argon2id hash, for local accounts that sign in by password.
    password_hash: str | None = None
    active: bool = True
    created_at: datetime


class Membership(Frozen):
    """What is particular to one member of a project."""

    #: The end of a membership that ends by itself.
    until: datetime | None = None
    #: Answers for the project.
    lead: bool = False
    #: Whether a group of the directory makes it, and takes it away again.
    by_directory: bool = False


class Project(Record):
    """People, grants and a budget; nothing crosses from one project to another."""

    kind: ClassVar[str] = "project"
    indexes: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(pattern=NAME)
    title: str
    #: Ids of the people of the project.
    members: frozenset[str] = frozenset()
    #: By id of a member; who is not here is an ordinary member without an end.
    terms: Mapping[str, Membership] = {}
    #: Whether text may be pasted into streamed screens of the project, where the product allows it too.
    paste: bool = True
    created_at: datetime

    def has_member(self, person_id: str, at: datetime) -> bool:
        """Whether the person is of the project at that time."""
        until = self.terms[person_id].until if person_id in self.terms else None
        return person_id in self.members and (until is None or at < until)


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
    #: When they ask, for what depends on the time. Not kept: an audit entry has its own.
    at: datetime | None = Field(default=None, exclude=True)
    #: Why data is closed to them at this moment, a sentence each. Not kept.
    lapsed: tuple[str, ...] = Field(default=(), exclude=True)


#: The platform acting by itself (reconcilers, start-up).
PLATFORM = Caller(subject_kind=SubjectKind.PERSON, subject_id="platform", name="platform")
