"""Server-sent events over a real server: hints for those who may see, nothing for others, an end with the session."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import httpx
import pytest
from tests.api.asking import ALL, fill, served_by, settled
from tests.api.conftest import open_site

from atoll.api.routes import events as route
from atoll.flows import tell_events
from atoll.model.dataset import Dataset
from atoll.wiring import platform


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A filled site behind a server, with its runner of queries."""
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    fill(site)
    runner = platform.query_runner(site.rooms)
    runner.start()
    with served_by(site.app) as address:
        site.address = address
        yield site
    runner.stop()
    platform.close(rooms)


@pytest.fixture(autouse=True)
def quick_heart(monkeypatch):
    monkeypatch.setattr(route, "HEARTBEAT_SECONDS", 0.3)


class Ear:
    """Listens in a thread of the test's own."""

    def __init__(self, site, who, last_id=""):
        self.heard, self.ids, self.comments, self.over = [], [], 0, threading.Event()
        self._answer = None
        self._site, self._who, self._last_id = site, who, last_id
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._answer.close()
        self._thread.join(10)

    def _listen(self):
        head = {**self._site.head(self._who), **({"Last-Event-ID": self._last_id} if self._last_id else {})}
        url = f"{self._site.address}/events"
        with (
            contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError, ValueError),
            httpx.stream("GET", url, headers=head, timeout=60) as self._answer,
        ):
            assert self._answer.status_code == 200, self._answer.read()
            assert self._answer.headers["content-type"].startswith("text/event-stream")
            event = ""
            for line in self._answer.iter_lines():
                if line.startswith(":"):
                    self.comments += 1
                    self._ready.set()
                elif line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("id: "):
                    self.ids.append(line[4:])
                elif line.startswith("data: "):
                    told = json.loads(line[6:])
                    self.heard.append((told["kind"], told["id"]) if event == "change" else (event, ""))
        self.over.set()

    def hears(self, kind, id, seconds=10):
        end = time.monotonic() + seconds
        while (kind, id) not in self.heard:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def ask(site):
    id = site.post("/queries/async", "scientist", project="heart", sql=ALL, fresh=True).json()["id"]
    settled(site, id)
    return id


def test_what_happens_is_told_to_those_who_may_see_it_and_to_nobody_else(busy):
    with Ear(busy, "scientist") as scientist, Ear(busy, "other") as other, Ear(busy, "admin") as admin:
        id = ask(busy)
        operation = next(pair for pair in _waited(admin) if pair[0] == "operation")
        assert scientist.hears("query", id)
        assert busy.patch(f"/people/{busy.ids['nobody']}", "admin", display_name="No Body").status_code == 200
        assert admin.hears("person", busy.ids["nobody"])
        time.sleep(0.3)
        assert operation not in scientist.heard and ("person", busy.ids["nobody"]) not in scientist.heard
        assert ("query", id) not in admin.heard
        assert other.heard == []


def _waited(ear):
    end = time.monotonic() + 10
    while not ear.heard and time.monotonic() < end:
        time.sleep(0.02)
    return ear.heard


def test_it_is_prompt_and_holds_no_data(busy):
    with Ear(busy, "scientist") as ear:
        start = time.monotonic()
        answer = busy.send(
            "POST", "/saved-queries?project=heart", "scientist", json={"name": "secretname", "sql": "select 1"}
        )
        assert ear.hears("saved_query", answer.json()["id"])
        assert time.monotonic() - start < 1
        assert "secretname" not in str(ear.heard)


def test_what_another_process_writes_is_told_too(busy):
    """Audited writes and operations of another process, which shares the records and nothing else."""
    rooms = platform.build(busy.rooms.settings)
    try:
        with Ear(busy, "scientist") as ear:
            time.sleep(1.2)
            from atoll.flows import save_query, sign_in
            from atoll.model.person import Person

            me = sign_in.caller_now(rooms, rooms.records.get(Person, busy.ids["scientist"]))
            saved = save_query.save(rooms, me, "heart", "elsewhere", "", "select 2")
            assert ear.hears("saved_query", saved.id, seconds=5)
    finally:
        platform.close(rooms)


def test_who_comes_back_is_told_what_was_missed(busy):
    with Ear(busy, "scientist") as ear:
        assert ear.hears("query", ask(busy))
        last = ear.ids[-1]
    missed = ask(busy)
    with Ear(busy, "scientist", last) as ear:
        assert ear.hears("query", missed, seconds=3)
    with Ear(busy, "scientist", "evt_other-7") as ear:
        assert ear.hears("resync", "", seconds=3)


def test_the_stream_ends_with_the_token(busy):
    busy.add_person("leaver", {"scientist"})
    with Ear(busy, "leaver") as ear:
        time.sleep(1)
        assert ear.comments >= 2 and not ear.over.is_set()
        assert busy.patch(f"/people/{busy.ids['leaver']}", "admin", active=False).status_code == 200
        assert ear.over.wait(5)
    assert httpx.get(f"{busy.address}/events", headers=busy.head("leaver")).status_code == 401


def test_rights_are_those_of_now(busy):
    busy.add_person("mover", set())
    with Ear(busy, "mover") as ear:
        busy.rooms.records.put(Dataset(id="unseen", title="", created_at=busy.clock.now()))
        assert busy.patch(f"/people/{busy.ids['mover']}", "admin", roles=["scientist"]).status_code == 200
        time.sleep(1)
        busy.rooms.records.put(Dataset(id="seen", title="", created_at=busy.clock.now()))
        assert ear.hears("dataset", "seen") and ("dataset", "unseen") not in ear.heard


def test_many_listen_without_a_thread_each_and_leave_nothing_behind(busy, monkeypatch):
    monkeypatch.setattr(tell_events, "_MAX_LISTENING", 500)
    before = threading.active_count()
    with contextlib.ExitStack() as all:
        client = all.enter_context(httpx.Client(limits=httpx.Limits(max_connections=None), timeout=30))
        answers = [
            all.enter_context(client.stream("GET", f"{busy.address}/events", headers=busy.head("scientist")))
            for _ in range(200)
        ]
        assert all_ok(answers)
        assert threading.active_count() < before + 60
        id = ask(busy)
        for answer in answers[::20]:
            assert any(id in chunk for chunk in answer.iter_text())
    end = time.monotonic() + 10
    while busy.app.state.events._listeners and time.monotonic() < end:
        time.sleep(0.05)
    assert busy.app.state.events._listeners == ()


def all_ok(answers):
    return all(answer.status_code == 200 for answer in answers)


def test_too_many_of_one_caller_are_refused(busy, monkeypatch):
    monkeypatch.setattr(tell_events, "_MAX_LISTENING", 1)
    with Ear(busy, "scientist"):
        assert httpx.get(f"{busy.address}/events", headers=busy.head("scientist")).status_code == 413
