"""What operators see and do beside the routes of each noun: health, price books, who is signed in, all tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from atoll.access.throttle import FREE_PER_LOGIN
from atoll.errors import Unavailable
from atoll.operations import Reconciler, Reconcilers

PASSWORD = "a long enough password"


@pytest.fixture
def ada(fresh_site):
    site = fresh_site
    body = {"login": "ada", "display_name": "Ada", "roles": ["scientist"], "password": PASSWORD}
    site.ids["ada"] = site.post("/people", "admin", **body).json()["id"]
    return site


def sign_in(site, password=PASSWORD):
    return site.post("/sign-in", None, login="ada", password=password)


def browse(site):
    answer = site.client.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer.json()


def access(site):
    return site.get(f"/people/{site.ids['ada']}/access", "admin").json()


def test_health_tells_each_part_and_says_what_is_wrong(fresh_site):
    site = fresh_site
    told = site.get("/health", "admin").json()
    assert {part["name"]: part["good"] for part in told["parts"]} == dict.fromkeys(
        ["records", "engine", "lake", "quarantine"], True
    )
    assert told["versions"]["atoll"] and told["versions"]["duckdb"]
    place = site.rooms.settings.quarantine_path
    place.rename(place.with_name("away"))
    lost = {part["name"]: part for part in site.get("/health", "admin").json()["parts"]}["quarantine"]
    assert not lost["good"] and "No such file" in lost["problem"]
    assert site.get("/health", "steward").status_code == 403


def test_a_duty_that_fails_is_told_with_why_and_how_often(fresh_site):
    def fail():
        raise Unavailable("The directory does not answer.")

    def break_down():
        raise ZeroDivisionError

    site = fresh_site
    duties = [Reconciler("good", 0.0, lambda: 3), Reconciler("away", 0.0, fail), Reconciler("broken", 0.0, break_down)]
    running = Reconcilers(duties, board=site.rooms.duties)
    running.run_due()
    running.run_due()
    told = {duty["name"]: duty for duty in site.get("/health", "admin").json()["duties"]}
    assert (told["good"]["error"], told["good"]["failures"]) == ("", 0)
    assert (told["away"]["error"], told["away"]["failures"]) == ("unavailable", 2)
    assert (told["broken"]["error"], told["broken"]["failures"]) == ("unexpected", 2)
    assert all(duty["ran_at"] and duty["running_since"] is None for duty in told.values())


def test_price_books_are_told_with_their_dates_to_whoever_sees_all_costs(site):
    books = site.get("/price-books", "auditor").json()["items"]
    assert [book["valid_from"] for book in books] == [
        book.valid_from.isoformat() for book in site.rooms.usage.price_books
    ]
    assert {price["metric"]: price["eur"] for price in books[0]["prices"]}["stored_byte_days"] == "0.022"


def test_sessions_are_seen_and_ended_and_api_tokens_stay(ada):
    site = ada
    kept = site.post("/tokens", "admin", login="ada", label="laptop").json()["token"]
    signed = sign_in(site).json()["token"]
    browse(site)
    (session,) = access(site)["sessions"]
    assert session["method"] == "password" and set(session) == {"method", "opened_at", "seen_at", "expires_at"}
    assert site.send("DELETE", f"/people/{site.ids['ada']}/sessions", "admin").status_code == 204
    assert access(site)["sessions"] == []
    assert site.client.get("/api/v1/session").status_code == 401
    site.tokens |= {"kept": kept, "signed": signed}
    assert site.get("/me", "signed").status_code == 401 and site.get("/me", "kept").status_code == 200
    (event,) = [event for event in site.audited("session.close") if event.caller.name == "admin"]
    assert event.because == "signed out by an administrator"


def test_ending_one_s_own_sessions_keeps_the_one_that_asks(fresh_site):
    site = fresh_site
    assert site.send("DELETE", f"/people/{site.ids['admin']}/sessions", "admin").status_code == 204
    assert site.get("/me", "admin").status_code == 200


def test_a_session_that_fell_silent_is_none(ada):
    browse(ada)
    ada.clock.ahead = timedelta(minutes=ada.rooms.settings.session_idle_minutes, seconds=1)
    assert access(ada)["sessions"] == []


def test_failed_sign_ins_are_seen_and_forgotten_after_a_right_one(ada):
    assert access(ada)["slowed"] == []
    for _ in range(FREE_PER_LOGIN):
        assert sign_in(ada, "wrong").status_code == 401
    (slowed,) = access(ada)["slowed"]
    assert (slowed["failures"], slowed["origin"]) == (FREE_PER_LOGIN, "testclient")
    assert slowed["wait_seconds"] >= 1
    ada.clock.ahead = timedelta(minutes=2)
    assert access(ada)["slowed"][0]["wait_seconds"] == 0
    assert sign_in(ada).status_code == 200
    assert access(ada)["slowed"] == []


def test_administrators_see_the_tokens_of_everybody_by_name_and_others_do_not(site):
    items = site.get("/tokens?everybody=true", "admin").json()["items"]
    assert {("person", "scientist"), ("source", "lab")} <= {(one["kind"], one["subject"]) for one in items}
    assert site.get("/tokens?everybody=true", "scientist").status_code == 403
    assert site.get("/tokens", "scientist").json()["items"][0]["subject"] is None
