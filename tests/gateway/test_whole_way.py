"""A machine's gateway before a whole platform: its owner's identity, the project's data, everything on record."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from tests.client.live_platform import GOOD, running, settle, write
from tests.gateway.indexes import add_to_pypi, sha256, wheel
from tests.gateway.test_git import Inside
from tests.gateway.test_pypi import JSON, OLD

from atoll.access.directory import person_by_login
from atoll.errors import NotFound, NotPermitted
from atoll.flows.serve_machine import MachineDesk
from atoll.gateway import Machine
from atoll.model.person import ApiToken
from atoll.model.workspace import Desired, Observed, Workspace
from atoll.ports.records import Put
from atoll.settings import Settings
from atoll.wiring import gateway, platform

COUNT = {"sql": "select count(*) as n from ward.patients"}


@pytest.fixture
def atoll(tmp_path):
    with running(tmp_path / "home") as made:
        settle(made)
        with made.as_("lab") as lab:
            given = lab.deliver("lab", "ward", [write(tmp_path / "files", "patients.csv", GOOD)])
            lab.wait_for_delivery(given["id"], timeout_seconds=60)
        with made.as_("admin") as admin:
            admin.projects.add("lung", "Lung study")
            admin.projects.add_member("lung", "sid")
        with made.as_("sam") as steward:
            steward.grants.add("heart", "ward", reason="the study")
            steward.grants.add("lung", "ward", reason="the study")
        yield made


@pytest.fixture
def rooms(atoll, upstream):
    made = platform.build(Settings(home=atoll.home, mirror_pypi_url=f"{upstream.url}/pypi"))
    yield made
    platform.close(made)


@pytest.fixture
def workspace(rooms) -> Workspace:
    now = rooms.clock.now()
    sid = person_by_login(rooms.records, "sid")
    made = Workspace(
        id="wsp_a",
        name="mine",
        owner=sid.id,
        owner_login="sid",
        project="heart",
        product="jupyter@1",
        size="t3.small",
        backend="sandbox",
        eur_per_hour=Decimal("0.1"),
        created_at=now,
        expires_at=now + timedelta(days=1),
        observed=Observed(at=now),
    )
    rooms.records.transact([Put(made)])
    return made


@pytest.fixture
def desk(rooms) -> MachineDesk:
    return MachineDesk(rooms)


@pytest.fixture
def socket(atoll, rooms, workspace, desk):
    host = gateway.build(rooms, desk, atoll.url)
    host.start()
    place = Path(tempfile.mkdtemp(prefix="gw-"))
    host.open(Machine(workspace.id, workspace.project, place / "gw.sock"))
    yield place / "gw.sock"
    host.stop()
    shutil.rmtree(place)


@pytest.fixture
def inside(socket):
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://127.0.0.1:3141") as client:
        yield client


def actions(rooms, prefix: str):
    return [entry.event for entry in rooms.audit.tail(200) if entry.event.action.startswith(prefix)]


def test_a_machine_asks_the_lake_as_its_owner_for_its_project(rooms, inside):
    assert inside.get("/api/v1/me").json()["name"] == "sid"
    answer = inside.post("/api/v1/queries", json=COUNT)
    assert answer.status_code == 200, answer.text
    assert "10" in answer.text
    query_id = answer.headers["X-Atoll-Query-Id"]
    assert inside.get(f"/api/v1/queries/{query_id}").json()["project"] == "heart"
    assert {grant["project"] for grant in inside.get("/api/v1/grants").json()["items"]} == {"heart"}
    # The owner may ask under the other project too, but not from this machine.
    assert inside.post("/api/v1/queries", json={**COUNT, "project": "lung"}).status_code == 403
    assert [event.caller.name for event in actions(rooms, "query.run")] == ["sid"]


def test_flows_of_the_owners_other_project_stay_there(atoll, inside):
    with atoll.as_("sid") as sid:
        assert sid.sql("lung", COUNT["sql"]).num_rows == 1
    inside.post("/api/v1/queries", json=COUNT)
    with atoll.as_("sam") as steward:
        everything = {event["job"]["name"] for event in steward.ledger.flows("ward")}
    assert {"query.heart", "query.lung"} <= everything
    names = [event["job"]["name"] for event in inside.get("/api/v1/flows?dataset=ward").json()["items"]]
    assert {"admit.ward", "query.heart"} <= set(names)
    assert "query.lung" not in names


def test_one_token_serves_many_requests_and_ends_with_the_machine(rooms, inside, desk, workspace):
    for _ in range(3):
        assert inside.get("/api/v1/me").status_code == 200
    made = [event for event in actions(rooms, "token.make") if event.because == "workspace/wsp_a"]
    assert len(made) == 1
    token = rooms.records.get(ApiToken, made[0].target.removeprefix("token/"))
    assert token.expires_at - token.created_at <= timedelta(hours=1)
    secret = desk.speaker("wsp_a").token.get_secret_value()
    desk.forget("wsp_a")
    desk.forget("wsp_a")
    assert rooms.records.get(ApiToken, token.id).revoked_at is not None
    assert desk.speaker("wsp_a").token.get_secret_value() != secret


def test_a_token_that_somebody_revoked_is_made_anew(rooms, inside, desk, workspace):
    desk.speaker("wsp_a")
    token_id = actions(rooms, "token.make")[-1].target.removeprefix("token/")
    token = rooms.records.get(ApiToken, token_id)
    rooms.records.transact([Put(token.but(revoked_at=rooms.clock.now()))])
    assert inside.get("/api/v1/me").status_code == 200


def test_an_owner_who_left_speaks_no_more(atoll, rooms, inside, desk, workspace):
    assert inside.get("/api/v1/me").status_code == 200
    with atoll.as_("admin") as admin:
        admin.projects.remove_member("heart", "sid")
    assert inside.get("/api/v1/me").status_code == 403
    assert inside.get("/pypi/simple/tide/").status_code == 403
    with pytest.raises(NotFound):
        desk.speaker("wsp_none")


def test_a_machine_that_ends_speaks_no_more(rooms, desk, workspace):
    desk.speaker("wsp_a")
    rooms.records.transact([Put(rooms.records.get(Workspace, "wsp_a").but(desired=Desired.TERMINATED))])
    with pytest.raises(NotPermitted):
        desk.speaker("wsp_a")


def test_packages_and_pushes_are_in_the_audit(rooms, inside, socket, upstream, forward, tmp_path):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    page = inside.get("/pypi/simple/tide/", headers=JSON)
    assert inside.get(page.url.join(page.json()["files"][0]["url"])).status_code == 200
    with forward(socket) as port:
        git = Inside(tmp_path / "sid", port)
        git("init", "-q", "notes")
        commit = git.commit("notes", "a.txt", b"x")
        git("push", "-q", "atoll:heart/notes.git", "main", at="notes")
    (download,) = actions(rooms, "package.download")
    assert (download.caller.name, download.target) == ("sid", "workspace/wsp_a")
    assert download.details["sha256"] == sha256(wheel("tide", "1.0"))
    assert (download.details["package"], download.details["version"]) == ("tide", "1.0")
    assert [event.details["repository"] for event in actions(rooms, "repository.")] == ["notes", "notes"]
    assert actions(rooms, "repository.push")[0].details["changes"][0]["new"] == commit
    assert rooms.repositories.names("heart") == ("notes",)
    assert rooms.audit.verify().intact
