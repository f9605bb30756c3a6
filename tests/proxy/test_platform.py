"""The whole way: a ticket from the API, a visit by the proxy, and every right that is taken away."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from tests.api.conftest import open_site
from tests.proxy.conftest import Service
from typer.testing import CliRunner

from atoll.cli.app import app
from atoll.cli.exit_codes import ExitCode
from atoll.errors import NotAuthenticated
from atoll.flows.manage_products import ensure_shipped
from atoll.flows.observe_machine import look, note
from atoll.flows.visit_workspace import VisitDesk, sweep_visits
from atoll.model.visit import MachineSession, MachineTicket
from atoll.model.workspace import MachineState, Workspace
from atoll.ports.backend import Observation
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform, proxy


class ServingBackend(SimulatedBackend):
    """The simulator, with a service that a test listens for in the place of the machine's."""

    sockets = {}
    frozen = frozenset()

    def observe(self, workspace):
        if workspace in self.frozen:
            return Observation(workspace, None, MachineState.FROZEN)
        if workspace in self.sockets:
            return Observation(workspace, None, MachineState.RUNNING, socket=self.sockets[workspace])
        return super().observe(workspace)


@pytest.fixture
def place(tmp_path):
    backends = {}

    def make(clock):
        backends["simulator"] = ServingBackend(clock)
        return backends

    site, rooms = open_site(
        tmp_path / "home", make, machine_ports="0-0", query_workers=0, host_vcpu=100, host_memory_bytes=2**40
    )
    ensure_shipped(site.rooms)
    site.add_person("mate", {"scientist"})
    site.add_project("heart", "scientist", "mate")
    server = proxy.build(site.rooms)
    server.start()
    site.app.state.ticket_url = server.ticket_url
    body = {"product": "jupyter", "project": "heart", "size": "t3.nano", "confirm_eur_per_hour": "0.0092"}
    made = site.post("/workspaces", "scientist", **body).json()["workspace"]["id"]
    service = Service(tmp_path / "jup.sock", made)
    service.start()
    backend = backends["simulator"]
    backend.sockets = {made: service.socket}
    stored = site.rooms.records.get(Workspace, made)
    note(site.rooms, stored, look(site.rooms, stored))
    yield SimpleNamespace(
        site=site, proxy=server, workspace=made, service=service, backend=backend, path=f"/workspaces/{made}/ticket"
    )
    server.stop()
    service.stop()
    platform.close(rooms)


@contextmanager
def enter(place, who):
    """A browser that went where the ticket of this person leads, with a jar of cookies."""
    ticket = place.site.post(place.path, who)
    assert ticket.status_code == 201, ticket.text
    base = place.proxy.origin(place.workspace) + f"/w/{place.workspace}/"
    with httpx.Client(base_url=base) as browser:
        answer = browser.get(ticket.json()["url"])
        assert answer.status_code == 200, answer.text
        yield browser


def status_soon(place, browser):
    """The status once nothing old is believed."""
    place.proxy.forget(place.workspace)
    return browser.get("lab").status_code


def test_the_owner_and_those_it_is_shared_with_enter_and_nobody_else(place):
    with enter(place, "scientist") as browser:
        assert browser.get("lab").json()["raw"] == f"/w/{place.workspace}/lab"
        assert browser.get("files/a.csv").status_code == 403
    assert place.site.post(place.path, "mate").status_code == 404
    for who in ("admin", "steward", "auditor", "nobody", "lab"):
        assert place.site.post(place.path, who).status_code == 403, who
    assert place.site.send("PUT", f"/workspaces/{place.workspace}/shares/mate", "scientist").status_code == 200
    with enter(place, "mate") as browser:
        assert browser.get("lab").status_code == 200
        assert place.site.send("DELETE", f"/workspaces/{place.workspace}/shares/mate", "scientist").status_code == 200
        assert status_soon(place, browser) == 404
    entered = [event.caller.name for event in place.site.audited("workspace.enter")]
    assert entered == ["scientist", "mate"]
    assert [event.caller.name for event in place.site.audited("workspace.open")] == entered


@pytest.mark.parametrize("loss", ["token", "person", "project", "role", "session", "end"])
def test_every_right_that_is_lost_ends_the_visit(place, loss):
    site = place.site
    with enter(place, "scientist") as browser:
        assert browser.get("lab").status_code == 200
        if loss == "token":
            listed = site.get("/tokens", "scientist").json()["items"]
            assert site.send("DELETE", f"/tokens/{listed[0]['id']}", "scientist").status_code == 204
        elif loss == "person":
            assert site.patch(f"/people/{site.ids['scientist']}", "admin", active=False).status_code == 200
        elif loss == "project":
            assert site.send("DELETE", "/projects/heart/members/scientist", "admin").status_code < 300
        elif loss == "role":
            assert site.patch(f"/people/{site.ids['scientist']}", "admin", roles=["auditor"]).status_code == 200
        elif loss == "session":
            site.clock.ahead = timedelta(hours=12, seconds=1)
        else:
            stored = site.rooms.records.get(Workspace, place.workspace)
            site.rooms.records.put(stored.but(terminated_at=site.clock.now()))
        expected = {"token": 401, "person": 401, "project": 404, "role": 403, "session": 401, "end": 404}[loss]
        assert status_soon(place, browser) == expected


