"""People of a real directory sign on, get what their groups give, and are out within a minute of leaving."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time

import pytest
from tests.api.conftest import open_site
from tests.services.slapd import BASE
from tests.sign_on.conftest import WORDS, open_hospital

from atoll.errors import InvalidInput, TextInvalid, Unavailable
from atoll.flows.directory_people import read_directory
from atoll.model.person import Person
from atoll.model.workspace import Workspace
from atoll.wiring import platform, sign_on


def test_the_first_sign_in_makes_a_person_with_what_the_groups_give(hospital):
    hospital.add("ada", "scientists", "trial-team")
    browser = hospital.browser("ada")
    assert browser.answer.status_code == 201, browser.answer.text
    body = browser.answer.json()
    assert (body["login"], body["display_name"], body["roles"]) == ("ada", "Ada", ["scientist"])
    assert [project["name"] for project in body["projects"]] == ["trial"]
    person = hospital.person("ada")
    assert (person["origin"], person["has_password"]) == ("ldap", False)
    added = [event for event in hospital.site.audited("person.add") if event.details["login"] == "ada"]
    assert [event.because for event in added] == ["groups of ldap"]
    assert hospital.browser("ADA ").answer.json()["login"] == "ada"


def test_a_token_by_the_command_line_s_way(hospital):
    hospital.add("bo", "scientists")
    answer = hospital.site.post("/sign-in", None, login="bo", password=WORDS)
    assert answer.status_code == 200
    hospital.site.tokens["bo"] = answer.json()["token"]
    assert hospital.site.get("/me", "bo").json()["name"] == "bo"


@pytest.mark.parametrize("password", ["", "wrong", WORDS.upper()])
def test_a_wrong_password_is_no_way_in(hospital, password):
    if hospital.person("cy") is None:
        with contextlib.suppress(RuntimeError):
            hospital.add("cy", "scientists")
    answer = hospital.browser("cy", password).answer
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert hospital.person("cy") is None


def test_who_is_in_no_group_that_gives_something_does_not_come_in(hospital):
    hospital.add("dot", "unmapped")
    assert hospital.browser("dot").answer.status_code == 401
    assert hospital.person("dot") is None
    reasons = [event.details["reason"] for event in hospital.site.audited("session.refuse")]
    assert "no group gives a right" in reasons


def test_a_login_on_record_is_not_taken_over_by_the_directory(hospital):
    hospital.add("admin", "operators")
    hospital.add("scientist", "operators")
    for login in ("admin", "scientist"):
        assert hospital.browser(login).answer.status_code == 401
    assert hospital.person("scientist")["roles"] == ["scientist"]


def test_a_login_that_the_directory_gave_to_somebody_else_opens_nothing(hospital):
    dn = hospital.add("eve", "scientists")
    assert hospital.browser("eve").answer.status_code == 201
    hospital.slapd.remove(dn)
    hospital.add("eve")
    assert hospital.browser("eve").answer.status_code == 401


def test_groups_are_read_at_each_sign_in_and_in_between(hospital):
    dn = hospital.add("flo", "scientists")
    browser = hospital.browser("flo")
    assert browser.answer.json()["projects"] == []
    hospital.join(dn, "trial-leads")
    read_directory(hospital.site.rooms)
    assert browser.send("GET", "/session").json()["projects"] == [{"name": "trial", "title": "Trial"}]
    terms = hospital.site.get("/projects/trial", "admin").json()["terms"]
    assert {"login": "flo", "lead": True, "by_directory": True, "until": None} in terms
    hospital.part(dn, "trial-leads")
    hospital.join(dn, "operators")
    assert hospital.browser("flo").answer.json()["roles"] == ["admin", "scientist"]
    assert "flo" not in hospital.members("trial")


def test_a_membership_that_people_gave_stays(hospital):
    hospital.add("gil", "scientists")
    hospital.browser("gil")
    assert hospital.site.send("PUT", "/projects/other/members/gil", "admin").status_code == 200
    read_directory(hospital.site.rooms)
    assert hospital.members("other") == ["gil"]


def test_roles_of_the_directory_are_changed_there(hospital):
    hospital.add("hal", "scientists")
    hospital.browser("hal")
    answer = hospital.site.patch(f"/people/{hospital.person('hal')['id']}", "admin", roles=["admin"])
    assert answer.status_code == 409


def test_leavers_lose_sessions_tokens_and_machines(hospital):
    site = hospital.site
    dn = hospital.add("ivy", "scientists", "trial-team")
    browser = hospital.browser("ivy")
    token = browser.send("POST", "/tokens", json={"label": "script"}).json()["token"]
    site.tokens["ivy"] = token
    made = browser.send(
        "POST", "/workspaces", json={"product": "jupyter", "project": "trial", "confirm_eur_per_hour": "0.0738"}
    )
    assert made.status_code == 202 or made.status_code == 201, made.text
    workspace = made.json()["workspace"]["id"]
    assert site.get("/me", "ivy").status_code == 200

    hospital.slapd.remove(dn)
    assert read_directory(site.rooms) == 1
    assert browser.send("GET", "/session").status_code == 401
    assert site.get("/me", "ivy").status_code == 401
    stored = site.rooms.records.get(Workspace, workspace)
    assert stored.desired.value == "hibernated" and "left" in stored.desired_because
    person = hospital.person("ivy")
    assert person["active"] is False and person["left_at"] is not None
    assert [event.target for event in site.audited("person.leave")][-1] == f"person/{person['id']}"
    assert read_directory(site.rooms) == 0


def test_who_comes_back_comes_in_again_but_not_with_the_old_token(hospital):
    site = hospital.site
    dn = hospital.add("jon", "scientists")
    browser = hospital.browser("jon")
    site.tokens["jon"] = browser.send("POST", "/tokens", json={"label": "script"}).json()["token"]
    hospital.part(dn, "scientists")
    read_directory(site.rooms)
    assert hospital.browser("jon").answer.status_code == 401
    hospital.join(dn, "scientists")
    assert hospital.browser("jon").answer.status_code == 201
    assert site.get("/me", "jon").status_code == 401


def test_who_was_deactivated_by_a_person_is_not_let_in_by_the_directory(hospital):
    hospital.add("kim", "scientists")
    browser = hospital.browser("kim")
    hospital.site.patch(f"/people/{hospital.person('kim')['id']}", "admin", active=False)
    assert browser.send("GET", "/session").status_code == 401
    assert hospital.browser("kim").answer.status_code == 401
    read_directory(hospital.site.rooms)
    assert hospital.person("kim")["active"] is False


def test_a_directory_that_is_away_or_knows_nobody_throws_nobody_out(hospital, slapd, tmp_path):
    hospital.add("lou", "scientists")
    browser = hospital.browser("lou")
    slapd.stop()
    try:
        with pytest.raises(Unavailable):
            read_directory(hospital.site.rooms)
        assert browser.send("GET", "/session").status_code == 200
        assert hospital.browser("lou").answer.status_code == 503
    finally:
        slapd.start()
    assert hospital.browser("lou").answer.status_code == 201
    site, rooms = open_hospital(slapd, tmp_path, ldap_active_filter="(uid=absent)")
    try:
        for number in range(3):
            site.rooms.records.put(
                Person(
                    id=f"per_{number}",
                    login=f"p{number}",
                    display_name="P",
                    roles=frozenset(),
                    origin="ldap",
                    external_id=f"ldap:0000000{number}-0000-0000-0000-000000000000",
                    created_at=site.clock.now(),
                )
            )
        with pytest.raises(Unavailable, match="nobody"):
            read_directory(site.rooms)
    finally:
        platform.close(rooms)


def test_nothing_of_a_password_is_in_logs_or_on_record(hospital, caplog):
    hospital.add("mia", "scientists")
    assert hospital.browser("mia").answer.status_code == 201
    hospital.browser("mia", "a very wrong secret")
    trail = json.dumps([entry.model_dump(mode="json") for entry in hospital.site.rooms.audit.tail(1000)])
    for secret in (WORDS, "a very wrong secret", "the searcher's own words"):
        assert secret not in caplog.text and secret not in trail
    settings = hospital.site.get("/settings", "admin").text
    assert "the searcher's own words" not in settings and "ldap_bind_password" in settings


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("groups: [{group: a}]", "gives neither roles nor projects"),
        ("groups: [{group: a, roles: [king]}]", "line 1"),
        ("groups: [{group: a, projects: [Not A Name]}]", "no name of a project"),
        ("groups: [{group: 'a, b', roles: [admin]}, {group: 'A,B', roles: [admin]}]", "stands twice"),
        ("groups: [{group: a, role: admin}]", "is not a known field"),
    ],
)
def test_a_group_map_that_does_not_hold_says_where(tmp_path, text, finding):
    from atoll.access.group_map import parse_group_map

    with pytest.raises(TextInvalid) as refused:
        parse_group_map(text)
    assert any(finding in line for line in refused.value.findings), refused.value.findings


def test_a_group_map_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(InvalidInput):
        open_site(tmp_path, group_map=tmp_path / "absent.yaml")


def test_within_a_minute_by_the_platform_s_own_housekeeping(hospital):
    """The reconcilers as `atoll up` runs them, with the directory's own time between two looks."""
    dn = hospital.add("nan", "scientists", "trial-team")
    browser = hospital.browser("nan")
    assert browser.answer.status_code == 201, browser.answer.text
    duties = sign_on.reconcilers(hospital.site.rooms)
    duties.start()
    try:
        time.sleep(0.5)
        assert browser.send("GET", "/session").status_code == 200
        hospital.slapd.remove(dn)
        gone = time.monotonic()
        while browser.send("GET", "/session").status_code == 200 and time.monotonic() < gone + 60:
            time.sleep(0.25)
        assert browser.send("GET", "/session").status_code == 401
        assert time.monotonic() - gone < 30
    finally:
        duties.stop()


def test_the_directory_saw_no_password_in_the_clear(slapd):
    """The server itself refuses a simple bind without TLS, so every sign-in above went through TLS."""
    refused = subprocess.run(
        ["ldapwhoami", "-x", "-H", slapd.ldap, "-D", f"uid=ada,ou=people,{BASE}", "-w", WORDS],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert "confidentiality required" in (refused.stderr + refused.stdout).lower()
