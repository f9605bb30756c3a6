"""A real OpenLDAP server for tests, with TLS, on free ports, thrown away by the test run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.services.certificates import Authority

BASE = "dc=hospital,dc=example"
SEARCHER = f"cn=atoll,{BASE}"
SEARCHER_PASSWORD = "the searcher's own words"
_ROOT = f"cn=root,{BASE}"
_ROOT_PASSWORD = "root of the test only"

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {home}/slapd.pid
TLSCACertificateFile {ca}
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
# Nothing is said in the clear but the wish for TLS.
security simple_bind=128
disallow bind_anon
require authc
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{root_password}"
directory {home}/db
maxsize 16777216
dbnosync
index uid,member,entryUUID eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by self read by * none
"""


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Slapd:
    """One server; entries are changed by LDIF."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="atoll-slapd-"))
        (self._home / "db").mkdir()
        authority = Authority(self._home)
        self.ca_file = authority.ca_file
        cert, key = authority.issue("server", "localhost", "127.0.0.1")
        conf = self._home / "slapd.conf"
        conf.write_text(
            _CONF.format(
                home=self._home,
                ca=self.ca_file,
                cert=cert,
                key=key,
                base=BASE,
                root=_ROOT,
                root_password=_ROOT_PASSWORD,
                searcher=SEARCHER,
            )
        )
        self._plain, self._tls = _free_port(), _free_port()
        # libldap takes `localhost` for the host's own name, so its tools are given the address.
        self._url = f"ldaps://127.0.0.1:{self._tls}"
        self.ldaps = f"ldaps://localhost:{self._tls}"
        self.ldap = f"ldap://localhost:{self._plain}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        binary = shutil.which("slapd") or "/usr/sbin/slapd"
        # 127.0.0.2 is where the certificate does not hold.
        urls = f"ldap://127.0.0.1:{self._plain} ldaps://127.0.0.1:{self._tls} ldaps://127.0.0.2:{self._tls}"
        log = (self._home / "log").open("ab")
        self._process = subprocess.Popen(
            [binary, "-h", urls, "-f", str(self._home / "slapd.conf"), "-d", "0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        for port in (self._plain, self._tls):
            self._wait(port)

    def stop(self) -> None:
        """Stop; what is on disk stays for the next start."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop()
        shutil.rmtree(self._home)

    def change(self, ldif: str) -> None:
        """Apply LDIF: entries to add, or records with a `changetype`."""
        done = subprocess.run(
            ["ldapmodify", "-a", "-x", "-H", self._url, "-D", _ROOT, "-w", _ROOT_PASSWORD],
            input=ldif,
            text=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "LDAPTLS_CACERT": str(self.ca_file)},
            timeout=20,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"ldapmodify failed: {done.stderr}")

    def add_person(self, uid: str, password: str = "", name: str = "") -> str:
        """Add a person below ou=people; returns the entry's name."""
        dn = f"uid={uid},ou=people,{BASE}"
        lines = [
            f"dn: {dn}",
            "objectClass: inetOrgPerson",
            f"uid: {uid}",
            f"cn: {name or uid}",
            f"sn: {name or uid}",
            f"displayName: {name or uid.title()}",
        ]
        if password:
            lines.append(f"userPassword: {password}")
        self.change("\n".join(lines) + "\n")
        return dn

    def add_group(self, cn: str, *members: str) -> str:
        """Add a group of names below ou=groups; returns the entry's name."""
        dn = f"cn={cn},ou=groups,{BASE}"
        lines = [f"dn: {dn}", "objectClass: groupOfNames", f"cn: {cn}", *(f"member: {member}" for member in members)]
        self.change("\n".join(lines) + "\n")
        return dn

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def plant(self) -> None:
        """The root, the account to search with, and empty places for people and groups."""
        self.change(
            f"dn: {BASE}\nobjectClass: domain\ndc: hospital\n\n"
            f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
            f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n"
            f"dn: {SEARCHER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
            f"cn: atoll\nuserPassword: {SEARCHER_PASSWORD}\n"
        )

    def _wait(self, port: int) -> None:
        for _ in range(200):
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"slapd ended: {(self._home / 'log').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("slapd does not listen.")


@pytest.fixture
def slapd() -> Iterator[Slapd]:
    server = Slapd()
    try:
        server.plant()
        yield server
    finally:
        server.close()
