"""Who calls, people, their tokens, and projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from atoll.client.connection import Connection, Json, segment
from atoll.errors import NotFound


class Accounts:
    """Signing in, and who is signed in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sign_in(self, login: str, password: str, code: str | None = None) -> Json:
        """`token` and `expires_at`.

        Raises `NotAuthenticated`, without telling which of the two is wrong, and
        `SecondFactorRequired` when a `code` is asked for as well.
        """
        body = {"login": login, "password": password}
        return self._connection.post("/sign-in", body if code is None else {**body, "code": code})

    def sign_out_everywhere(self) -> None:
        """End every browser session and every token of a sign-in; API tokens stay."""
        self._connection.delete("/sessions")

    def me(self) -> Json:
        """The caller: name, roles, scopes."""
        return self._connection.get("/me")


class People:
    """People and their roles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Everybody."""
        return self._connection.items("/people")

    def add(self, login: str, display_name: str, roles: Iterable[str], password: str | None = None) -> Json:
        """A new person; without a password they cannot sign in, only use tokens."""
        body = {"login": login, "display_name": display_name, "roles": sorted(roles)}
        if password is not None:
            body["password"] = password
        return self._connection.post("/people", body)

    def id_of(self, login: str) -> str:
        """The id behind a login. Raises `NotFound`."""
        for person in self.list():
            if person["login"] == login:
                return str(person["id"])
        raise NotFound("There is no such person.", where=login, todo="See `atoll person list`.")

    def show(self, person: str) -> Json:
        """One person, by id."""
        return self._connection.get(f"/people/{segment(person)}")

    def change(
        self,
        person: str,
        *,
        roles: Iterable[str] | None = None,
        active: bool | None = None,
        password: str | None = None,
        dates: Mapping[str, date | None] | None = None,
    ) -> Json:
        """Change what is given, of a person by id; `dates` are `training_until` and `agreement_until`."""
        body: Json = {name: None if day is None else day.isoformat() for name, day in (dates or {}).items()}
        if roles is not None:
            body["roles"] = sorted(roles)
        if active is not None:
            body["active"] = active
        if password is not None:
            body["password"] = password
        return self._connection.patch(f"/people/{segment(person)}", body)

    def reset_second_factor(self, person: str) -> None:
        """Take the second factor away from a person, by id, who lost it."""
        self._connection.delete(f"/people/{segment(person)}/second-factor")


class Tokens:
    """API tokens; the secret is told once, when it is made."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, login: str | None = None, source: str | None = None) -> Iterator[Json]:
        """The caller's own, or (admin) those of a person or a source."""
        return self._connection.items("/tokens", login=login, source=source)

    def create(self, label: str, *, expires_at: datetime | None = None, login: str | None = None) -> Json:
        """A new token, of the caller or (admin) of a person; `token` holds the secret."""
        body: Json = {"label": label}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        if login is not None:
            body["login"] = login
        return self._connection.post("/tokens", body)

    def revoke(self, token_id: str) -> None:
        """The token is good no longer."""
        self._connection.delete(f"/tokens/{segment(token_id)}")


class Projects:
    """Projects and their members."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Those that the caller may see."""
        return self._connection.items("/projects")

    def add(self, name: str, title: str) -> Json:
        """A new project."""
        return self._connection.post("/projects", {"name": name, "title": title})

    def show(self, name: str) -> Json:
        """One project."""
        return self._connection.get(f"/projects/{segment(name)}")

    def set_paste(self, name: str, paste: bool) -> Json:
        """Whether text may be pasted into streamed screens of the project."""
        return self._connection.put(f"/projects/{segment(name)}/paste", {"paste": paste})

    def add_member(self, name: str, login: str, *, until: datetime | None = None, lead: bool = False) -> Json:
        """Take a person in, until a time or without an end."""
        body = {"until": None if until is None else until.isoformat(), "lead": lead}
        return self._connection.put(f"/projects/{segment(name)}/members/{segment(login)}", body)

    def remove_member(self, name: str, login: str) -> Json:
        """Take a person out."""
        return self._connection.delete(f"/projects/{segment(name)}/members/{segment(login)}")
