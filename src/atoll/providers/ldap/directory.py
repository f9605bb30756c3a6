"""The people of a directory: who they are, whether they are still there, and their groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from ldap3.utils.conv import escape_bytes, escape_filter_chars
from ldap3.utils.dn import escape_rdn

from atoll.errors import Unavailable
from atoll.ports.identity import Identity
from atoll.providers.ldap.connections import Connections, Entry, Reader
from atoll.providers.ldap.options import LdapOptions

#: Entries asked for in one search.
_AT_ONCE = 50
#: Groups of groups are followed so deep, and so many are read; a directory's loops end before.
_MAX_DEPTH = 16
_MAX_GROUPS = 2000


class LdapDirectory:
    """Implements `PeopleDirectory`. Keeps no connection and nothing it has read."""

    origin = "ldap"

    def __init__(self, options: LdapOptions) -> None:
        self._options = options
        self._dialect = options.dialect
        self._connections = Connections(options)

    def authenticate(self, login: str, password: str) -> Identity | None:
        """The identity with its groups, or None. Raises `Unavailable`."""
        # A server takes an empty password for nobody's and lets it pass; some stop reading at a zero octet.
        if not login or not password or "\0" in login + password:
            return None
        if self._options.user_dn and not self._options.bind_dn:
            return self._by_template(login, password)
        with self._connections.as_searcher() as reader:
            entry = self._one(reader, self._dialect.user_filter.format(login=escape_filter_chars(login)))
            if entry is None:
                return None
            with self._connections.as_person(entry.dn, password) as person:
                if person is None:
                    return None
            return self._identity(reader, entry, groups=True)

    def is_active(self, login: str) -> bool:
        """Whether the person may sign in. Raises `Unavailable`."""
        with self._connections.as_searcher() as reader:
            condition = self._dialect.user_filter.format(login=escape_filter_chars(login))
            return self._one(reader, condition) is not None

    def find(self, subjects: Sequence[str], *, groups: bool) -> Mapping[str, Identity]:
        """Those of `subjects` who are there and may sign in. Raises `Unavailable`."""
        found: dict[str, Identity] = {}
        with self._connections.as_searcher() as reader:
            for some in _slices(subjects):
                condition = "".join(f"({self._dialect.id_attribute}={self._escaped_id(one)})" for one in some)
                for entry in self._entries(reader, f"(|{condition})"):
                    identity = self._identity(reader, entry, groups=groups)
                    found[identity.subject] = identity
        return found

    def look_up(self, login: str) -> Identity | None:
        """The person of that login with their groups, without a proof. Raises `Unavailable`."""
        with self._connections.as_searcher() as reader:
            entry = self._one(reader, self._dialect.user_filter.format(login=escape_filter_chars(login)))
            return None if entry is None else self._identity(reader, entry, groups=True)

    def check(self) -> None:
        """Sign in and read as the account to search with. Raises `Unavailable`."""
        with self._connections.as_searcher() as reader:
            reader.search(self._options.base, "(objectClass=*)", ["1.1"], alone=True)

    def _by_template(self, login: str, password: str) -> Identity | None:
        dn = self._options.user_dn.format(login=escape_rdn(login))
        with self._connections.as_person(dn, password) as person:
            if person is None:
                return None
            # Of others the person may see nothing.
            condition = self._dialect.user_filter.format(login=escape_filter_chars(login))
            found = self._entries(person, condition, alone=dn)
            return self._identity(person, found[0], groups=True) if found else None

    def _one(self, reader: Reader, condition: str) -> Entry | None:
        """The one entry that meets the condition; of two nobody knows which is meant."""
        found = self._entries(reader, condition)
        return found[0] if len(found) == 1 else None

    def _entries(self, reader: Reader, condition: str, *, alone: str = "") -> list[Entry]:
        if self._dialect.active_filter:
            condition = f"(&{condition}{self._dialect.active_filter})"
        wanted = (self._dialect.login_attribute, self._dialect.id_attribute, "displayName", "cn", "mail")
        return reader.search(alone or self._options.base, condition, wanted, alone=bool(alone))

    def _identity(self, reader: Reader, entry: Entry, *, groups: bool) -> Identity:
        login = entry.text(self._dialect.login_attribute).casefold()
        return Identity(
            login=login,
            display_name=entry.text("displayName") or entry.text("cn") or login,
            email=entry.text("mail") or None,
            groups=tuple(sorted(self._groups(reader, entry, login))) if groups else (),
            subject=self._id(entry),
        )

    def _id(self, entry: Entry) -> str:
        values = entry.values.get(self._dialect.id_attribute.lower())
        if not values:
            raise Unavailable(
                f"The directory does not show the attribute {self._dialect.id_attribute}.",
                where="ldap",
                todo="Let the account to search with read it.",
            )
        return values[0].decode() if self._dialect.id_is_text else str(UUID(bytes_le=values[0]))

    def _escaped_id(self, subject: str) -> str:
        if self._dialect.id_is_text:
            return escape_filter_chars(subject)
        escaped: str = escape_bytes(UUID(subject).bytes_le)
        return escaped

    def _groups(self, reader: Reader, entry: Entry, login: str) -> set[str]:
        """Names of every group the person is in, through groups of groups."""
        if not self._options.group_base:
            return set()
        if self._dialect.nested_filter:
            nested = self._dialect.nested_filter.format(dn=escape_filter_chars(entry.dn))
            return {normal(group.dn) for group in self._search_groups(reader, nested)}
        found: dict[str, str] = {}
        asked, names = [entry.dn], login
        for _ in range(_MAX_DEPTH):
            fresh = {normal(g.dn): g.dn for g in self._groups_of(reader, asked, names) if normal(g.dn) not in found}
            found.update(fresh)
            if not fresh:
                return set(found)
            if len(found) > _MAX_GROUPS:
                break
            # A group is no login: only its full name makes it a member of another.
            asked, names = list(fresh.values()), ""
        raise Unavailable(
            "The groups of a person have no end.",
            where="ldap",
            todo=f"More than {_MAX_GROUPS} groups, or {_MAX_DEPTH} deep; narrow ATOLL_LDAP_GROUP_BASE.",
        )

    def _groups_of(self, reader: Reader, members: Iterable[str], login: str) -> Iterator[Entry]:
        for some in _slices(list(members)):
            each = "".join(
                self._dialect.group_filter.format(dn=escape_filter_chars(dn), login=escape_filter_chars(login))
                for dn in some
            )
            yield from self._search_groups(reader, f"(|{each})")

    def _search_groups(self, reader: Reader, condition: str) -> list[Entry]:
        return reader.search(self._options.group_base, condition, ["1.1"])


def normal(dn: str) -> str:
    """A name as it is compared: small letters, no blanks around commas (RFC 4514)."""
    return ",".join(part.strip() for part in dn.split(",")).casefold()


def _slices(members: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(members), _AT_ONCE):
        yield members[first : first + _AT_ONCE]
