"""`atoll up` as an operator starts it: a process of its own, its log in a file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.installed import environment

from atoll.client import AtollClient

ATOLL = str(Path(sys.executable).parent / "atoll")
_START_SECONDS = 60


@dataclass
class Platform:
    """A platform in `root`: home, temporary folder, and one log over all its lives."""

    root: Path
    settings: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    #: What is started: the command itself, or something around it.
    program: tuple[str, ...] = (ATOLL,)
    #: 0: any that is free.
    port: int = 0

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def log(self) -> Path:
        return self.root / "atoll.log"

    def start(self) -> None:
        temporary = self.root / "tmp"
        temporary.mkdir(exist_ok=True)
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "up", "--home", str(self.home), "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=environment(TMPDIR=str(temporary), **self.settings),
            )
        self.url = self._wait_for_url(before)
        self.tokens["admin"] = (self.home / "admin-token").read_text().strip()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process = None
        return code

    def as_(self, who: str) -> AtollClient:
        return AtollClient(self.url, self.tokens[who])

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def person(self, login: str, *roles: str) -> None:
        with self.as_("admin") as admin:
            admin.people.add(login, login.title(), roles)
            self.tokens[login] = admin.tokens.create("test", login=login)["token"]

    def contract(self, text: str) -> None:
        """Put a contract in force: one steward proposes it, another approves it."""
        for login in ("author", "reviewer"):
            if login not in self.tokens:
                self.person(login, "steward")
        with self.as_("author") as author, self.as_("reviewer") as reviewer:
            reviewer.contracts.approve(author.contracts.propose(text)["id"])

    def source(self, name: str, *datasets: str) -> None:
        with self.as_("admin") as admin:
            admin.sources.add(name, name.title(), datasets)
            self.tokens[name] = admin.sources.token(name, "test")["token"]

    def _wait_for_url(self, before: int) -> str:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            for line in self.log.read_bytes()[before:].decode().splitlines():
                if line.endswith("}") and '"url"' in line:
                    return str(json.loads(line)["fields"]["url"])
            time.sleep(0.05)
        raise AssertionError(f"atoll up did not start: {self.log.read_text()[-2000:]}")
