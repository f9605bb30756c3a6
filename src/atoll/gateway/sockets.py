"""The socket of one machine: nobody else can open it, and it takes so many connections."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from aiohttp import web

_BACKLOG = 128


class _Refused(asyncio.Protocol):
    """A connection too many: closed as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class MachineSocket:
    """A listening unix socket of mode 0600 that belongs to the machine's account.

    Args:
        path: where it is made; a socket left there by a process that died is replaced.
        uid: owner; None is the platform's own account.
        max_connections: more at once are closed unanswered.
    """

    def __init__(self, path: Path, *, uid: int | None, max_connections: int) -> None:
        self._path = path
        self._uid = uid
        self._max_connections = max_connections
        self._server: asyncio.Server | None = None
        self._inode: tuple[int, int] | None = None

    async def listen(self, runner: web.AppRunner) -> None:
        """Serve the application of `runner` (which is set up) on the socket."""
        server = runner.server
        assert server is not None
        listener, self._inode = _bind(self._path, self._uid)

        def protocol() -> asyncio.BaseProtocol:
            return _Refused() if len(server.connections) >= self._max_connections else server()

        self._server = await asyncio.get_running_loop().create_server(protocol, sock=listener, backlog=_BACKLOG)

    async def close(self) -> None:
        """Take no more connections and remove the socket, unless another process has put its own there."""
        if self._server is not None:
            self._server.close()
            self._server = None
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return
        if (found.st_dev, found.st_ino) == self._inode:
            self._path.unlink(missing_ok=True)


def _bind(path: Path, uid: int | None) -> tuple[socket.socket, tuple[int, int]]:
    """Bound in a directory of others' no access, by way of /proc: a socket's path ends at 108 bytes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made = f".{path.name}.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        # The mode of the unbound socket becomes the mode of its file: at no moment is it open to others.
        os.fchmod(listener.fileno(), 0o600)
        _unlink(made, directory)
        listener.bind(f"/proc/self/fd/{directory}/{made}")
        if uid is not None and uid != os.geteuid():
            os.chown(made, uid, -1, dir_fd=directory, follow_symlinks=False)
            # The machine's account may pass to its socket, and list or change nothing.
            os.fchmod(directory, 0o711)
        status = os.stat(made, dir_fd=directory, follow_symlinks=False)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        os.replace(made, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        return listener, (status.st_dev, status.st_ino)
    except BaseException:
        listener.close()
        _unlink(made, directory)
        raise
    finally:
        os.close(directory)


def _unlink(name: str, directory: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
