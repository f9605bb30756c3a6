"""People, projects, sources and tokens as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from atoll.access.scopes import Scope
from atoll.flows.oversee_people import PersonAccess
from atoll.model.contract import COLUMN_NAME
from atoll.model.person import LOGIN, NAME, ApiToken, Membership, Person, Project, Role, Source, SubjectKind
from atoll.model.record import Frozen
from atoll.model.said import Sentence
from atoll.model.source_key import SourceKey

Title = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(max_length=1024)]
DatasetName = Annotated[str, Field(pattern=COLUMN_NAME)]


class SignIn(Frozen):
    """Login and password, and the code of the second factor where the account has one."""

    login: Annotated[str, Field(max_length=64)]
    password: Password
    code: Annotated[str, Field(max_length=32)] | None = None


class SignedIn(Frozen):
    """The token of a sign-in; it is shown once."""

    token: str
    expires_at: datetime


class Me(Frozen):
    """Who the token speaks for."""

    kind: SubjectKind
    id: str
    #: Login of the person or name of the source.
    name: str
    roles: tuple[Role, ...]
    scopes: tuple[Scope, ...]


class ScopeAnswer(Frozen):
    """A right, what it allows, and who has it."""

    scope: Scope
    help: Sentence
    roles: tuple[Role, ...]
    #: Whether sources have it.
    source: bool


class PersonAnswer(Frozen):
    """Somebody who works with Atoll."""

    id: str
    login: str
    display_name: str
    roles: tuple[Role, ...]
    origin: str
    #: Whether the person can sign in by a password kept here.
    has_password: bool
    active: bool
    #: Since when the directory no longer vouches for the person.
    left_at: datetime | None
    #: Last days on which training and signed agreement count.
    training_until: date | None
    agreement_until: date | None
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        """The person without what nobody may see."""
        return cls(
            id=person.id,
            login=person.login,
            display_name=person.display_name,
            roles=tuple(sorted(person.roles)),
            origin=person.origin,
            has_password=person.password_hash is not None,
            active=person.active,
            left_at=person.left_at,
            training_until=person.training_until,
            agreement_until=person.agreement_until,
            created_at=person.created_at,
        )


class OpenSession(Frozen):
    """A browser at which the person is signed in."""

    method: str
    opened_at: datetime
    #: When the person last did something, to the minute or so.
    seen_at: datetime
    expires_at: datetime


class SlowedSignIn(Frozen):
    """Failed attempts with the person's login from one place, that still count."""

    #: An address, or `browser/...` for a browser that signed in as the person before.
    origin: str
    failures: int
    last_at: datetime
    #: How long the next attempt from there is refused; 0: it is looked at.
    wait_seconds: int


class PersonAccessAnswer(Frozen):
    """How a person can come in at this moment."""

    #: Whether a code is asked for at sign-in.
    second_factor: bool
    sessions: tuple[OpenSession, ...]
    #: As seen by the process that answers; whoever guesses elsewhere slows down themselves, not the person.
    slowed: tuple[SlowedSignIn, ...]

    @classmethod
    def of(cls, access: PersonAccess) -> Self:
        """The answer, without what identifies a session."""
        return cls(
            second_factor=access.second_factor,
            sessions=tuple(
                OpenSession(method=s.method, opened_at=s.opened_at, seen_at=s.seen_at, expires_at=s.expires_at)
                for s in access.sessions
            ),
            slowed=tuple(SlowedSignIn(**vars(slowed)) for slowed in access.slowed),
        )


class NewPerson(Frozen):
    """Somebody to add; without a password they work by tokens only."""

    login: Annotated[str, Field(pattern=LOGIN)]
    display_name: Title
    roles: frozenset[Role] = frozenset()
    password: Password | None = None


class PersonChange(Frozen):
    """What to change; what is left out stays."""

    display_name: Title | None = None
    roles: frozenset[Role] | None = None
    active: bool | None = None
    password: Password | None = None
    #: Last days on which training and signed agreement count; null takes the date back.
    training_until: date | None = None
    agreement_until: date | None = None


