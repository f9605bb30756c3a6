"""Connections to the sockets of machines."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from atoll.errors import Unavailable

_CONNECT_SECONDS = 5.0
#: Shorter than servers keep a connection, so that none is used that they have just closed.
_KEEP_SECONDS = 15.0
_BUFFER_BYTES = 2**18


@dataclass
class _Upstream:
    inode: tuple[int, int]
    descriptor: int
    session: aiohttp.ClientSession
    used_at: float

    async def close(self) -> None:
        await self.session.close()
        os.close(self.descriptor)


class Upstreams:
    """A pool of connections for each machine.

    The directory of the socket is the machine's own, so what is inside may put anything
    in the socket's place: a link to the socket of another machine, or of a service of the
    host. The last name of the path is therefore opened without following links and checked
    to be a socket, and connected to by that descriptor, which also knows no end of paths at
    108 bytes. The directories above it must be the platform's.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._upstreams: dict[str, _Upstream] = {}

    async def session(self, workspace: str, path: Path) -> aiohttp.ClientSession:
        """A client for the workspace's socket. Raises `Unavailable` when there is none (yet)."""
        try:
            found = path.lstat()
        except OSError:
            found = None
        known = self._upstreams.get(workspace)
        if found is not None and known is not None and known.inode == (found.st_dev, found.st_ino):
            known.used_at = self._loop.time()
            return known.session
        # What is under way on a socket that was replaced ends with it. Nothing waits between
        # taking the old one away and keeping the new one, or two callers would open two.
        self._upstreams.pop(workspace, None)
        try:
            return self._open(workspace, path)
        finally:
            if known is not None:
                await known.close()

    async def close(self, workspace: str) -> None:
        """Close every connection to the workspace."""
        known = self._upstreams.pop(workspace, None)
        if known is not None:
            await known.close()

    def idle(self, seconds: float) -> list[str]:
        """Workspaces that nobody asked for in this time."""
        since = self._loop.time() - seconds
        return [workspace for workspace, known in self._upstreams.items() if known.used_at < since]

    async def close_all(self) -> None:
        """Close every connection."""
        for workspace in list(self._upstreams):
            await self.close(workspace)

    def _open(self, workspace: str, path: Path) -> aiohttp.ClientSession:
        descriptor = hold_socket(path)
        status = os.fstat(descriptor)
        session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(f"/proc/self/fd/{descriptor}", limit=0, keepalive_timeout=_KEEP_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            read_bufsize=_BUFFER_BYTES,
        )
        self._upstreams[workspace] = _Upstream((status.st_dev, status.st_ino), descriptor, session, self._loop.time())
        return session


def hold_socket(path: Path) -> int:
    """A descriptor of the socket itself, whatever is put in its place. Raises `Unavailable` when it is none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise not_answering() from None
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_answering()
    return descriptor


def not_answering() -> Unavailable:
    """The answer for a machine whose service is not there."""
    return Unavailable("The service in this machine does not answer.", todo="It may be starting; try again shortly.")
