"""Sign-on by redirect at a certified provider that runs here."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from tests.api.conftest import open_site
from tests.api.test_sessions import Browser
from tests.services.oidc import OidcProvider

from atoll.errors import InvalidInput
from atoll.flows.directory_people import release_unvouched
from atoll.wiring import platform

HERE = "http://testserver"
CALLBACK = f"{HERE}/api/v1/session/oidc/callback"
GROUP_MAP = "groups:\n  - {group: /atoll/science, roles: [scientist], projects: [trial]}\n"
PEOPLE = {
    "sub-ada": {"name": "Ada", "preferred_username": "Ada@hospital.example", "groups": ["/atoll/science", "/x"]},
    "sub-bo": {"name": "Bo", "preferred_username": "bo", "groups": ["/x"]},
    "sub-cy": {"name": "Cy", "preferred_username": "admin", "groups": ["/atoll/science"]},
    "sub-dot": {"name": "Dot", "preferred_username": "dot", "groups": ["/atoll/science"]},
}


@pytest.fixture(scope="module")
def provider():
    provider = OidcProvider(CALLBACK, PEOPLE)
    provider.start(kid="first")
    yield provider
    provider.stop()


def open_clinic(provider, home, **settings):
    (home / "groups.yaml").write_text(GROUP_MAP)
    return open_site(
        home / "atoll",
        public_url=HERE,
        oidc_issuer=provider.issuer,
        oidc_client_id="atoll",
        oidc_client_secret=SecretStr("a secret: with+odd/characters"),
        oidc_name="Hospital login",
        group_map=home / "groups.yaml",
        query_workers=0,
        **settings,
    )


@pytest.fixture(scope="module")
def clinic(provider, tmp_path_factory):
    site, rooms = open_clinic(provider, tmp_path_factory.mktemp("clinic"))
    site.add_project("trial")
    yield site
    platform.close(rooms)


def start(browser, return_to="/datasets"):
    answer = browser.client.get("/api/v1/session/oidc/start", params={"return_to": return_to}, follow_redirects=False)
    assert answer.status_code == 303
    return answer


def back(browser, url):
    return browser.client.get(url, follow_redirects=False)


def sign_on(site, provider, who, return_to="/datasets"):
    browser = Browser(site)
    to = provider.sign_in(start(browser, return_to).headers["location"], who)
    return browser, back(browser, to), to


def test_the_pages_are_told_where_to_send_the_browser(clinic):
    methods = clinic.get("/session/methods", None).json()["methods"]
    assert methods[0] == {"kind": "oidc", "name": "Hospital login", "start_url": "/api/v1/session/oidc/start"}
    assert methods[1]["kind"] == "password"


def test_a_whole_sign_on_and_the_page_that_was_wanted(clinic, provider):
    browser, answer, _ = sign_on(clinic, provider, "sub-ada", "/datasets/x?tab=2#top")
    assert (answer.status_code, answer.headers["location"]) == (303, "/datasets/x?tab=2#top")
    assert answer.headers["cache-control"] == "no-store"
    session = browser.send("GET", "/session").json()
    assert (session["login"], session["display_name"], session["roles"]) == (
        "ada@hospital.example",
        "Ada",
        ["scientist"],
    )
    assert [project["name"] for project in session["projects"]] == ["trial"]
    assert [cookie.name for cookie in browser.client.cookies.jar] == ["atoll_session"]


def test_what_is_asked_of_the_provider(clinic):
    answer = start(Browser(clinic))
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [CALLBACK]
    again = parse_qs(urlsplit(start(Browser(clinic)).headers["location"]).query)
    for each in ("state", "nonce", "code_challenge"):
        assert len(asked[each][0]) >= 43 and asked[each] != again[each]
    kept = answer.headers["set-cookie"]
    assert "HttpOnly" in kept and "SameSite=lax" in kept
    for secret in (asked["state"][0], asked["nonce"][0]):
        assert secret not in kept


def test_a_code_is_good_once_and_in_its_own_browser_only(clinic, provider):
    browser, _, to = sign_on(clinic, provider, "sub-ada")
    thief = Browser(clinic)
    start(thief)
    answer = back(thief, to)
    assert answer.headers["location"] == "/sign-in?problem=not_authenticated"
    assert "atoll_session" not in [cookie.name for cookie in thief.client.cookies.jar]
    # The browser's own secret is gone after one use.
    assert back(browser, to).headers["location"] == "/sign-in?problem=not_authenticated"


def test_a_used_code_with_the_right_secret_is_refused_by_the_provider(clinic, provider):
    browser = Browser(clinic)
    departed = start(browser)
    kept = departed.headers["set-cookie"].split(";")[0]
    to = provider.sign_in(departed.headers["location"], "sub-ada")
    assert back(browser, to).headers["location"] == "/datasets"
    again = Browser(clinic).client.get(to, headers={"Cookie": kept}, follow_redirects=False)
    assert again.headers["location"] == "/sign-in?problem=not_authenticated"


@pytest.mark.parametrize("change", ["state=wrong", "state=", "code=wrong", "error=access_denied"])
def test_an_answer_that_was_changed_on_the_way_opens_nothing(clinic, provider, change):
    browser = Browser(clinic)
    to = provider.sign_in(start(browser).headers["location"], "sub-ada")
    name, _, value = change.partition("=")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(to).query).items()} | {name: value}
    answer = browser.client.get("/api/v1/session/oidc/callback", params=asked, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?problem=not_authenticated"
    assert browser.send("GET", "/session").status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "javascript:alert(1)",
        "%2F%2Felsewhere.example",
        "elsewhere.example",
        "/api/v1/session/oidc/start",
        "",
    ],
)
def test_no_way_leads_to_another_site(clinic, provider, elsewhere):
    _, answer, _ = sign_on(clinic, provider, "sub-ada", elsewhere)
    assert answer.headers["location"] == "/"


def test_a_cookie_that_was_tampered_with_leads_nowhere_else(clinic, provider):
    browser = Browser(clinic)
    departed = start(browser)
    secret = departed.headers["set-cookie"].split("=", 1)[1].split(".")[0]
    to = provider.sign_in(departed.headers["location"], "sub-ada")
    planted = {"Cookie": f"atoll_sign_on={secret}.%2F%2Felsewhere.example"}
    answer = Browser(clinic).client.get(to, headers=planted, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_who_is_in_no_group_or_has_another_s_login_does_not_come_in(clinic, provider):
    for who, reason in (("sub-bo", "no group gives a right"), ("sub-cy", "the login belongs to somebody else")):
        browser, answer, _ = sign_on(clinic, provider, who)
        assert answer.headers["location"] == "/sign-in?problem=not_authenticated"
        assert browser.send("GET", "/session").status_code == 401
        assert clinic.audited("session.refuse")[-1].details["reason"].startswith(reason)


def test_a_new_key_of_the_provider_is_fetched_and_claims_may_be_in_the_token(clinic, provider):
    sign_on(clinic, provider, "sub-ada")
    provider.stop()
    provider.start(kid="second", conform=False)
    _, answer, _ = sign_on(clinic, provider, "sub-ada")
    assert answer.headers["location"] == "/datasets"


def test_a_provider_that_is_away_is_said_so(clinic, provider):
    browser = Browser(clinic)
    to = provider.sign_in(start(browser).headers["location"], "sub-ada")
    provider.stop()
    try:
        assert back(browser, to).headers["location"] == "/sign-in?problem=unavailable"
    finally:
        provider.start(kid="third")


def test_a_public_client_needs_no_secret(provider, tmp_path):
    site, rooms = open_clinic(provider, tmp_path)
    platform.close(rooms)
    site, rooms = open_site(
        tmp_path / "public",
        public_url=HERE,
        oidc_issuer=provider.issuer,
        oidc_client_id="public",
        group_map=tmp_path / "groups.yaml",
        query_workers=0,
    )
    try:
        assert sign_on(site, provider, "sub-ada")[1].headers["location"] == "/datasets"
    finally:
        platform.close(rooms)


def test_who_has_not_signed_on_for_long_has_left_until_they_do(clinic, provider):
    browser, _, _ = sign_on(clinic, provider, "sub-dot")
    browser.csrf = browser.send("GET", "/session").json()["csrf_token"]
    clinic.tokens["dot"] = browser.send("POST", "/tokens", json={"label": "script"}).json()["token"]
    assert clinic.get("/me", "dot").status_code == 200
    clinic.clock.ahead += timedelta(hours=clinic.rooms.settings.oidc_trust_hours, minutes=1)
    try:
        assert release_unvouched(clinic.rooms) >= 1
        assert clinic.get("/me", "dot").status_code == 401
        again, _, _ = sign_on(clinic, provider, "sub-dot")
        assert again.send("GET", "/session").status_code == 200
    finally:
        clinic.clock.ahead = timedelta()


def test_an_issuer_without_the_platform_s_own_address_does_not_start(tmp_path):
    with pytest.raises(InvalidInput, match="address at which"):
        open_site(tmp_path / "a", oidc_issuer="https://login.example", oidc_client_id="atoll")
    with pytest.raises(InvalidInput, match="https"):
        open_site(tmp_path / "b", oidc_issuer="http://login.example", oidc_client_id="atoll", public_url=HERE)
