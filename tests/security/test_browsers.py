"""What a hostile page can make a signed-in browser do, over every route: nothing."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from tests.api.test_sessions import GOOD, Browser

from atoll.api.security import Public, access_of


@pytest.fixture(scope="module")
def powerful(owned):
    """A browser of somebody with every role there is."""
    everything = ["admin", "auditor", "scientist", "steward"]
    answer = owned.site.post("/people", "admin", login="ada", display_name="Ada", roles=everything, password=GOOD)
    assert answer.status_code == 201
    browser = Browser(owned.site)
    assert browser.sign_in().status_code == 201
    return browser


def every_route(app):
    for route in app.routes:
        if isinstance(route, APIRoute):
            (method,) = route.methods
            yield route, method, re.sub(r"\{index\}", "0", re.sub(r"\{(?!index)\w+\}", "absent", route.path))


@pytest.mark.parametrize(
    "hostile",
    [
        {},
        {"X-Atoll-Csrf": "0" * 64},
        {"Origin": "https://elsewhere.example", "own": "1"},
        {"Sec-Fetch-Site": "cross-site", "own": "1"},
        {"Sec-Fetch-Site": "same-site", "own": "1"},
    ],
)
def test_no_route_changes_anything_for_a_page_of_others(owned, powerful, hostile):
    """Refused before the body is looked at: 403, and never by chance 404 or 422."""
    headers = {name: value for name, value in hostile.items() if name != "own"}
    if "own" in hostile:
        headers["X-Atoll-Csrf"] = powerful.csrf
    passed = []
    for route, method, path in every_route(owned.site.app):
        if method == "GET" or isinstance(access_of(route), Public):
            continue
        answer = powerful.client.request(method, path, headers=headers, json={})
        if answer.status_code != 403:
            passed.append((route.operation_id, answer.status_code))
    assert passed == []
    assert powerful.send("GET", "/session").status_code == 200


def test_every_answer_forbids_frames_caches_and_guessing_of_types(owned, powerful):
    wrong = []
    for route, method, path in every_route(owned.site.app):
        if method != "GET" or "events" in route.path:
            continue
        for answer in (
            powerful.client.get(path, follow_redirects=False),
            owned.site.client.get(path, follow_redirects=False),
        ):
            head = answer.headers
            safe = (
                head["x-frame-options"] == "DENY"
                and "frame-ancestors 'none'" in head["content-security-policy"]
                and "unsafe" not in head["content-security-policy"]
                and head["x-content-type-options"] == "nosniff"
                and head["referrer-policy"] in ("no-referrer", "same-origin")
                and head["cross-origin-resource-policy"] == "same-origin"
                and "no-store" in head["cache-control"]
                and "access-control-allow-origin" not in head
            )
            if not safe:
                wrong.append((route.operation_id, answer.status_code, dict(head)))
    assert wrong == []


def test_no_credential_is_taken_from_an_address(owned):
    token = owned.site.tokens["admin"]
    browser = Browser(owned.site)
    browser.sign_in()
    session = browser.cookie().value
    for name in ("token", "access_token", "authorization", "atoll_session", "session"):
        for secret in (token, session, f"Bearer {token}"):
            assert owned.site.client.get("/api/v1/me", params={name: secret}).status_code == 401


def test_no_secret_is_in_a_log_line_or_an_address(owned, capfd, caplog):
    import io
    import logging

    from atoll.api.logs import configure_logs

    kept = logging.getLogger().handlers[:]
    stream = io.StringIO()
    configure_logs("debug", stream)
    try:
        browser = Browser(owned.site)
        browser.sign_in()
        browser.sign_in(password="a wrong password it is")
        browser.client.get("/api/v1/me", params={"token": "atoll_" + "q" * 43})
        browser.send("POST", "/tokens", json={"label": "x"})
        secrets = [GOOD, "a wrong password it is", browser.cookie().value, browser.csrf, "q" * 43]
        text = stream.getvalue()
    finally:
        logging.getLogger().handlers[:] = kept
    assert "/api/v1/session" in text
    for secret in secrets:
        assert secret not in text
    for route in owned.site.app.routes:
        names = {parameter.name for parameter in route.dependant.query_params}
        assert not names & {"token", "password", "secret", "csrf_token"}, route.path


def test_the_session_ends_at_the_machine_as_well(owned):
    """A ticket asked for by a session is good as long as the session is."""
    from atoll.access import sessions

    browser = Browser(owned.site)
    browser.sign_in()
    session = owned.site.audited("session.open")[-1].target.removeprefix("session/")
    now = owned.site.clock.now()
    assert sessions.holds(owned.site.rooms.records, session, now)
    browser.send("DELETE", "/session")
    assert not sessions.holds(owned.site.rooms.records, session, now)
    assert not sessions.holds(owned.site.rooms.records, "ses_absent", now)
