"""How a directory is reached and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import SecretStr

from atoll.errors import InvalidInput


@dataclass(frozen=True)
class Dialect:
    """What differs from one kind of directory to another.

    Attributes:
        user_filter: finds a person by `{login}`.
        id_attribute: what is never given to a second entry.
        id_is_text: whether that is text, not octets.
        active_filter: which entries may sign in; empty: all.
        group_filter: finds the groups that name `{dn}` (or `{login}`) as a member.
        nested_filter: the same, through groups of groups, answered by the server; empty: it cannot.
    """

    user_filter: str
    login_attribute: str
    id_attribute: str
    id_is_text: bool
    active_filter: str
    group_filter: str
    nested_filter: str


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        # RFC 4512, RFC 4519, RFC 4530.
        "generic": Dialect(
            user_filter="(&(objectClass=person)(uid={login}))",
            login_attribute="uid",
            id_attribute="entryUUID",
            id_is_text=True,
            active_filter="",
            group_filter="(|(member={dn})(uniqueMember={dn})(memberUid={login}))",
            nested_filter="",
        ),
        # MS-ADTS 3.1.1.3.4.4: the rules BIT_AND (...803) and TRANSITIVE_EVAL (...1941); 0x2 is ADS_UF_ACCOUNTDISABLE.
        "ad": Dialect(
            user_filter="(&(objectCategory=person)(objectClass=user)(sAMAccountName={login}))",
            login_attribute="sAMAccountName",
            id_attribute="objectGUID",
            id_is_text=False,
            active_filter="(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
            group_filter="(member={dn})",
            nested_filter="(member:1.2.840.113556.1.4.1941:={dn})",
        ),
    }
)


@dataclass(frozen=True)
class LdapOptions:
    """One directory, on one or several servers.

    Attributes:
        urls: `ldaps://host` or `ldap://host` (which is raised to TLS before anything is said), in order of choice.
        ca_file: certificates that vouch for the servers; None: those of the host.
        base: below which people are found.
        user_dn: `uid={login},ou=people,...`, for a directory without an account to search with.
        bind_dn: the account to search with; empty: anonymously.
        group_base: below which groups are found; empty: no groups are read.
        user_filter, active_filter, group_filter: in place of the dialect's own.
        timeout_seconds: for a connection, and for an answer.
    """

    urls: tuple[str, ...]
    base: str
    kind: str = "generic"
    ca_file: Path | None = None
    user_dn: str = ""
    bind_dn: str = ""
    bind_password: SecretStr = field(default=SecretStr(""))
    group_base: str = ""
    user_filter: str = ""
    active_filter: str = ""
    group_filter: str = ""
    timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Raises `InvalidInput`."""
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
                raise _refused("ATOLL_LDAP_URLS", f"{url} is no address like ldaps://directory.example.org.")
        if self.kind not in DIALECTS:
            raise _refused("ATOLL_LDAP_KIND", f"{self.kind} is none of {', '.join(DIALECTS)}.")
        if bool(self.bind_dn) != bool(self.bind_password.get_secret_value()):
            raise _refused("ATOLL_LDAP_BIND_DN", "An account to search with has a name and a password.")
        _check_template("ATOLL_LDAP_USER_DN", self.user_dn, {"login"})
        _check_template("ATOLL_LDAP_USER_FILTER", self.user_filter, {"login"})
        _check_template("ATOLL_LDAP_GROUP_FILTER", self.group_filter, {"dn", "login"})

    @property
    def dialect(self) -> Dialect:
        """What holds for this kind of directory, with what was said otherwise."""
        own = DIALECTS[self.kind]
        return Dialect(
            user_filter=self.user_filter or own.user_filter,
            login_attribute=own.login_attribute,
            id_attribute=own.id_attribute,
            id_is_text=own.id_is_text,
            active_filter=self.active_filter or own.active_filter,
            group_filter=self.group_filter or own.group_filter,
            # Who says how groups are found says it for groups of groups too.
            nested_filter="" if self.group_filter else own.nested_filter,
        )


def _check_template(setting: str, template: str, known: set[str]) -> None:
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        names = {""}
    if not names <= known:
        raise _refused(setting, f"It may hold {', '.join(sorted(f'{{{name}}}' for name in known))} only.")


def _refused(setting: str, why: str) -> InvalidInput:
    return InvalidInput(f"The directory cannot be used: {why}", where=setting, todo="Mend the setting and start again.")
