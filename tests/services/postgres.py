"""A real PostgreSQL for tests: made, started and thrown away by the test run.

Loaded as a pytest plugin by `tests/conftest.py`. It listens on a Unix socket in a
private directory only, so that runs beside each other do not meet.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest


def _binaries() -> Path | None:
    """The directory of the newest initdb and pg_ctl on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: somebody else then."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class PostgresServer:
    """One server, running unless stopped.

    Attributes:
        version: major version.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._user = _unprivileged()
        # Not pytest's tmp_path: its parents are closed to other users, and a socket's path must be short.
        self._home = Path(tempfile.mkdtemp(prefix="atoll-pg-"))
        if self._user:
            shutil.chown(self._home, self._user)
        # A locale with an order of its own, as real servers have: code points must not be taken for granted.
        locale = ("--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8")
        self._run("initdb", "-D", "data", "-U", "atoll", "-A", "trust", "--no-sync", *locale)
        # No fsync: what is thrown away need not survive a power cut.
        settings = "listen_addresses=''\nfsync=off\nmax_connections=200\n" + f"unix_socket_directories='{self._home}'\n"
        with (self._home / "data" / "postgresql.conf").open("a") as file:
            file.write(settings)
        self.start()
        with self.connect() as connection:
            self.version = connection.info.server_version // 10000

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self._home,
            user=self._user,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            log = self._home / "log"
            raise RuntimeError(f"{program} failed: {done.stderr}\n{log.read_text() if log.exists() else ''}")

    def start(self) -> None:
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "start")

    def stop(self) -> None:
        """Stop at once, ending every connection."""
        self._run("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self._home), user="atoll", dbname=database, autocommit=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://atoll@/{database}?host={self._home}"

    def new_database(self) -> str:
        """The name of a fresh, empty database."""
        name = f"test_{uuid4().hex}"
        assert re.fullmatch(r"[a-z0-9_]+", name)
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        try:
            self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(self._home, ignore_errors=True)


def _server() -> Iterator[PostgresServer]:
    binaries = _binaries()
    if binaries is None:
        message = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    server = PostgresServer(binaries)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this test run. Do not stop it: see `own_postgres_server`."""
    yield from _server()


@pytest.fixture
def own_postgres_server() -> Iterator[PostgresServer]:
    """A server for one test, which may stop it."""
    yield from _server()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """SQLAlchemy URL of a fresh database."""
    name = postgres_server.new_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
