"""A project asks for a grant; a steward of no part in it decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.api.conftest import open_site

from atoll.access.grant_request_policies import TRANSITIONS, Act
from atoll.model.grant_request import GrantRequest, GrantRequestState
from atoll.wiring import platform


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    site.add_dataset("trial")
    site.add_person("other", {"scientist"})
    site.add_person("both", {"scientist", "steward"})
    site.add_project("heart", "scientist", "both")
    site.add_project("lung", "other")
    yield site
    platform.close(rooms)


@pytest.fixture
def ask(house):
    """Asks as a member, and clears away what still waits afterwards."""
    made = []

    def ask(who="scientist", **more):
        body = {"project": "heart", "dataset": "trial", "purpose": "outcome study", **more}
        answer = house.post("/grant-requests", who, **body)
        if answer.status_code == 201:
            made.append((answer.json()["id"], who))
        return answer

    yield ask
    for id, who in made:
        house.send("DELETE", f"/grant-requests/{id}", who)
    for grant in house.get("/grants?project=heart", "steward").json()["items"]:
        house.send("DELETE", f"/grants/{grant['id']}", "steward")


def test_what_is_approved_is_granted_in_the_same_transaction(house, ask):
    part = [{"table": "visits", "columns": ["age"], "row_filter": "age > 40"}]
    end = (house.clock.now() + timedelta(days=30)).isoformat()
    asked = ask(tables=part, expires_at=end, version=1).json()
    assert (asked["state"], asked["requested_by"], asked["grant"]) == ("waiting", "scientist", None)
    answer = house.post(f"/grant-requests/{asked['id']}/approve", "steward", reason="reviewed")
    assert answer.status_code == 200, answer.text
    decided = answer.json()
    assert (decided["state"], decided["decided_by"], decided["reason"]) == ("approved", "steward", "reviewed")
    grant = house.get(f"/grants/{decided['grant']}", "scientist").json()
    assert grant["state"] == "in_force"
    assert grant["tables"] == part
    assert (asked["version"], decided["version"], grant["version"]) == (1, 1, 1)
    assert (grant["reason"], grant["granted_by"]) == ("outcome study", "steward")
    assert grant["expires_at"][:19] == end[:19]
    event = house.audited("grant.approve")[-1]
    assert (event.target, event.details["grant"]) == (f"grant_request/{asked['id']}", grant["id"])
    assert (event.details["version"], house.audited("grant.request")[-1].details["version"]) == (1, 1)


def test_nobody_decides_on_their_own_request_or_for_their_own_project(house, ask):
    own = ask("both").json()["id"]
    others = ask().json()["id"]
    for verb in ("approve", "refuse"):
        answer = house.post(f"/grant-requests/{own}/{verb}", "both", reason="mine")
        assert (answer.status_code, "own request" in answer.json()["message"]) == (403, True)
        assert house.post(f"/grant-requests/{others}/{verb}", "both", reason="ours").status_code == 403
        assert house.post(f"/grant-requests/{others}/{verb}", "scientist", reason="ours").status_code == 403
    assert house.get(f"/grant-requests/{others}", "steward").json()["state"] == "waiting"
    assert not [g for g in house.get("/grants?project=heart", "steward").json()["items"] if g["state"] == "in_force"]


def test_a_refusal_tells_why_and_is_final(house, ask):
    id = ask().json()["id"]
    assert house.post(f"/grant-requests/{id}/refuse", "steward", reason="").status_code == 422
    assert house.post(f"/grant-requests/{id}/refuse", "steward", reason="no consent").json()["reason"] == "no consent"
    for verb in ("approve", "refuse"):
        assert house.post(f"/grant-requests/{id}/{verb}", "steward", reason="again").status_code == 409
    assert house.send("DELETE", f"/grant-requests/{id}", "scientist").status_code == 409
    assert house.get(f"/grant-requests/{id}", "scientist").json()["reason"] == "no consent"


def test_who_asked_alone_withdraws(house, ask):
    id = ask().json()["id"]
    assert ask().status_code == 409  # one at a time
    assert house.send("DELETE", f"/grant-requests/{id}", "both").status_code == 403
    assert house.send("DELETE", f"/grant-requests/{id}", "scientist").json()["state"] == "withdrawn"
    assert house.post(f"/grant-requests/{id}/approve", "steward", reason="late").status_code == 409
    assert ask().status_code == 201


def test_only_members_ask_and_see(house, ask):
    assert ask("other").status_code == 404
    assert ask("steward").status_code == 403
    id = ask().json()["id"]
    assert house.get(f"/grant-requests/{id}", "other").status_code == 404
    assert house.get("/grant-requests", "other").json()["items"] == []
    assert house.get("/grant-requests?project=heart", "other").status_code == 404
    assert id in [r["id"] for r in house.get("/grant-requests?waiting=true", "auditor").json()["items"]]


def test_what_cannot_be_granted_is_not_asked_for(house, ask):
    for wrong, status in (
        ({"dataset": "nothing"}, 404),
        ({"tables": [{"table": "absent"}]}, 422),
        ({"tables": [{"table": "visits", "columns": ["absent"]}]}, 422),
        ({"tables": [{"table": "visits", "row_filter": "age in (select 1)"}]}, 422),
        ({"tables": [{"table": "visits", "row_filter": "true); drop table x"}]}, 422),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"version": 2}, 422),
        ({"version": 0}, 422),
        ({"version": 10**30}, 422),
    ):
        answer = ask(**wrong)
        assert answer.status_code == status, (wrong, answer.text)


def test_an_approval_replaces_the_grant_in_force(house, ask):
    first = ask(tables=[{"table": "visits", "columns": ["age"]}]).json()["id"]
    narrow = house.post(f"/grant-requests/{first}/approve", "steward", reason="ok").json()["grant"]
    second = ask().json()
    assert second["replaces"] == narrow
    wide = house.post(f"/grant-requests/{second['id']}/approve", "steward", reason="ok").json()["grant"]
    assert house.get(f"/grants/{narrow}", "steward").json()["state"] == "revoked"
    assert house.get(f"/grants/{wide}", "steward").json()["tables"] is None


def test_a_request_lapses_and_may_be_asked_anew(tmp_path):
    site, rooms = open_site(tmp_path)
    site.add_dataset("trial")
    site.add_project("heart", "scientist")
    end = (site.clock.now() + timedelta(days=2)).isoformat()
    body = {"project": "heart", "dataset": "trial", "purpose": "study"}
    id = site.post("/grant-requests", "scientist", expires_at=end, **body).json()["id"]
    site.clock.ahead += timedelta(days=2)
    assert site.get(f"/grant-requests/{id}", "scientist").json()["state"] == "lapsed"
    assert site.get("/grant-requests?waiting=true", "steward").json()["items"] == []
    assert site.post(f"/grant-requests/{id}/approve", "steward", reason="late").status_code == 409
    assert site.send("DELETE", f"/grant-requests/{id}", "scientist").status_code == 200
    assert site.post("/grant-requests", "scientist", **body).status_code == 201
    platform.close(rooms)


def test_nothing_leads_out_of_a_final_state():
    final = {GrantRequestState.APPROVED, GrantRequestState.REFUSED, GrantRequestState.WITHDRAWN}
    assert not final & {state for state, _ in TRANSITIONS}
    assert {act for _, act in TRANSITIONS} == set(Act)
    assert GrantRequest.unique == ("waiting",)