def test_a_ticket_is_used_once_in_time_and_at_its_machine(place):
    site = place.site

    def ticket():
        return site.post(place.path, "scientist").json()["url"]

    url = ticket()
    assert httpx.get(url).status_code == 200
    assert httpx.get(url).status_code == 401
    late = ticket()
    site.clock.ahead = timedelta(seconds=61)
    assert httpx.get(late).status_code == 401
    fresh = ticket()
    elsewhere = place.proxy.ticket_url("wsp_other", fresh.rpartition("=")[2])
    assert httpx.get(elsewhere).status_code == 401
    refused = [event.details["reason"] for event in site.audited("workspace.enter") if not event.allowed]
    assert refused == ["used", "late", "another machine's"]
    # Neither ticket nor cookie is kept or told anywhere.
    secret = fresh.rpartition("=")[2]
    assert all(secret not in entry.model_dump_json() for entry in site.rooms.audit.tail(1000))
    assert all(secret != record.id for record in site.rooms.records.find(MachineTicket).records)


def test_of_two_who_come_with_one_ticket_one_is_in(place):
    desk = VisitDesk(place.site.rooms)
    url = place.site.post(place.path, "scientist").json()["url"]
    ticket = url.rpartition("=")[2]
    found = place.site.rooms.records.get
    raced = []

    class Racing:
        """Lets another take the ticket between reading and writing."""

        def __getattr__(self, name):
            return getattr(place.site.rooms.records, name)

        def get(self, kind, id):
            record = found(kind, id)
            if kind is MachineTicket and not raced:
                raced.append(VisitDesk(place.site.rooms).admit(ticket, place.workspace, ""))
            return record

    desk = VisitDesk(dataclasses.replace(place.site.rooms, records=Racing()))
    with pytest.raises(NotAuthenticated):
        desk.admit(ticket, place.workspace, "")
    assert len(raced) == 1
    assert len(place.site.rooms.records.find(MachineSession).records) == 1


def test_what_does_not_run_is_not_opened_and_not_reached(place):
    with enter(place, "scientist") as browser:
        assert place.site.post(f"/workspaces/{place.workspace}/hibernate", "scientist").status_code == 202
        place.proxy.forget(place.workspace)
        assert browser.get("lab").status_code == 503
        answer = place.site.post(place.path, "scientist")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert place.site.post(f"/workspaces/{place.workspace}/wake", "scientist").status_code == 202
        place.proxy.forget(place.workspace)
        assert browser.get("lab").status_code == 200
        place.backend.frozen = {place.workspace}
        place.proxy.forget(place.workspace)
        assert browser.get("lab").status_code == 503


def test_a_batch_job_has_no_page(place):
    body = {"product": "batch", "project": "heart", "size": "t3.nano", "parameters": {"script": "true"}}
    made = place.site.post("/workspaces", "scientist", **body, confirm_eur_per_hour="0.0092").json()["workspace"]["id"]
    answer = place.site.post(f"/workspaces/{made}/ticket", "scientist")
    assert answer.status_code == 409
    assert "batch" in answer.json()["message"]


def test_a_process_without_a_proxy_says_so(place):
    del place.site.app.state.ticket_url
    assert place.site.post(place.path, "scientist").status_code == 503


def test_leaving_is_on_record_and_what_is_past_is_swept(place):
    site = place.site
    with enter(place, "scientist") as browser:
        assert browser.post(".atoll/leave").status_code == 204
        assert browser.get("lab").status_code == 401
    assert [event.caller.name for event in site.audited("workspace.leave")] == ["scientist"]
    assert sweep_visits(site.rooms) == 0
    site.clock.ahead = timedelta(hours=13)
    assert sweep_visits(site.rooms) == 2
    assert site.rooms.records.find(MachineSession).records == ()


def test_the_rule_of_idle_machines_is_told_of_people(place):
    assert proxy.visits(place.proxy, place.workspace).last_request is None
    with enter(place, "scientist") as browser:
        browser.get("api/kernels")
        assert proxy.visits(place.proxy, place.workspace).last_request is None
        browser.post("up", content=b"x")
        assert proxy.visits(place.proxy, place.workspace).last_request is not None


@pytest.fixture
def command(place, monkeypatch):
    """The command line as the scientist, against the site's API by HTTP."""
    server = uvicorn.Server(uvicorn.Config(place.site.app, log_config=None, lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    monkeypatch.setenv("ATOLL_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
    monkeypatch.setenv("ATOLL_TOKEN", place.site.tokens["scientist"])
    yield lambda *words: CliRunner().invoke(app, list(words))
    server.should_exit = True
    thread.join(20)
    listening.close()


def test_the_command_line_tells_the_address_or_opens_the_browser(place, command, monkeypatch):
    printed = command("workspace", "open", place.workspace)
    assert printed.exit_code == 0, printed.output
    assert httpx.get(printed.stdout.strip()).status_code == 200
    told = json.loads(command("workspace", "open", place.workspace, "--json").stdout)
    assert set(told) == {"url", "expires_at"}
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: not opened.append(url))
    browser = command("workspace", "open", place.workspace, "--browser")
    # The address lets in whoever has it: what the browser was given is not printed too.
    assert len(opened) == 1
    assert opened[0] not in browser.output
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    assert "/.atoll/enter?ticket=" in command("workspace", "open", place.workspace, "--browser").stdout
    place.site.post(f"/workspaces/{place.workspace}/stop", "scientist")
    assert command("workspace", "open", place.workspace).exit_code == ExitCode.CONFLICT


def test_nothing_of_a_machine_that_is_gone_is_remembered(place):
    with enter(place, "scientist") as browser:
        assert browser.get("lab").status_code == 200
    remembered = place.proxy._door.exchanges._seen
    assert place.workspace in remembered
    place.proxy.forget(place.workspace)
    assert place.workspace in remembered
    place.proxy.forget(place.workspace, gone=True)
    place.proxy.forget("ws_never_seen")
    assert remembered == {}
