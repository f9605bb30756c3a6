"""The directory of one machine, and what its files say.

<directory>/<workspace>/
  machine.json      what it is to be; written first, removed last
  launch.json       what the supervisor starts
  supervisor.json, exit.json, disk.json, log    see supervisor.py
  answered          token of the start whose service has answered
  run/              seen inside at /run/m: sockets of its services
  home/             seen inside at /home; outlives all else but `forget_home`
  etc/              the few files of its /etc
  claim.json        of one made ready for nobody: what its person brings; claimed.json: it is there
  slots/            where that is mounted, seen in the supervisor's namespace only
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from atoll.errors import InvalidInput
from atoll.providers.sandbox.process import Process

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SOCKET = "jup.sock"
_LOCKS = 256


class Machine:
    """One machine's files."""

    def __init__(self, directory: Path, workspace: str) -> None:
        if not _NAME.fullmatch(workspace):
            raise InvalidInput("The id of the workspace cannot name a machine.", where=workspace[:80])
        self.workspace = workspace
        self.path = directory / workspace
        self.home = self.path / "home"
        self.run = self.path / "run"
        self.etc = self.path / "etc"
        self.slots = self.path / "slots"
        self.socket = self.run / SOCKET

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the machine against other threads and processes of the platform."""
        descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def busy(self) -> bool:
        """Whether somebody holds the machine now (or, rarely, another one that shares its lock)."""
        descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _open_lock(self) -> int:
        locks = self.path.parent / ".locks"
        locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A fixed number of files, so that none is left behind by a machine.
        number = int.from_bytes(hashlib.sha256(self.workspace.encode()).digest()[:4], "big") % _LOCKS
        return os.open(locks / str(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def read(self, name: str) -> dict[str, Any] | None:
        """A file of JSON, None when it is not there."""
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return None
        return content

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Replace a file of JSON as a whole."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.path / f".{name}.part"
        with new.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.path / name)

    def was_used(self, token: str) -> bool:
        """Whether a machine was ever started by this token."""
        try:
            return token in (self.path / "tokens").read_text().splitlines()
        except OSError:
            return False

    def note_use(self, token: str) -> None:
        """Remember a token, until the home is forgotten."""
        if not self.was_used(token):
            with (self.path / "tokens").open("a") as file:
                file.write(token + "\n")

    def supervisor(self, token: str) -> Process | None:
        """The process that keeps the machine of this token, None when it was never started."""
        state = self.read("supervisor.json")
        if state is None or state["token"] != token:
            return None
        return Process(state["pid"], state["started"], state["boot"])

    def first_process(self, token: str) -> Process | None:
        """The machine's own first process as the host sees it, None when it is not known yet."""
        state = self.read("supervisor.json")
        if state is None or state["token"] != token or not state["inner_started"]:
            return None
        return Process(state["inner_pid"], state["inner_started"], state["boot"])

    def ending(self, token: str) -> dict[str, Any] | None:
        """How this start ended, None when nobody wrote it down."""
        ending = self.read("exit.json")
        return ending if ending is not None and ending["token"] == token else None

    def anonymous(self, made: dict[str, Any]) -> bool:
        """Whether it was made ready for nobody, and is nobody's yet."""
        claimed = self.read("claimed.json") if made["spec"].get("anonymous") else None
        return bool(made["spec"].get("anonymous")) and (claimed is None or claimed["token"] != made["spec"]["token"])

    def log_end(self, last_bytes: int) -> str:
        """The end of what it printed."""
        blocks = []
        for name in ("log.1", "log"):
            try:
                with (self.path / name).open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - last_bytes))
                    blocks.append(file.read(last_bytes))
            except OSError:
                continue
        return b"".join(blocks)[-last_bytes:].decode(errors="replace") if last_bytes > 0 else ""
