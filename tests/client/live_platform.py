"""A whole platform that answers HTTP: real rooms, runner and server, on a free port of this machine."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvicorn
from tests.services.routes_once import make_routes_once

from atoll.api import create_app
from atoll.client import AtollClient
from atoll.flows import converge_workspace, make_proof
from atoll.flows.manage_products import ensure_shipped
from atoll.flows.poll_machines import poll_machines
from atoll.flows.rooms import Rooms
from atoll.flows.sign_in import ensure_admin
from atoll.flows.surroundings import BareSurroundings
from atoll.operations import Reconciler, Reconcilers, Runner
from atoll.providers.simulator import SimulatedBackend
from atoll.settings import Settings
from atoll.wiring import platform

make_routes_once()

CANARY = "Quillfeather"

CONTRACT = """\
dataset: ward
title: A small ward
domains:
  person:
    description: One pseudonym for each patient
tables:
  patients:
    files: ["patients*.csv"]
    format: csv
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person, as: patient_id, required: true, reason: direct identifier}
      NAME: {treat: drop, reason: name}
      AGE: {treat: keep, type: integer, min: 0, max: 120, reason: needed for the study}
      SEEN: {treat: shift_date, type: date, reason: dates identify}
"""

GOOD = "ID,NAME,AGE,SEEN\n" + "".join(f"P-{n},{CANARY} {n},{20 + n},2020-02-{n:02d}\n" for n in range(1, 11))
MIXED = f"ID,NAME,AGE,SEEN\nP-1,{CANARY},41,2020-02-01\nP-2,{CANARY},old,2020-02-02\nP-3,{CANARY},200,2020-02-03\n"
#: No row of it can enter.
BAD = f"ID,NAME,AGE,SEEN\nP-7,{CANARY},old,2020-02-01\n"


@dataclass
class Atoll:
    """Where the platform answers, and the tokens of those who know it."""

    url: str
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def as_(self, who: str) -> AtollClient:
        """A client of this person or source."""
        return AtollClient(self.url, self.tokens[who])

    def person(self, login: str, *roles: str, password: str | None = None) -> None:
        """Make a person, with a token."""
        with self.as_("admin") as admin:
            admin.people.add(login, login.title(), roles, password)
            self.tokens[login] = admin.tokens.create("test", login=login)["token"]

    def contract(self, text: str) -> None:
        """Put a contract in force: one steward proposes it, another approves it."""
        for login in ("author", "reviewer"):
            if login not in self.tokens:
                self.person(login, "steward")
        with self.as_("author") as author, self.as_("reviewer") as reviewer:
            reviewer.contracts.approve(author.contracts.propose(text)["id"])

    def source(self, name: str, *datasets: str) -> None:
        """Make a source, with a token."""
        with self.as_("admin") as admin:
            admin.sources.add(name, name.title(), datasets)
            self.tokens[name] = admin.sources.token(name, "test")["token"]


@contextmanager
def running(home: Path, *, workers: bool = True, machines: bool = False, **settings: object) -> Iterator[Atoll]:
    """A platform that answers while the block lasts; without `workers` nothing is admitted.

    With `machines` there is a simulated backend, the shipped products, and what makes wishes true.
    """
    rooms = platform.build(Settings(home=home, **settings))
    if machines:
        rooms = dataclasses.replace(rooms, backends={"simulator": SimulatedBackend(rooms.clock, boot_seconds=0.3)})
        ensure_shipped(rooms)
    listening = socket.create_server(("127.0.0.1", 0))
    # asyncio does this only for sockets made with IPPROTO_TCP; without it each answer waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(create_app(rooms), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    runner = _with_machines(rooms) if machines else platform.runner(rooms)
    queries = platform.query_runner(rooms)
    duties = [
        Reconciler("poll", 0.1, partial(poll_machines, rooms)),
        Reconciler("converge", 0.1, partial(converge_workspace.converge_workspaces, rooms)),
    ]
    reconcilers = Reconcilers(duties)
    try:
        secret = ensure_admin(rooms)
        thread.start()
        if workers:
            runner.start()
            queries.start()
        if machines:
            reconcilers.start()
        while not server.started:
            time.sleep(0.01)
        atoll = Atoll(f"http://127.0.0.1:{listening.getsockname()[1]}", home)
        if secret is not None:
            atoll.tokens["admin"] = secret
        yield atoll
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        if machines:
            reconcilers.stop()
        runner.stop()
        queries.stop()
        platform.close(rooms)
        listening.close()


def _with_machines(rooms: Rooms) -> Runner:
    of_machines = {**converge_workspace.stories(rooms, BareSurroundings(rooms)), **make_proof.stories(rooms)}
    stories = {**platform.stories(rooms), **of_machines}
    return Runner(rooms.operations, stories, workers=2, lease_seconds=rooms.settings.operation_lease_seconds)


def settle(atoll: Atoll) -> None:
    """People, a project, a source and a contract in force."""
    atoll.person("sam", "steward")
    atoll.person("sid", "scientist", password="a long enough password")
    atoll.person("ann", "auditor")
    atoll.source("lab", "ward")
    with atoll.as_("admin") as admin:
        admin.projects.add("heart", "Heart study")
        admin.projects.add_member("heart", "sid")
    atoll.contract(CONTRACT)


def write(directory: Path, name: str, text: str) -> Path:
    """A file to deliver."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text)
    return path
