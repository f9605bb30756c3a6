"""Sessions of browsers: what opens them, what they hold, what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from atoll.model.session import Session

API = "/api/v1"
GOOD = "four words make one"


class Browser:
    """Keeps cookies, and sends what a page of ours sends."""

    def __init__(self, site, base="http://testserver"):
        self.client = TestClient(site.app, base_url=base, raise_server_exceptions=False)
        self.csrf = ""

    def sign_in(self, login="ada", password=GOOD, **more):
        answer = self.client.post(f"{API}/session", json={"login": login, "password": password, **more})
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def send(self, method, path, headers=None, **options):
        own = {"X-Atoll-Csrf": self.csrf} if self.csrf else {}
        return self.client.request(method, API + path, headers={**own, **(headers or {})}, **options)

    def cookie(self):
        return next(c for c in self.client.cookies.jar if c.name.endswith("atoll_session"))


@pytest.fixture
def ada(fresh_site):
    answer = fresh_site.post(
        "/people", "admin", login="ada", display_name="Ada", roles=["scientist", "admin"], password=GOOD
    )
    assert answer.status_code == 201, answer.text
    fresh_site.ids["ada"] = answer.json()["id"]
    fresh_site.add_project("trial", "ada")
    return Browser(fresh_site)


def test_a_sign_in_sets_a_cookie_that_works(ada):
    answer = ada.sign_in()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["login"], body["display_name"], body["second_factor"]) == ("ada", "Ada", False)
    assert body["projects"] == [{"name": "trial", "title": "Trial"}]
    assert "queries:run" in body["scopes"]
    set_cookie = answer.headers["set-cookie"]
    assert set_cookie.startswith("atoll_session=")
    assert "HttpOnly" in set_cookie and "SameSite=strict" in set_cookie and "Path=/" in set_cookie
    assert "Domain" not in set_cookie
    assert answer.headers["cache-control"] == "no-store"
    assert ada.send("GET", "/session").json() == body
    assert ada.send("GET", "/me").json()["name"] == "ada"


def test_over_tls_the_cookie_is_for_this_host_and_tls_only(ada, fresh_site):
    browser = Browser(fresh_site, "https://testserver")
    set_cookie = browser.sign_in().headers["set-cookie"]
    assert set_cookie.startswith("__Host-atoll_session=") and "Secure" in set_cookie
    assert browser.send("GET", "/session").status_code == 200


def test_only_hashes_are_kept_and_every_step_is_on_record(ada, fresh_site):
    ada.sign_in()
    secret = ada.cookie().value
    kept = fresh_site.rooms.records.find(Session, limit=10).records
    assert len(kept) == 1
    assert secret not in kept[0].model_dump_json() and ada.csrf not in kept[0].model_dump_json()
    assert [event.details for event in fresh_site.audited("session.open")] == [{"method": "password"}]
    assert ada.send("DELETE", "/session").status_code == 204
    assert len(fresh_site.audited("session.close")) == 1
    trail = "".join(entry.model_dump_json() for entry in fresh_site.rooms.audit.tail(100))
    assert secret not in trail and ada.csrf not in trail and GOOD not in trail


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Atoll-Csrf": ""},
        {"X-Atoll-Csrf": "0" * 64},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://testserver:8500"},
        {"Origin": "null"},
    ],
)
def test_a_change_that_does_not_come_from_our_page_is_refused(ada, fresh_site, headers):
    ada.sign_in()
    body = {"name": "planted", "title": "Planted"}
    assert ada.send("POST", "/projects", json=body, headers=headers).status_code == 403
    assert fresh_site.get("/projects/planted", "admin").status_code == 404
    assert ada.send("POST", "/projects", json=body, headers={"Origin": "http://testserver"}).status_code == 201


def test_a_token_needs_no_csrf_token_and_a_wrong_token_is_not_mended_by_a_cookie(ada, fresh_site):
    ada.sign_in()
    bearer = fresh_site.head("admin")
    answer = ada.client.post(f"{API}/projects", json={"name": "api", "title": "Api"}, headers=bearer)
    assert answer.status_code == 201
    wrong = {"Authorization": "Bearer atoll_" + "x" * 43}
    assert ada.send("GET", "/me", headers=wrong).status_code == 401


def test_another_site_cannot_sign_a_browser_in(ada):
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "same-site"}):
        answer = ada.client.post(f"{API}/session", json={"login": "ada", "password": GOOD}, headers=headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_a_planted_cookie_is_not_what_a_sign_in_opens(ada):
    planted = "p" * 43
    ada.client.cookies.set("atoll_session", planted, domain="testserver.local", path="/")
    assert ada.send("GET", "/session").status_code == 401
    ada.client.cookies.clear()
    answer = ada.client.post(
        f"{API}/session", json={"login": "ada", "password": GOOD}, headers={"Cookie": f"atoll_session={planted}"}
    )
    assert answer.status_code == 201 and planted not in answer.headers["set-cookie"]
    ada.client.cookies.clear()
    assert ada.send("GET", "/session", headers={"Cookie": f"atoll_session={planted}"}).status_code == 401


def test_a_sign_in_ends_the_session_that_the_browser_had(ada):
    ada.sign_in()
    first = ada.cookie().value
    ada.sign_in()
    second = ada.cookie().value
    assert first != second
    ada.client.cookies.clear()
    assert ada.send("GET", "/session", headers={"Cookie": f"atoll_session={first}"}).status_code == 401
    assert ada.send("GET", "/session", headers={"Cookie": f"atoll_session={second}"}).status_code == 200


def test_two_cookies_of_the_name_open_nothing(ada):
    ada.sign_in()
    own = ada.cookie().value
    ada.client.cookies.clear()
    both = {"Cookie": f"atoll_session={'p' * 43}; atoll_session={own}"}
    assert ada.send("GET", "/session", headers=both).status_code == 401


def test_idleness_and_time_end_a_session(ada, fresh_site):
    ada.sign_in()
    idle = timedelta(minutes=fresh_site.rooms.settings.session_idle_minutes)
    for _ in range(3):
        fresh_site.clock.ahead += idle * 0.9
        assert ada.send("GET", "/session").status_code == 200
    fresh_site.clock.ahead += idle * 0.9
    # What a page asks by itself is answered, and keeps nothing alive.
    assert ada.send("GET", "/session", headers={"X-Atoll-Background": "1"}).status_code == 200
    fresh_site.clock.ahead += idle * 0.2
    assert ada.send("GET", "/session").status_code == 401
    assert [event.details["reason"] for event in fresh_site.audited("session.refuse")] == ["idle"]

    ada.client.cookies.clear()
    ada.sign_in()
    end = fresh_site.clock.now() + timedelta(hours=fresh_site.rooms.settings.session_hours)
    while fresh_site.clock.now() + idle * 0.9 < end:
        fresh_site.clock.ahead += idle * 0.9
        assert ada.send("GET", "/session").status_code == 200
    fresh_site.clock.ahead += idle * 0.9
    assert ada.send("GET", "/session").status_code == 401


def test_signing_out_everywhere(ada, fresh_site):
    other = Browser(fresh_site)
    for browser in (ada, other):
        browser.sign_in()
    answer = fresh_site.post("/sign-in", None, login="ada", password=GOOD)
    fresh_site.tokens["ada"] = answer.json()["token"]
    assert fresh_site.get("/me", "ada").status_code == 200
    assert ada.send("DELETE", "/sessions").status_code == 204
    assert ada.send("GET", "/session").status_code == 401
    assert other.send("GET", "/session").status_code == 401
    assert fresh_site.get("/me", "ada").status_code == 401


def test_a_deactivated_person_is_out_at_once(ada, fresh_site):
    ada.sign_in()
    assert fresh_site.patch(f"/people/{fresh_site.ids['ada']}", "admin", active=False).status_code == 200
    assert ada.send("GET", "/session").status_code == 401


def test_a_new_password_ends_every_session(ada, fresh_site):
    ada.sign_in()
    changed = fresh_site.patch(f"/people/{fresh_site.ids['ada']}", "admin", password="other words make two")
    assert changed.status_code == 200
    assert ada.send("GET", "/session").status_code == 401
