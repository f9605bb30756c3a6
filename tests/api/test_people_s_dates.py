"""Data is open as long as training, agreement and membership last, and machines rest when they end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.api.conftest import open_site

from atoll.flows.manage_products import ensure_shipped
from atoll.flows.manage_projects import end_memberships
from atoll.flows.rest_machines import rest_machines
from atoll.flows.serve_machine import MachineDesk
from atoll.model.workspace import Workspace
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform


@pytest.fixture
def strict(tmp_path):
    """A site that asks for training and agreement."""
    site, rooms = open_site(
        tmp_path / "home",
        lambda clock: {"simulator": SimulatedBackend(clock)},
        training_required=True,
        agreement_required=True,
        host_vcpu=100,
        host_memory_bytes=2**40,
        query_workers=1,
    )
    ensure_shipped(site.rooms)
    site.add_project("heart", "scientist")
    yield site
    platform.close(rooms)


def day(site, days):
    return (site.clock.now() + timedelta(days=days)).date().isoformat()


def dates(site, who="scientist", **given):
    return site.patch(f"/people/{site.ids[who]}", "admin", **given)


def query(site):
    return site.post("/queries", "scientist", project="heart", sql="select 1 as one")


def launch(site):
    return site.post("/workspaces", "scientist", product="jupyter", project="heart", confirm_eur_per_hour="0.0738")


def test_without_training_and_agreement_data_is_closed_and_it_is_said_why(strict):
    refused = query(strict)
    assert refused.status_code == 403
    assert "no training is on record" in refused.text and "no signed agreement is on record" in refused.text
    assert "queries:run" not in strict.get("/me", "scientist").json()["scopes"]
    assert launch(strict).status_code == 403
    # What is no data stays open.
    assert strict.get("/projects/heart", "scientist").status_code == 200
    assert strict.get("/datasets", "scientist").status_code == 200
    assert dates(strict, training_until=day(strict, 1)).status_code == 200
    assert "training" not in query(strict).json()["message"]
    assert dates(strict, agreement_until=day(strict, 0)).status_code == 200
    assert query(strict).status_code == 200


def test_the_last_day_counts_and_the_day_after_does_not(strict):
    dates(strict, training_until=day(strict, 5), agreement_until=day(strict, 9))
    made = launch(strict)
    assert made.status_code in (201, 202), made.text
    workspace = made.json()["workspace"]["id"]
    desk = MachineDesk(strict.rooms)
    strict.clock.ahead = timedelta(days=5)
    assert query(strict).status_code == 200
    assert rest_machines(strict.rooms) == 0
    assert desk.speaker(workspace).login == "scientist"

    strict.clock.ahead = timedelta(days=6)
    refused = query(strict)
    assert refused.status_code == 403 and f"the training ended on {day(strict, -1)}" in refused.text
    from atoll.errors import NotPermitted

    with pytest.raises(NotPermitted):
        desk.speaker(workspace)
    assert rest_machines(strict.rooms) == 1
    stored = strict.rooms.records.get(Workspace, workspace)
    assert stored.desired.value == "hibernated" and "training ended" in stored.desired_because
    assert strict.post(f"/workspaces/{workspace}/wake", "scientist", confirm_eur_per_hour="0.0738").status_code == 403
    # To end it stays the owner's right.
    assert strict.post(f"/workspaces/{workspace}/terminate", "scientist").status_code in (200, 202)


def test_nobody_sets_their_own_dates_and_whatever_is_set_is_on_record(strict):
    assert dates(strict, "admin", training_until=day(strict, 1)).status_code == 403
    assert dates(strict, training_until=day(strict, 1)).status_code == 200
    assert dates(strict, training_until=None).json()["training_until"] is None
    told = [event.details.get("training_until") for event in strict.audited("person.change")]
    assert told == [day(strict, 1), None]


def test_a_membership_ends_at_its_end_whether_or_not_anybody_looks(strict):
    dates(strict, training_until=day(strict, 99), agreement_until=day(strict, 99))
    until = strict.clock.now() + timedelta(days=3)
    answer = strict.send(
        "PUT", "/projects/heart/members/scientist", "admin", json={"until": until.isoformat(), "lead": True}
    )
    assert answer.status_code == 200
    (terms,) = answer.json()["terms"]
    assert (terms["login"], terms["lead"], terms["by_directory"]) == ("scientist", True, False)
    workspace = launch(strict).json()["workspace"]["id"]
    assert query(strict).status_code == 200

    strict.clock.ahead = timedelta(days=3, seconds=1)
    # As if the project were not there.
    assert query(strict).status_code == 404
    assert strict.get("/projects/heart", "scientist").status_code == 404
    assert rest_machines(strict.rooms) == 1
    assert "no longer a member" in strict.rooms.records.get(Workspace, workspace).desired_because
    assert end_memberships(strict.rooms) == 1
    assert end_memberships(strict.rooms) == 0
    answer = strict.get("/projects/heart", "admin").json()
    assert (answer["members"], answer["terms"]) == ([], [])
    assert [event.because for event in strict.audited("project.leave")] == ["the membership ended"]


def test_a_membership_does_not_end_in_the_past(strict):
    late = (strict.clock.now() - timedelta(days=1)).isoformat()
    answer = strict.send("PUT", "/projects/heart/members/scientist", "admin", json={"until": late})
    assert answer.status_code == 422


def test_a_deactivated_person_s_machines_rest(strict):
    dates(strict, training_until=day(strict, 9), agreement_until=day(strict, 9))
    workspace = launch(strict).json()["workspace"]["id"]
    assert dates(strict, active=False).status_code == 200
    assert rest_machines(strict.rooms) == 1
    assert strict.rooms.records.get(Workspace, workspace).desired_because == "Its owner is deactivated."


def test_where_nothing_is_asked_for_nothing_is_missed(site):
    site.add_project("easy", "scientist")
    assert site.post("/queries", "scientist", project="easy", sql="select 1 as one").status_code == 200