class MemberTerms(Frozen):
    """What is particular to a member."""

    #: The end of a membership that ends by itself.
    until: AwareDatetime | None = None
    #: Answers for the project.
    lead: bool = False


class MemberTermsAnswer(MemberTerms):
    """What is particular to a member, by login."""

    login: str
    #: Whether a group of the directory makes the membership.
    by_directory: bool


class ProjectAnswer(Frozen):
    """A project and the logins of its members."""

    name: str
    title: str
    members: tuple[str, ...]
    #: Of those members that are not ordinary ones without an end.
    terms: tuple[MemberTermsAnswer, ...]
    #: Whether text may be pasted into streamed screens of its machines.
    paste: bool
    created_at: datetime

    @classmethod
    def of(cls, project: Project, members: tuple[str, ...], terms: Mapping[str, Membership]) -> Self:
        """The project with its members by login."""
        particular = tuple(MemberTermsAnswer(login=login, **dict(term)) for login, term in sorted(terms.items()))
        return cls(
            name=project.name,
            title=project.title,
            members=members,
            terms=particular,
            paste=project.paste,
            created_at=project.created_at,
        )


class NewProject(Frozen):
    """A project to add."""

    name: Annotated[str, Field(pattern=NAME)]
    title: Title


class PasteRule(Frozen):
    """Whether text may be pasted into streamed screens."""

    paste: bool


class SourceAnswer(Frozen):
    """A laboratory or third party that delivers files."""

    name: str
    title: str
    datasets: tuple[str, ...]
    active: bool
    created_at: datetime

    @classmethod
    def of(cls, source: Source) -> Self:
        """The source."""
        return cls(
            name=source.name,
            title=source.title,
            datasets=tuple(sorted(source.datasets)),
            active=source.active,
            created_at=source.created_at,
        )


class NewSource(Frozen):
    """A source to add."""

    name: Annotated[str, Field(pattern=NAME)]
    title: Title
    #: Datasets it may deliver to.
    datasets: Annotated[frozenset[DatasetName], Field(min_length=1)]


class NewSourceKey(Frozen):
    """A public key with which a source signs in by SFTP."""

    #: The line of the `.pub` file.
    public_key: Annotated[str, Field(max_length=8192)]
    label: Title


class SourceKeyAnswer(Frozen):
    """A public key of a source."""

    id: str
    label: str
    public_key: str
    #: `SHA256:<base64>`, as `ssh-keygen -l` shows it.
    fingerprint: str
    added_by: str
    created_at: datetime

    @classmethod
    def of(cls, key: SourceKey) -> Self:
        """The key."""
        return cls(**key.model_dump(exclude={"version", "source_id"}))


class SourceChange(Frozen):
    """What to change; what is left out stays."""

    title: Title | None = None
    datasets: Annotated[frozenset[DatasetName], Field(min_length=1)] | None = None
    active: bool | None = None


class TokenAnswer(Frozen):
    """A token on record; the secret is not kept."""

    id: str
    label: str
    kind: SubjectKind
    #: Id of the person or source it speaks for.
    subject_id: str
    #: Their login or name, where the tokens of everybody are asked for.
    subject: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken, subject: str | None = None) -> Self:
        """The token without its hash."""
        return cls(
            subject=subject,
            id=token.id,
            label=token.label,
            kind=token.subject_kind,
            subject_id=token.subject_id,
            created_at=token.created_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
        )


class NewToken(Frozen):
    """A token to make."""

    label: Title
    #: Without it, the platform's default.
    expires_at: AwareDatetime | None = None


class NewPersonToken(NewToken):
    """A token for oneself, or by an administrator for somebody."""

    #: Whom it speaks for; without it, oneself.
    login: Annotated[str, Field(pattern=LOGIN)] | None = None


class NewTokenAnswer(Frozen):
    """A token that was made, with its secret; it is shown once."""

    token: str
    record: TokenAnswer
