"""Who somebody is, told by a directory or an identity provider outside Atoll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from atoll.errors import Unavailable


@dataclass(frozen=True)
class Identity:
    """What an identity provider says of a person who has proved who they are."""

    login: str
    display_name: str
    email: str | None
    groups: tuple[str, ...]
    #: What the directory never gives to somebody else, as it may a login.
    subject: str = ""
    #: With which the issuer can be asked again, where it gives one. A secret.
    refresh_token: str | None = field(default=None, repr=False, compare=False)


class AnswerLost(Unavailable):
    """The issuer was asked and its answer did not arrive: what it was asked with may be used up."""


@dataclass(frozen=True)
class Renewed:
    """An issuer vouches for somebody again.

    Attributes:
        identity: as it is now; None where the issuer tells nothing with a refresh.
        refresh_token: to be used from now on in place of the one that was used; None: that one stays.
    """

    identity: Identity | None
    refresh_token: str | None = field(default=None, repr=False)


class PasswordDirectory(Protocol):
    """Checks a login and password: local accounts, LDAP, Active Directory."""

    #: The word kept as the origin of the accounts, e.g. `local` or `ldap`.
    origin: str

    def authenticate(self, login: str, password: str) -> Identity | None:
        """The identity, or None when login or password is wrong (which one is not told).

        Raises `Unavailable` when the directory cannot be asked.
        """
        ...

    def is_active(self, login: str) -> bool:
        """Whether the person may still sign in; leavers are not active.

        Raises `Unavailable` when the directory cannot be asked.
        """
        ...


class PeopleDirectory(PasswordDirectory, Protocol):
    """A directory whose people come and go without Atoll being told."""

    def find(self, subjects: Sequence[str], *, groups: bool) -> Mapping[str, Identity]:
        """Those of `subjects` who are there and may sign in, with their groups if asked for.

        Raises `Unavailable` when the directory cannot be asked, or not be believed: who is
        missing from the answer has left.
        """
        ...

    def look_up(self, login: str) -> Identity | None:
        """The person of that login with their groups, without a proof. Raises `Unavailable`."""
        ...

    def check(self) -> None:
        """Returns when the directory answers; raises `Unavailable` when it does not."""
        ...


class TokenIssuer(Protocol):
    """Signs people on by redirect: OpenID Connect with PKCE."""

    origin: str

    def authorization_url(self, *, state: str, nonce: str, code_challenge: str, redirect_uri: str) -> str:
        """Where to send the browser."""
        ...

    def redeem(self, *, code: str, code_verifier: str, nonce: str, redirect_uri: str) -> Identity:
        """The identity behind the code. Raises `NotAuthenticated`, `Unavailable`."""
        ...

    def renew(self, refresh_token: str) -> Renewed:
        """Whether the person is still there. Raises `NotAuthenticated` when the issuer refuses the token.

        Raises `Unavailable` when it cannot be asked, or does not know Atoll; `AnswerLost` when the token may
        be used up by the asking.
        """
        ...

    def check(self) -> None:
        """Returns when the issuer answers; raises `Unavailable` when it does not."""
        ...
