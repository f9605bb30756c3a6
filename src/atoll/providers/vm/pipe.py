"""Joins what QEMU gives it to a unix socket. A program of its own: `python -I -S pipe.py SOCKET`."""

from __future__ import annotations

import os
import socket
import sys
import threading


def back(source: socket.socket) -> None:
    """What comes from the socket goes to QEMU."""
    while block := source.recv(65_536):
        while block:
            block = block[os.write(1, block) :]
    os._exit(0)


def main(path: str) -> None:
    """Carry bytes both ways."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        far.connect(path)
        threading.Thread(target=back, args=(far,)).start()
        while block := os.read(0, 65_536):
            far.sendall(block)
        far.shutdown(socket.SHUT_WR)
        threading.Event().wait(3600)


if __name__ == "__main__":
    main(sys.argv[1])
