"""Connections to the servers of a directory: always TLS, always verified, never further than asked."""

from __future__ import annotations

import logging
import math
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ldap3 import BASE, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import RESULT_INVALID_CREDENTIALS, RESULT_SUCCESS

from atoll.errors import Unavailable
from atoll.providers.ldap.options import LdapOptions

log = logging.getLogger(__name__)

#: What a server answers of an account that may not sign in: it is not told from a wrong password.
_NO_ENTRY = frozenset({RESULT_INVALID_CREDENTIALS, 19, 32, 34, 48, 49, 50, 53})


@dataclass(frozen=True)
class Entry:
    """What a directory holds under a name, values as octets."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def text(self, attribute: str) -> str:
        """The first value as text, empty when there is none."""
        return (
            self.values[attribute.lower()][0].decode("utf-8", "replace") if self.values.get(attribute.lower()) else ""
        )


class Reader:
    """A connection that somebody has signed in on."""

    def __init__(self, connection: Connection, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds

    def search(self, base: str, condition: str, attributes: Sequence[str], *, alone: bool = False) -> list[Entry]:
        """Entries at `base` and, unless `alone`, below. References to other servers are not followed.

        Raises `Unavailable`.
        """
        connection = self._connection
        try:
            connection.search(
                base,
                condition,
                search_scope=BASE if alone else SUBTREE,
                attributes=list(attributes),
                time_limit=max(1, round(self._timeout_seconds)),
            )
        except LDAPException as error:
            raise _away(type(error).__name__) from None
        if connection.result["result"] != RESULT_SUCCESS:
            raise _away(str(connection.result["description"]))
        return [_entry(found) for found in connection.response or () if found["type"] == "searchResEntry"]


class Connections:
    """Opens connections to the first server that answers."""

    def __init__(self, options: LdapOptions) -> None:
        self._options = options
        self._last_good = 0
        self._tls = Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=None if options.ca_file is None else str(options.ca_file),
        )

    @contextmanager
    def as_searcher(self) -> Iterator[Reader]:
        """As the account to search with, or anonymously. Raises `Unavailable`."""
        password = self._options.bind_password.get_secret_value()
        with self._open(self._options.bind_dn, password) as reader:
            if reader is None:
                raise _away("the account to search with is refused")
            yield reader

    @contextmanager
    def as_person(self, dn: str, password: str) -> Iterator[Reader | None]:
        """As a person; None when the password is wrong or the account may not sign in. Raises `Unavailable`.

        `password` must not be empty: a server takes that for an anonymous bind and agrees (RFC 4513, 5.1.2).
        """
        assert dn and password
        with self._open(dn, password) as reader:
            yield reader

    @contextmanager
    def _open(self, dn: str, password: str) -> Iterator[Reader | None]:
        connection, bound = self._connect(dn, password)
        try:
            yield Reader(connection, self._options.timeout_seconds) if bound else None
        finally:
            try:
                connection.unbind()
            except (LDAPException, OSError):
                log.debug("A directory hung up first.")

    def _connect(self, dn: str, password: str) -> tuple[Connection, bool]:
        why = "no server is named"
        urls = self._options.urls
        for index in (*range(self._last_good, len(urls)), *range(self._last_good)):
            # A fresh one each time: a kept one takes an address that once failed for dead, for minutes.
            server = _server(urls[index], self._tls, self._options.timeout_seconds)
            try:
                connection = self._secured(server, dn, password)
                bound = connection.bind()
            except (LDAPException, OSError, ssl.SSLError) as error:
                why = type(error).__name__
                log.warning(
                    "A directory server does not answer.", extra={"fields": {"server": server.host, "why": why}}
                )
                continue
            code = connection.result["result"]
            if not bound and code not in _NO_ENTRY:
                why = str(connection.result["description"])
                continue
            self._last_good = index
            return connection, bool(bound)
        raise _away(why)

    def _secured(self, server: Server, dn: str, password: str) -> Connection:
        """Connected by TLS, the certificate and its name verified, before a credential is sent."""
        connection = Connection(
            server,
            user=dn or None,
            password=password or None,
            authentication=SIMPLE if dn else None,
            # A server could send the credentials anywhere.
            auto_referrals=False,
            receive_timeout=math.ceil(self._options.timeout_seconds),
            read_only=True,
            raise_exceptions=False,
            check_names=False,
        )
        connection.open(read_server_info=False)
        if not server.ssl and not connection.start_tls(read_server_info=False):
            raise LDAPException("no TLS")
        return connection


def _server(url: str, tls: Tls, timeout_seconds: float) -> Server:
    parts = urlsplit(url)
    secure = parts.scheme == "ldaps"
    return Server(
        parts.hostname or "",
        port=parts.port or (636 if secure else 389),
        use_ssl=secure,
        tls=tls,
        get_info=NONE,
        connect_timeout=timeout_seconds,
        allowed_referral_hosts=[],
    )


def _entry(found: Mapping[str, Any]) -> Entry:
    raw: Mapping[str, Sequence[bytes]] = found["raw_attributes"]
    return Entry(str(found["dn"]), {name.lower(): values for name, values in raw.items()})


def _away(why: str) -> Unavailable:
    return Unavailable(
        f"The directory cannot be asked: {why}.", where="ldap", todo="Try again; `atoll doctor` says more."
    )
