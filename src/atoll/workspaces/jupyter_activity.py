"""What a notebook server inside a machine tells of its use, by its REST interface over its unix socket.

The server belongs to the person inside: it may answer anything, or nothing. An answer
is read for so long and to such a size, and what is odd counts as not told.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atoll.workspaces.idle import Kernel

#: Of the Jupyter server: `idle` runs nothing, `dead` cannot, and `starting` is what a kernel is called
#: for ever that no page has spoken to yet; all else (busy, restarting, ...) may be a cell.
_NOT_BUSY = frozenset({"idle", "dead", "starting"})
_MOST_BYTES = 2**20
_CHUNK = 2**16
_MOST_ITEMS = 1000


@dataclass(frozen=True)
class Activity:
    """Kernels, terminals, open sessions, and what could not be asked."""

    kernels: tuple[Kernel, ...] = ()
    terminals: tuple[datetime, ...] = ()
    sessions: int = 0
    silent: tuple[str, ...] = ()


def ask(listening: Path, base_url: str, seconds: float = 5.0) -> Activity:
    """What the server tells; raises nothing.

    `listening` is its socket on the host, `base_url` its path such as `/w/<id>/`. What the
    server has no interface for (404) it has none of.
    """
    end = time.monotonic() + seconds
    silent: list[str] = []
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for what in ("kernels", "terminals", "sessions"):
        try:
            answers[what] = _get(listening, f"{base_url.rstrip('/')}/api/{what}", end)
        except (OSError, ValueError, RecursionError):
            silent.append(f"its {what}")
            answers[what] = []
    kernels = tuple(_kernel(item, _notebooks(answers["sessions"])) for item in answers["kernels"])
    terminals = tuple(at for item in answers["terminals"] if (at := _time(item.get("last_activity"))))
    return Activity(kernels, terminals, len(answers["sessions"]), tuple(silent))


def _kernel(item: Mapping[str, Any], notebooks: Mapping[str, str]) -> Kernel:
    name = notebooks.get(str(item.get("id"))) or f"kernel {str(item.get('name', ''))[:40]}"
    return Kernel(name, item.get("execution_state") not in _NOT_BUSY, _time(item.get("last_activity")))


def _notebooks(sessions: list[Mapping[str, Any]]) -> dict[str, str]:
    """Names of notebooks by id of their kernel. A name is shown to its own people only."""
    found: dict[str, str] = {}
    for session in sessions:
        kernel, path = session.get("kernel"), session.get("path")
        if isinstance(kernel, Mapping) and isinstance(path, str):
            found[str(kernel.get("id"))] = "".join(c for c in path[-80:] if c.isprintable())
    return found


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    # A time to come would keep the machine alive until then.
    return min(at, datetime.now(UTC))


def _get(listening: Path, path: str, end: float) -> list[Mapping[str, Any]]:
    status, body = _exchange(listening, path, end)
    if status == 404:
        return []
    if status != 200:
        raise ValueError("the answer is an error")
    items = json.loads(body)
    if not isinstance(items, list) or len(items) > _MOST_ITEMS or not all(isinstance(item, dict) for item in items):
        raise ValueError("the answer is no list")
    return items


def _exchange(listening: Path, path: str, end: float) -> tuple[int, bytes]:
    """One request of HTTP/1.0, so that the answer ends with its connection."""
    # By the directory's descriptor: a socket's path may have 107 bytes only.
    directory = os.open(listening.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(_left(end))
            connection.connect(f"/proc/self/fd/{directory}/{listening.name}")
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode())
            answer = b""
            while True:
                connection.settimeout(_left(end))
                chunk = connection.recv(_CHUNK)
                if not chunk:
                    break
                answer += chunk
                if len(answer) > _MOST_BYTES:
                    raise ValueError("the answer is too long")
    finally:
        os.close(directory)
    head, found, body = answer.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split()
    if not found or len(words) < 2 or not words[1].isdigit():
        raise ValueError("the answer is no HTTP")
    return int(words[1]), body


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
