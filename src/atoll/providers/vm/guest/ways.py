"""The ways in and out of a virtual machine: to its service, and to its gateway. Standard library only."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

SERVICE_SOCKET = "/run/m/jup.sock"
SERVICE_PORT, GATEWAY_PORT = 8888, 3141
GATEWAY = "10.0.2.100"


def asked(path: str) -> bool:
    """Whether the service answers for a path."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(120)
            connection.connect(SERVICE_SOCKET)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            head = connection.recv(64)
            while connection.recv(65_536):
                pass
    except OSError:
        return False
    return head.startswith(b"HTTP/1.") and head.split(b" ")[1] == b"200"


def join(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended."""
    with near, far:
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way; the end is passed on as an end."""
    with contextlib.suppress(OSError):
        while block := source.recv(65_536):
            sink.sendall(block)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def to_service() -> socket.socket:
    """A connection to the service."""
    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    far.connect(SERVICE_SOCKET)
    return far


def to_gateway() -> socket.socket:
    """A connection to the gateway of this machine."""
    return socket.create_connection((GATEWAY, GATEWAY_PORT), timeout=None)


def forward(server: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Join each connection that comes to one that is made."""
    while True:
        near, _ = server.accept()
        try:
            far = connect()
        except OSError:
            near.close()
            continue
        threading.Thread(target=join, args=(near, far), daemon=True).start()


def forward_all() -> None:
    """In a process of its own, which ends with no service: the ways in and out."""
    if os.fork():
        return
    os.setsid()
    gateway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    Path("/run/gw").mkdir(exist_ok=True)
    gateway.bind("/run/gw/gw.sock")
    gateway.listen(128)
    Path("/run/gw/gw.sock").chmod(0o666)
    ways = [
        (socket.create_server(("10.0.2.15", SERVICE_PORT), backlog=128), to_service),
        (socket.create_server(("127.0.0.1", GATEWAY_PORT), backlog=128), to_gateway),
        (gateway, to_gateway),
    ]
    for server, connect in ways[1:]:
        threading.Thread(target=forward, args=(server, connect), daemon=True).start()
    forward(*ways[0])
