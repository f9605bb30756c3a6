"""Asking the service inside a machine whether it answers."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

#: How long a look may take; a service that is slower is asked again at the next look.
ANSWER_SECONDS = 1.0


def connect_machine(path: Path, seconds: float) -> socket.socket:
    """Connect to a socket in a directory that the machine may write. Raises `OSError`.

    What lies there is the machine's doing: a symbolic link would lead the platform to
    another's socket. So the file is held first and connected as held. This also takes
    paths longer than the 108 bytes of unix(7).
    """
    held = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(held).st_mode):
            raise ConnectionRefusedError("not a socket")
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(seconds)
            connection.connect(f"/proc/self/fd/{held}")
        except OSError:
            connection.close()
            raise
        return connection
    finally:
        os.close(held)


def answers(path: Path, base_url: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether an HTTP server there answers for `<base_url>api` with success."""
    request = f"GET {base_url}api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with connect_machine(path, seconds) as connection:
            connection.sendall(request.encode())
            head = connection.recv(64)
    except OSError:
        return False
    words = head.split(b" ", 2)
    return len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1] == b"200"
