"""A real platform (records, audit, lake, query engine) behind the app, one for each test module."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from tests.services.routes_once import make_routes_once

from atoll.api import create_app
from atoll.flows import sign_in
from atoll.model.dataset import Dataset, DatasetVersion, TableState
from atoll.model.person import Role
from atoll.model.table import Column, ColumnType
from atoll.settings import Settings
from atoll.wiring import platform

API = "/api/v1"
make_routes_once()


class MovingClock:
    """The system's time, and as much later as a test says."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead


class Site:
    """The app with a caller of every kind."""

    def __init__(self, rooms, clock):
        self.rooms = rooms
        self.clock = clock
        self.app = create_app(rooms)
        # A stream of events would never end for a client that reads it whole.
        self.app.state.stopping = lambda: True
        # Unexpected errors must be answered by the app, not raised through the client.
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.tokens = {"admin": sign_in.ensure_admin(rooms)}
        self.ids = {"admin": self.get("/me", "admin").json()["id"]}
        for role in (Role.STEWARD, Role.SCIENTIST, Role.AUDITOR):
            self.add_person(role.value, {role.value})
        self.add_person("nobody", set())
        self.add_source("lab", ["trial", "synthea"])

    def add_person(self, login, roles):
        answer = self.post("/people", "admin", login=login, display_name=login.title(), roles=sorted(roles))
        assert answer.status_code == 201, answer.text
        self.ids[login] = answer.json()["id"]
        answer = self.post("/tokens", "admin", login=login, label="test")
        assert answer.status_code == 201, answer.text
        self.tokens[login] = answer.json()["token"]

    def put_in_force(self, text):
        """A contract proposed by the steward and approved by another."""
        if "reviewer" not in self.tokens:
            self.add_person("reviewer", {Role.STEWARD.value})
        proposed = self.post("/contract-proposals", "steward", text=text)
        assert proposed.status_code == 201, proposed.text
        answer = self.post(f"/contract-proposals/{proposed.json()['id']}/approve", "reviewer", reason="")
        assert answer.status_code == 200, answer.text
        return answer

    def add_source(self, name, datasets):
        answer = self.post("/sources", "admin", name=name, title=name.title(), datasets=datasets)
        assert answer.status_code == 201, answer.text
        answer = self.post(f"/sources/{name}/tokens", "admin", label="test")
        assert answer.status_code == 201, answer.text
        self.tokens[name] = answer.json()["token"]

    def add_project(self, name, *members):
        assert self.post("/projects", "admin", name=name, title=name.title()).status_code == 201
        for login in members:
            assert self.send("PUT", f"/projects/{name}/members/{login}", "admin").status_code == 200

    def add_dataset(self, name, columns=("age", "code"), *, versions=1):
        """A dataset on record, as an admission leaves it; its files are not needed here."""
        now = self.clock.now()
        self.rooms.records.put(Dataset(id=name, title=name.title(), latest=versions, created_at=now))
        for number in range(1, versions + 1):
            table = TableState(
                table="visits",
                snapshot_id=number,
                rows=10,
                size_bytes=100,
                files=1,
                columns=tuple(Column(name=c, type=ColumnType.INTEGER) for c in columns),
            )
            self.rooms.records.put(
                DatasetVersion(
                    id=f"{name}@{number}",
                    dataset=name,
                    number=number,
                    delivery=f"dlv_{name}_{number}",
                    contract=f"{name}@1",
                    tables=(table,),
                    committed_at=now,
                    rows_added=10,
                    bytes_added=100,
                )
            )

    def head(self, who):
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}

    def send(self, method, path, who, **options):
        return self.client.request(
            method, API + path, headers={**self.head(who), **options.pop("headers", {})}, **options
        )

    def get(self, path, who):
        return self.send("GET", path, who)

    def post(self, path, who, **body):
        return self.send("POST", path, who, json=body)

    def patch(self, path, who, **body):
        return self.send("PATCH", path, who, json=body)

    def audited(self, action):
        return [entry.event for entry in self.rooms.audit.tail(1000) if entry.event.action == action]


def open_site(home, backends=None, **settings):
    umask = os.umask(0o077)
    os.umask(umask)
    clock = MovingClock()
    rooms = platform.build(Settings(home=home, query_max_rows=2_000_000, **settings))
    os.umask(umask)
    changes = {} if backends is None else {"backends": backends(clock)}
    return Site(dataclasses.replace(rooms, clock=clock, **changes), clock), rooms


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    yield site
    platform.close(rooms)


@pytest.fixture
def fresh_site(tmp_path):
    """For tests that move the clock or count what was done."""
    # No process waits for queries: what is asked starts one.
    site, rooms = open_site(tmp_path / "home", query_workers=0)
    yield site
    platform.close(rooms)
