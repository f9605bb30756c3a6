"""The server: one thread with a loop of its own; sources sign in by key and by nothing else."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import asyncssh

from atoll.errors import Unavailable
from atoll.sftp.folder import SourceFolder
from atoll.sftp.options import Callbacks, Options

log = logging.getLogger(__name__)

_START_SECONDS = 10.0
R = TypeVar("R")


class SftpServer:
    """Answers on `port` between `start()` and `stop()`."""

    def __init__(self, options: Options, callbacks: Callbacks) -> None:
        self.options = options
        self.callbacks = callbacks
        #: The port it listens on, once it does.
        self.port = options.port
        self.open: Counter[str] = Counter()
        self.connected: set[asyncssh.SSHServerConnection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None

    def start(self) -> None:
        """Listen. Raises `Unavailable` when the address or the host key cannot be used."""
        key = host_key(self.options.host_key)
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name="sftp", daemon=True)
        self._thread.start()
        try:
            listening = asyncio.run_coroutine_threadsafe(self._listen(key), loop).result(_START_SECONDS)
        except OSError as problem:
            self.stop()
            raise Unavailable(
                f"The SFTP server cannot listen ({problem.strerror}).",
                where=f"{self.options.host}:{self.options.port}",
                todo="Set ATOLL_SFTP_PORT to a free port.",
            ) from None
        self._acceptor = listening
        self.port = listening.get_port()
        log.info("SFTP answers.", extra={"fields": {"host": self.options.host, "port": self.port}})

    def stop(self) -> None:
        """Close every connection. Idempotent."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = self._thread = None
        asyncio.run_coroutine_threadsafe(self._close(), loop).result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _listen(self, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
        options = self.options
        return await asyncssh.listen(
            options.host,
            options.port,
            server_factory=lambda: _Connection(self),
            server_host_keys=[key],
            sftp_factory=self._folder,
            sftp_version=3,
            allow_scp=False,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_auth=False,
            gss_kex=False,
            agent_forwarding=False,
            allow_pty=False,
            compression_algs=None,
            login_timeout=options.sign_in_seconds,
            keepalive_interval=options.idle_seconds / 3,
            keepalive_count_max=3,
            server_version="Atoll",
        )

    async def _close(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in tuple(self.connected):
            connection.abort()
        if self._acceptor is not None:
            await self._acceptor.wait_closed()

    def _folder(self, channel: asyncssh.SSHServerChannel[bytes]) -> SourceFolder:
        source = channel.get_extra_info("username")
        fingerprint = channel.get_extra_info("atoll_key")
        root = self.options.root / source
        return SourceFolder(
            channel,
            root,
            self.options.source_bytes,
            still=lambda: self.callbacks.datasets(source, fingerprint) is not None,
            arrived=self.callbacks.arrived,
        )


class _Connection(asyncssh.SSHServer):
    """One connection: who it is."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._source = ""
        self._fingerprint = ""
        self._datasets: frozenset[str] = frozenset()
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if len(self._server.connected) >= self._server.options.connections:
            conn.abort()
            return
        self._server.connected.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.connected.discard(self._connection)
        if self._source:
            self._server.open[self._source] -= 1

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether the key is one of the source's; asked before its holder has proven anything."""
        self._fingerprint = key.get_fingerprint()
        datasets = await _in_thread(self._server.callbacks.datasets, username, self._fingerprint)
        self._datasets = datasets or frozenset()
        return datasets is not None

    async def auth_completed(self) -> None:
        """The source has proven to hold the key."""
        connection = self._connection
        assert connection is not None
        name = str(connection.get_extra_info("username"))
        if self._server.open[name] >= self._server.options.source_connections:
            connection.abort()
            return
        self._source = name
        self._server.open[name] += 1
        connection.set_extra_info(atoll_key=self._fingerprint)
        prepare(self._server.options.root / name, self._datasets)
        address = str((connection.get_extra_info("peername") or ("",))[0])
        await _in_thread(self._server.callbacks.signed_in, name, self._fingerprint, address)


async def _in_thread(ask: Callable[..., R], *args: object) -> R:
    return await asyncio.get_running_loop().run_in_executor(None, ask, *args)


def prepare(folder: Path, datasets: frozenset[str]) -> None:
    """The source's folder with a place for each dataset it may deliver to, its owner's only."""
    for directory in (folder, *(folder / name for name in sorted(datasets))):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def host_key(path: Path) -> asyncssh.SSHKey:
    """The server's key, made (0600) when there is none. Raises `Unavailable` when it cannot be read."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="atoll")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
        return key
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError):
        raise Unavailable(
            "The host key of the SFTP server cannot be read.", where=path.name, todo="Put the key back, or remove it."
        ) from None
