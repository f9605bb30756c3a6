"""Projects, grants and what one project sees of another: nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest


@pytest.fixture(scope="module")
def two(site):
    """Projects `heart` (scientist, giver) and `lung` (other), a steward `giver`, a dataset."""
    site.add_person("other", {"scientist"})
    site.add_person("giver", {"steward", "scientist"})
    site.add_project("heart", "scientist", "giver")
    site.add_project("lung", "other")
    site.add_dataset("trial")
    site.add_dataset("empty", versions=0)
    return site


def grant(site, who="steward", **fields):
    return site.post("/grants", who, **{"project": "heart", "dataset": "trial", "reason": "study", **fields})


@pytest.fixture
def given(two):
    """A grant of `heart` to `trial`, taken back after the test."""
    answer = grant(two)
    assert answer.status_code == 201, answer.text
    yield answer.json()
    two.send("DELETE", f"/grants/{answer.json()['id']}", "steward")


def names(answer):
    return [item["name"] for item in answer.json()["items"]]


def test_people_see_their_projects_and_stewards_all(two):
    assert names(two.get("/projects", "scientist")) == ["heart"]
    assert names(two.get("/projects", "other")) == ["lung"]
    assert set(names(two.get("/projects", "steward"))) >= {"heart", "lung"}
    assert two.get("/projects/heart", "scientist").json()["members"] == ["giver", "scientist"]
    assert two.get("/projects/lung", "scientist").status_code == 404


def test_another_project_cannot_be_told_from_none(two):
    other = two.get("/projects/lung", "scientist").json()
    none = two.get("/projects/none", "scientist").json()
    assert other["message"] == none["message"] and other["code"] == none["code"]


def test_members_join_and_leave_at_the_same_time(two):
    two.add_project("crowd")
    logins = [f"member{n}" for n in range(8)]
    for login in logins:
        two.post("/people", "admin", login=login, display_name=login)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: two.send("PUT", f"/projects/crowd/members/{n}", "admin"), logins))
    assert {a.status_code for a in answers} == {200}
    assert two.get("/projects/crowd", "admin").json()["members"] == logins
    assert two.send("DELETE", "/projects/crowd/members/member0", "admin").json()["members"] == logins[1:]
    assert two.send("PUT", "/projects/crowd/members/nobody-here", "admin").status_code == 404


def test_the_deactivated_do_not_join(two):
    person = two.post("/people", "admin", login="leaver", display_name="Leaver").json()
    two.patch(f"/people/{person['id']}", "admin", active=False)
    assert two.send("PUT", "/projects/heart/members/leaver", "admin").status_code == 409


def test_a_grant_is_seen_by_its_project_and_by_no_other(two, given):
    path = f"/grants/{given['id']}"
    assert two.get(path, "scientist").json()["state"] == "in_force"
    assert two.get(path, "steward").status_code == two.get(path, "auditor").status_code == 200
    assert two.get(path, "other").status_code == 404
    assert two.get("/grants?project=heart", "other").status_code == 404
    assert given["id"] in [g["id"] for g in two.get("/grants", "scientist").json()["items"]]
    assert two.get("/grants", "other").json()["items"] == []


def test_a_steward_gives_nothing_to_their_own_project(two):
    answer = grant(two, "giver")
    assert answer.status_code == 403
    assert "somebody else" in answer.json()["message"]


def test_a_dry_run_checks_a_grant_and_gives_nothing(two):
    two.add_project("dry")
    before = len(two.audited("grant.add"))
    answer = grant(two, project="dry", dry_run=True)
    assert (answer.status_code, answer.json()["project"]) == (200, "dry")
    assert two.get(f"/grants/{answer.json()['id']}", "steward").status_code == 404
    assert two.get("/grants?project=dry", "steward").json()["items"] == []
    assert len(two.audited("grant.add")) == before
    wrong = [{"table": "visits", "row_filter": "no_such_column = 1"}]
    assert grant(two, project="dry", dry_run=True, tables=wrong).status_code == 422


def test_one_grant_stands_at_most(two, given):
    answer = grant(two)
    assert answer.status_code == 409
    assert answer.json()["where"] == f"grant/{given['id']}"


def test_two_stewards_in_the_same_moment_give_one_grant(two):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: grant(two, project="lung"), range(6)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 5


def test_a_revoked_grant_makes_room_and_is_kept(two):
    first = grant(two).json()
    assert two.send("DELETE", f"/grants/{first['id']}", "steward").json()["state"] == "revoked"
    assert two.send("DELETE", f"/grants/{first['id']}", "steward").status_code == 409
    second = grant(two).json()
    states = {g["id"]: g["state"] for g in two.get("/grants?project=heart", "auditor").json()["items"]}
    assert (states[first["id"]], states[second["id"]]) == ("revoked", "in_force")
    two.send("DELETE", f"/grants/{second['id']}", "steward")


def test_an_expired_grant_is_closed_when_the_next_is_given(fresh_site):
    site = fresh_site
    site.add_project("heart", "scientist")
    site.add_dataset("trial")
    ends = (site.clock.now() + timedelta(hours=1)).isoformat()
    first = grant(site, expires_at=ends).json()
    assert grant(site).status_code == 409
    site.clock.ahead = timedelta(hours=2)
    assert site.get(f"/grants/{first['id']}", "scientist").json()["state"] == "expired"
    second = grant(site)
    assert second.status_code == 201
    assert site.get(f"/grants/{first['id']}", "scientist").json()["state"] == "revoked"
    assert site.audited("grant.add")[-1].details["closes"] == first["id"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"project": "none"}, 404),
        ({"dataset": "none"}, 404),
        ({"dataset": "empty", "tables": [{"table": "visits"}]}, 409),
        ({"tables": [{"table": "nothing"}]}, 422),
        ({"tables": []}, 422),
        ({"tables": [{"table": "visits", "columns": ["name"]}]}, 422),
        ({"tables": [{"table": "visits", "columns": []}]}, 422),
        ({"tables": [{"table": "visits", "row_filter": "no_such_column = 1"}]}, 422),
        ({"tables": [{"table": "visits", "row_filter": "(select 1) = 1"}]}, 422),
        ({"tables": [{"table": "visits", "row_filter": "age > 1; drop table x"}]}, 422),
        ({"expires_at": "2000-01-01T00:00:00Z"}, 422),
        ({"reason": ""}, 422),
    ],
)
def test_grants_that_do_not_hold_are_refused(two, fields, status):
    answer = grant(two, **fields)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]


def test_columns_and_filter_are_kept_as_given(two):
    tables = [{"table": "visits", "columns": ["code"], "row_filter": "age >= 18"}]
    answer = grant(two, tables=tables)
    assert answer.status_code == 201, answer.text
    assert two.get(f"/grants/{answer.json()['id']}", "scientist").json()["tables"] == tables
    # The filter may hold values, so the audit says that there is one and no more.
    assert two.audited("grant.add")[-1].details["row_filter"] is True
    assert ">= 18" not in repr(two.rooms.audit.tail(5))
    two.send("DELETE", f"/grants/{answer.json()['id']}", "steward")


def test_pages_follow_each_other(two):
    seen, cursor = [], None
    while True:
        path = "/people?limit=3" + (f"&cursor={cursor}" if cursor else "")
        page = two.get(path, "admin").json()
        assert len(page["items"]) <= 3
        seen += [p["login"] for p in page["items"]]
        if (cursor := page["cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) >= 8
