"""What the demo stands on: a platform of its own, people with tokens, and a voice."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo_machine import run_cells
from demo_search import identified_values, search_home

ATOLL = str(Path(sys.executable).parent / "atoll")
_START_SECONDS = 60


class ClaimBroken(Exception):
    """Something the demo says does not hold."""


@dataclass
class Running:
    """A platform that answers."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def platform(home: Path, port: int) -> Iterator[Running]:
    """Start `atoll up` and stop it gracefully at the end."""
    home.mkdir(parents=True)
    log = (home.parent / f"{home.name}.log").open("wb")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ATOLL_")}
    environment["ATOLL_ENVIRONMENTS_DIR"] = str(_environments(home.parent))
    process = subprocess.Popen(
        [ATOLL, "up", "--home", str(home), "--port", str(port)], stdout=log, stderr=log, env=environment
    )
    try:
        yield Running(_wait_for_url(Path(log.name), process), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        log.close()


def _environments(beside: Path) -> Path:
    """What runs inside machines, built the first time and kept for the next demo; where the variable says, if set."""
    directory = Path(os.environ.get("ATOLL_ENVIRONMENTS_DIR") or beside / ".atoll-environments").resolve()
    print("Building what runs inside machines, if it is not built yet: a minute or two.", flush=True)
    environment = {**os.environ, "ATOLL_ENVIRONMENTS_DIR": str(directory)}
    done = subprocess.run(
        [ATOLL, "environment", "build", "jupyter"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ClaimBroken(f"The environment cannot be built: {done.stderr}")
    return directory


def ending(running: Running, home: Path, passwords: Mapping[str, str]) -> None:
    """Say where the platform is and who signs in how, and stay until it is interrupted."""
    print(f"\nThe web application is at {running.url}; sign in as one of")
    for login, password in passwords.items():
        print(f"  {login:<12}{password}")
    print("The platform stays up; its API is described in docs/reference/api.md.")
    print(f"  export ATOLL_URL={running.url} ATOLL_TOKEN=$(cat {home / 'admin-token'})")
    print("Ctrl-C stops it.", flush=True)
    try:
        running.process.wait()
    except KeyboardInterrupt:
        print()


def _wait_for_url(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and (url := json.loads(line).get("fields", {}).get("url")):
                return str(url)
        time.sleep(0.1)
    raise ClaimBroken(f"The platform did not start; its log is {log}.")


@dataclass
class Stage:
    """Runs the `atoll` command as each person, and tells what happens."""

    running: Running
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)
    #: Of the people, for the sign-in page; random, and gone with the demo's home.
    passwords: dict[str, str] = field(default_factory=dict)
    delivered: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: int = 0

    def __post_init__(self) -> None:
        self.tokens["admin"] = (self.home / "admin-token").read_text().strip()

    def chapter(self, title: str, words: str) -> None:
        """A heading and a sentence."""
        print(
            f"\n\033[1m== {title}\033[0m\n{words}\n" if sys.stdout.isatty() else f"\n== {title}\n{words}\n", flush=True
        )

    def say(self, text: str) -> None:
        """A line of the account."""
        print(f"  {text}", flush=True)

    def claim(self, holds: bool, text: str) -> None:
        """Something that must hold."""
        if not holds:
            raise ClaimBroken(text)
        self.claims += 1
        self.say(f"[ok] {text}")

    def atoll(self, who: str, command: str | Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run the command as somebody; the outcome, whatever it is."""
        words = shlex.split(command) if isinstance(command, str) else list(command)
        environment = {**os.environ, "ATOLL_URL": self.running.url, "ATOLL_TOKEN": self.tokens[who]}
        return subprocess.run([ATOLL, *words], env=environment, capture_output=True, text=True, check=False)

    def run(self, who: str, command: str | Sequence[str], *, show: bool = True, lines: int | None = None) -> str:
        """Run a command that must succeed, and show it with what it prints."""
        done = self.atoll(who, command)
        shown = shlex.join(command) if not isinstance(command, str) else command
        shown = shown.replace(str(Path.cwd()) + "/", "")
        if show:
            print(f"  {who}$ atoll {shown}")
            told = done.stdout.rstrip().splitlines()
            for line in told[:lines]:
                print(f"    {line}")
            if lines is not None and len(told) > lines:
                print(f"    ... {len(told) - lines} more lines")
            sys.stdout.flush()
        if done.returncode != 0:
            raise ClaimBroken(f"atoll {shown} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def excerpt(self, who: str, command: str, lines: int) -> None:
        """Run a command and show the beginning of what it prints."""
        self.run(who, command, lines=lines)

    def json(self, who: str, command: str | Sequence[str]) -> Any:  # noqa: ANN401 - JSON
        """What a command tells with `--json`."""
        words = shlex.split(command) if isinstance(command, str) else list(command)
        return json.loads(self.run(who, [*words, "--json"], show=False))

    def refused(self, who: str, command: Sequence[str], why: str) -> None:
        """A command that must be refused."""
        done = self.atoll(who, command)
        print(f"  {who}$ atoll {shlex.join(command)}")
        for line in done.stderr.strip().splitlines():
            print(f"    {line}")
        self.claim(done.returncode not in (0, 1), f"refused ({why}), exit code {done.returncode}")

    def person(self, login: str, role: str) -> None:
        """Make a person with a random password, and sign in as them."""
        password = self.passwords[login] = secrets.token_urlsafe(16)
        made = subprocess.run(
            [ATOLL, "person", "add", login, "--name", login.title(), "--role", role, "--password-stdin"],
            env={**os.environ, "ATOLL_URL": self.running.url, "ATOLL_TOKEN": self.tokens["admin"]},
            input=password + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ClaimBroken(f"person add: {made.stderr}")
        signed = subprocess.run(
            [ATOLL, "login", login, "--password-stdin", "--json"],
            env={**os.environ, "ATOLL_URL": self.running.url},
            input=password + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if signed.returncode != 0:
            raise ClaimBroken(f"login: {signed.stderr}")
        self.tokens[login] = json.loads(signed.stdout)["token"]
        self.say(f"{login} ({role}) signed in")

    def source(self, name: str) -> None:
        """A credential with which the source can deliver, and no more."""
        self.tokens[name] = self.json("admin", f"source token {name} --label demo")["token"]

    def deliver(
        self, source: str, dataset: str, files: Sequence[Path], *, key: str = "", fails: int | None = 0
    ) -> dict[str, Any]:
        """Deliver files and wait for the admission; the delivery as it ended."""
        started = time.monotonic()
        names = [str(path) for path in files]
        done = self.atoll(source, ["deliver", "--source", source, "--dataset", dataset, *names, "--json"])
        if fails is not None and done.returncode != fails:
            raise ClaimBroken(f"deliver {dataset} ended with {done.returncode}: {done.stderr}")
        delivery: dict[str, Any] = json.loads(done.stdout)
        outcome = delivery["outcome"]
        size = sum(f["size_bytes"] for f in delivery["files"])
        print(f"  {source}$ atoll deliver --source {source} --dataset {dataset} ({len(files)} files)")
        self.say(
            f"  {delivery['state']}: {size / 1e6:.1f} MB in, {outcome['rows_in']} rows"
            f" = {outcome['rows_committed']} committed + {outcome['rows_quarantined']} held"
            f", {outcome['bytes_committed'] / 1e6:.2f} MB in the lake"
            f", {time.monotonic() - started:.1f} s"
        )
        self.claim(outcome["rows_in"] == outcome["rows_committed"] + outcome["rows_quarantined"], "The counts add up.")
        self.delivered[key or dataset] = delivery
        return delivery

    def versions(self, dataset: str) -> list[Any]:
        """The versions of a dataset."""
        told = self.json("steward", f"dataset versions {dataset}")
        return list(told["items"] if isinstance(told, dict) else told)

    def ask(self, who: str, sql: str) -> None:
        """A query that must answer."""
        self.run(who, ["sql", sql, "--project", "heart-study"])

    def host_lacks(self) -> str:
        """What of the host keeps sandboxes from running, in the words of `atoll doctor`; nothing if they can."""
        done = subprocess.run([ATOLL, "doctor", "--home", str(self.home)], capture_output=True, text=True, check=False)
        told = (done.stdout + done.stderr).splitlines()
        needed = ("No backend", "NO  sandbox: bubblewrap", "NO  sandbox: namespaces")
        return " ".join(line for line in told if line.startswith(needed))

    def cells(self, kernel: str, cells: Sequence[str], known: str | None = None) -> tuple[str, list[str]]:
        """Run cells in the machine `lab` as its owner's browser does."""
        told = self.run("scientist", "workspace open lab", show=False)
        address = next(line for line in told.splitlines() if line.startswith("http"))
        print(f"  scientist's browser: {len(cells)} cells in {'R' if kernel == 'ir' else 'Python'}", flush=True)
        return run_cells(address, kernel, cells, known=known)

    def wait_for_cost(self, metric: str) -> None:
        """Until the housekeeping has metered it."""
        deadline = time.monotonic() + 90
        while not any(line["metric"] == metric for line in self.json("auditor", "cost report")["lines"]):
            if time.monotonic() > deadline:
                raise ClaimBroken(f"No {metric} were metered.")
            time.sleep(1)

    @staticmethod
    def count_treatments(explanation: dict[str, Any]) -> Counter[str]:
        """How many columns of a contract get which treatment."""
        found: Counter[str] = Counter()
        for table in explanation["tables"]:
            found.update(column["treatment"] for column in table["columns"])
        return found

    def search(self, examples: Path) -> None:
        """Look for the identifying values of the delivered files in every byte of the home."""
        values = identified_values(examples)
        files, size, hits = search_home(self.home, values)
        for place in hits[:5]:
            self.say(f"FOUND in {place}")
        self.claim(
            not hits, f"{len(values)} identifying values looked for in {files} files, {size / 1e6:.1f} MB: none found."
        )
        own = (self.home.parent / f"{self.home.name}.log").read_text()
        self.claim(not any(value in own for value in values), "Nor in the platform's log.")

    def figures(self) -> None:
        """The account in one table."""
        heads = ("files", "rows in", "committed", "held", "MB in", "MB lake", "ratio")
        print(f"  {'delivery':<16}" + "".join(f"{h:>{w}}" for h, w in zip(heads, (6, 10, 11, 6, 8, 9, 7), strict=True)))
        for name, delivery in self.delivered.items():
            outcome = delivery["outcome"]
            size = sum(f["size_bytes"] for f in delivery["files"])
            kept = outcome["bytes_committed"]
            print(
                f"  {name:<16}{len(delivery['files']):>6}{outcome['rows_in']:>10}{outcome['rows_committed']:>11}"
                f"{outcome['rows_quarantined']:>6}{size / 1e6:>8.2f}{kept / 1e6:>9.2f}{size / max(kept, 1):>7.1f}"
            )
        self.say("")
        self.say(f"{self.claims} claims checked, all hold.")
