"""People, tokens, sign-in: what the API does, and what it leaves on record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from atoll.access.throttle import FREE_PER_LOGIN
from atoll.flows import sign_in
from atoll.model.person import Person

GOOD = "four words make one"


def add_ada(site, **more):
    body = {"login": "ada", "display_name": "Ada", "roles": ["scientist"], "password": GOOD, **more}
    answer = site.post("/people", "admin", **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def try_sign_in(site, login="ada", password=GOOD):
    return site.post("/sign-in", None, login=login, password=password)


def test_the_first_start_makes_one_admin_and_the_second_none(fresh_site):
    assert fresh_site.get("/me", "admin").json()["roles"] == ["admin"]
    assert sign_in.ensure_admin(fresh_site.rooms) is None


def test_two_processes_that_start_at_once_make_one_admin(fresh_site, tmp_path, monkeypatch):
    from atoll.ports.records import Page

    class Blind:
        """A store that does not see the people another process made in the same moment."""

        def __init__(self, records):
            self.records = records

        def find(self, kind, **options):
            return Page((), None)

        def __getattr__(self, name):
            return getattr(self.records, name)

    import dataclasses

    rooms = dataclasses.replace(fresh_site.rooms, records=Blind(fresh_site.rooms.records))
    assert sign_in.ensure_admin(rooms) is None
    assert fresh_site.get("/me", "admin").status_code == 200


def test_no_answer_about_a_person_or_token_holds_a_hash(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    stored = site.rooms.records.get(Person, ada["id"])
    texts = [
        site.get("/people", "admin").text,
        site.get(f"/people/{ada['id']}", "admin").text,
        site.get("/tokens", "admin").text,
        site.post("/tokens", "admin", label="x").text,
        site.get("/openapi.json", None).text,
    ]
    for text in texts:
        assert "password_hash" not in text and "token_hash" not in text and "argon2" not in text
        assert stored.password_hash not in text
    assert ada["has_password"] is True


def test_signing_in_gives_a_token_that_works_and_ends(fresh_site):
    site = fresh_site
    add_ada(site)
    answer = try_sign_in(site)
    assert answer.status_code == 200
    site.tokens["ada"] = answer.json()["token"]
    me = site.get("/me", "ada").json()
    assert (me["name"], me["kind"], me["roles"]) == ("ada", "person", ["scientist"])
    assert "queries:run" in me["scopes"] and "people:read" not in me["scopes"]
    assert [event.caller.name for event in site.audited("session.open")] == ["ada"]
    site.clock.ahead = timedelta(hours=site.rooms.settings.sign_in_hours, seconds=1)
    assert site.get("/me", "ada").status_code == 401


@pytest.mark.parametrize(("login", "password"), [("ada", "wrong wrong wrong"), ("nobody-here", GOOD), ("ada", "")])
def test_what_was_wrong_is_not_told(site, login, password):
    if not [p for p in site.get("/people", "admin").json()["items"] if p["login"] == "ada"]:
        add_ada(site)
    answer = try_sign_in(site, login, password)
    assert answer.status_code == 401
    assert answer.json()["message"] == "Login or password is wrong."
    assert answer.headers["www-authenticate"] == "Bearer"


def test_failures_are_audited_without_what_was_typed(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    try_sign_in(site, "ada", "wrong wrong wrong")
    try_sign_in(site, "my secret typed as login", "x")
    refused = site.audited("session.refuse")
    assert [event.target for event in refused] == [f"person/{ada['id']}", "person/unknown"]
    assert not any(event.allowed for event in refused)
    assert "my secret" not in repr(site.rooms.audit.tail(100)) and "wrong wrong" not in repr(site.rooms.audit.tail(100))


def test_guessing_is_slowed_and_the_wait_is_told(fresh_site):
    site = fresh_site
    add_ada(site)
    for _ in range(FREE_PER_LOGIN):
        assert try_sign_in(site, password="wrong wrong wrong").status_code == 401
    answer = try_sign_in(site)
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_attempts"
    assert int(answer.headers["retry-after"]) >= 1
    before = len(site.audited("session.refuse"))
    for _ in range(20):
        assert try_sign_in(site).status_code == 429
    # Knocking on fills no audit.
    assert len(site.audited("session.refuse")) == before
    site.clock.ahead = timedelta(seconds=61)
    assert try_sign_in(site).status_code == 200


def test_a_deactivated_person_stops_at_once(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    site.tokens["ada"] = try_sign_in(site).json()["token"]
    assert site.get("/me", "ada").status_code == 200
    assert site.patch(f"/people/{ada['id']}", "admin", active=False).json()["active"] is False
    assert site.get("/me", "ada").status_code == 401
    assert try_sign_in(site).status_code == 401
    assert site.patch(f"/people/{ada['id']}", "admin", active=True).status_code == 200
    assert site.get("/me", "ada").status_code == 200


def test_roles_hold_from_the_next_request(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    site.tokens["ada"] = try_sign_in(site).json()["token"]
    assert site.get("/sources", "ada").status_code == 403
    assert site.patch(f"/people/{ada['id']}", "admin", roles=["steward"]).json()["roles"] == ["steward"]
    assert site.get("/sources", "ada").status_code == 200


def test_a_new_password_takes_back_the_tokens_made_before(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    site.tokens["ada"] = try_sign_in(site).json()["token"]
    assert site.patch(f"/people/{ada['id']}", "admin", password="another four words, please").status_code == 200
    assert site.get("/me", "ada").status_code == 401
    assert try_sign_in(site).status_code == 401
    assert try_sign_in(site, password="another four words, please").status_code == 200


def test_an_admin_keeps_their_roles_and_cannot_shut_themselves_out(site):
    own = f"/people/{site.ids['admin']}"
    for change in ({"roles": ["admin", "scientist"]}, {"roles": []}, {"active": False}):
        assert site.patch(own, "admin", **change).status_code == 403
    assert site.get("/me", "admin").json()["roles"] == ["admin"]


def test_a_login_stands_once(site):
    assert site.post("/people", "admin", login="twice", display_name="One").status_code == 201
    answer = site.post("/people", "admin", login="twice", display_name="Two")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


def test_poor_passwords_are_refused_and_never_echoed(site):
    answer = site.post("/people", "admin", login="eve", display_name="Eve", password="tooshort-zq")
    assert answer.status_code == 422
    assert "tooshort-zq" not in answer.text


def test_a_token_is_made_listed_and_taken_back(fresh_site):
    site = fresh_site
    made = site.post("/tokens", "scientist", label="notebook").json()
    site.tokens["notebook"] = made["token"]
    assert site.get("/me", "notebook").json()["name"] == "scientist"
    listed = site.get("/tokens", "scientist").json()["items"]
    assert made["record"] in listed
    assert made["token"] not in site.get("/tokens", "scientist").text
    own = made["record"]["id"]
    # Somebody else's token is not there for them.
    assert site.send("DELETE", f"/tokens/{own}", "steward").status_code == 404
    assert site.send("DELETE", f"/tokens/{own}", "scientist").status_code == 204
    assert site.send("DELETE", f"/tokens/{own}", "scientist").status_code == 204
    assert site.get("/me", "notebook").status_code == 401
    refused = [event for event in site.audited("session.refuse") if event.target == f"token/{own}"]
    assert [event.details["reason"] for event in refused] == ["revoked"]


def test_a_token_ends_when_it_was_said_to(fresh_site):
    site = fresh_site
    ends = (site.clock.now() + timedelta(hours=1)).isoformat()
    site.tokens["short"] = site.post("/tokens", "scientist", label="short", expires_at=ends).json()["token"]
    assert site.get("/me", "short").status_code == 200
    site.clock.ahead = timedelta(hours=1, seconds=1)
    assert site.get("/me", "short").status_code == 401


@pytest.mark.parametrize("ends", ["2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2030-01-01T00:00:00", "soon"])
def test_ends_that_make_no_sense_are_refused(site, ends):
    assert site.post("/tokens", "scientist", label="x", expires_at=ends).status_code == 422


def test_only_an_admin_makes_or_sees_tokens_of_others(site):
    assert site.post("/tokens", "steward", label="x", login="scientist").status_code == 403
    assert site.get("/tokens?login=scientist", "steward").status_code == 403
    assert site.get("/tokens?source=lab", "steward").status_code == 403
    assert site.get("/tokens?login=scientist", "admin").json()["items"]
    assert site.get("/tokens?source=lab", "admin").json()["items"][0]["kind"] == "source"
    assert site.post("/tokens", "admin", label="x", login="who").status_code == 404


def test_a_source_stops_when_deactivated_or_its_token_is_taken_back(fresh_site):
    site = fresh_site
    assert site.get("/me", "lab").json()["kind"] == "source"
    assert site.patch("/sources/lab", "admin", active=False).status_code == 200
    assert site.get("/me", "lab").status_code == 401
    assert site.patch("/sources/lab", "admin", active=True, datasets=["trial"]).json()["datasets"] == ["trial"]
    assert site.get("/me", "lab").status_code == 200
    (token,) = site.get("/tokens?source=lab", "admin").json()["items"]
    assert site.send("DELETE", f"/tokens/{token['id']}", "admin").status_code == 204
    assert site.get("/me", "lab").status_code == 401


def test_refused_requests_are_on_record_and_do_not_flood_it(fresh_site):
    site = fresh_site
    for _ in range(5):
        assert site.get("/people", "scientist").status_code == 403
    (event,) = site.audited("request.refuse")
    assert (event.target, event.caller.name, event.allowed) == ("operation/list_people", "scientist", False)
    assert event.details == {"scope": "people:read"}


def test_every_change_is_audited_with_who_did_it(fresh_site):
    site = fresh_site
    ada = add_ada(site)
    site.patch(f"/people/{ada['id']}", "admin", roles=[])
    site.add_project("heart", "ada")
    site.send("DELETE", "/projects/heart/members/ada", "admin")
    for action, target in [
        ("person.add", f"person/{ada['id']}"),
        ("person.change", f"person/{ada['id']}"),
        ("project.add", "project/heart"),
        ("project.join", "project/heart"),
        ("project.leave", "project/heart"),
    ]:
        event = site.audited(action)[-1]
        assert (event.target, event.caller.name) == (target, "admin")
        assert event.caller.address == "testclient" and event.caller.request_id
    assert GOOD not in repr(site.rooms.audit.tail(1000))
    assert site.rooms.audit.verify().intact
