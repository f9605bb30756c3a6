"""Home: whole prices, links, what waits; live by events; said when the platform is away; sign-on by an issuer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.process import Platform
from tests.services.oidc import OidcProvider, free_port
from tests.web.stage import EXAMPLES, PROJECT

CLINIC = {"sub-ada": {"name": "Ada", "preferred_username": "ada", "groups": ["/atoll/science"]}}


def test_prices_are_whole_and_machines_queries_and_spend_lead_on(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        expect(page.get_by_text("€0.0092").or_(page.get_by_text("€0.0046")).first).to_be_visible()
        expect(page.get_by_role("link", name="lab", exact=True)).to_have_attribute("href", f"/machines/{stage.machine}")
        expect(page.locator('a[href^="/sql?query="]').first).to_be_visible()
        expect(page.locator('a[href="/costs"]').first).to_be_visible()
        page.get_by_role("link", name="lab", exact=True).click()
        expect(page).to_have_url(re.compile(stage.machine))


def test_a_price_between_two_cents_is_not_rounded(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page

        def dearer(route):
            answer = route.fetch()
            body = answer.json()
            for item in body["items"]:
                item["eur_per_hour"] = "0.175"
            route.fulfill(response=answer, json=body)

        page.route("**/api/v1/workspaces?*", dearer)
        page.goto("/")
        expect(page.get_by_text("€0.175")).to_be_visible()


def test_what_waits_for_a_decision_is_there_and_leads_to_it(pages, stage):
    with stage.platform.as_("scientist") as scientist:
        asked = scientist.grants.request(PROJECT, "sdtm", purpose="Protocol 2")
    try:
        with pages.open("steward", "fr") as watched:
            page = watched.page
            page.goto("/")
            watched.settle()
            expect(page.get_by_role("link", name=re.compile("Accès à sdtm pour heart-study"))).to_be_visible()
            expect(page.locator(f'a[href="/contracts/proposals/{stage.proposal}"]')).to_be_visible()
            watched.check()
    finally:
        with stage.platform.as_("scientist") as scientist:
            scientist.grants.withdraw(asked["id"])


def test_a_delivery_admitted_elsewhere_appears_without_a_reload(pages, stage):
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        page.evaluate("window.same = true")
        files = sorted((EXAMPLES / "sdtm" / "data").glob("ae.xpt"))
        with stage.platform.as_("trial-sponsor") as source:
            delivery = source.deliver("trial-sponsor", "sdtm", files)["id"]
            link = page.locator(f'a[href="/deliveries/{delivery}"]')
            expect(link).to_be_visible()
            source.wait_for_delivery(delivery, timeout_seconds=60)
        expect(page.locator("tr", has=link)).to_contain_text("Committed")
        assert page.evaluate("window.same")


def test_away_and_back_is_told(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.route("**/api/v1/events", lambda route: route.abort())
        page.goto("/")
        expect(page.get_by_text("Atoll does not answer at this moment")).to_be_visible()
        page.unroute("**/api/v1/events")
        expect(page.get_by_text("Atoll does not answer at this moment")).to_have_count(0)


def test_a_page_that_breaks_leaves_the_rest_standing(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.route(re.compile(r"/assets/SqlPage-.*\.js$"), lambda route: route.abort())
        page.goto("/")
        watched.settle()
        page.get_by_role("link", name="SQL", exact=True).click()
        expect(page.get_by_role("heading", name="This page broke")).to_be_visible()
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        page.unroute(re.compile(r"/assets/SqlPage-.*\.js$"))
        page.get_by_role("button", name="Load it again").click()
        expect(page.get_by_role("heading", name="This page broke")).to_have_count(0)


def test_the_palette_finds_parts_and_things(pages, stage):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        for typed, there in (("health", "/administration/health"), ("scientist", f"/people/{stage.person}")):
            page.keyboard.press("Control+k")
            page.get_by_placeholder("A page, a machine").fill(typed)
            page.locator(".mantine-Spotlight-action").first.wait_for()
            page.keyboard.press("Enter")
            expect(page).to_have_url(re.compile(re.escape(there)))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A platform whose people sign on at a certified provider that runs here."""
    root = tmp_path_factory.mktemp("clinic")
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    provider = OidcProvider(f"{here}/api/v1/session/oidc/callback", CLINIC)
    provider.start(kid="first")
    (root / "groups.yaml").write_text("groups:\n  - {group: /atoll/science, roles: [scientist], projects: []}\n")
    settings = {
        "ATOLL_PUBLIC_URL": here,
        "ATOLL_OIDC_ISSUER": provider.issuer,
        "ATOLL_OIDC_CLIENT_ID": "public",
        "ATOLL_OIDC_NAME": "Hospital login",
        "ATOLL_GROUP_MAP": str(root / "groups.yaml"),
    }
    platform = Platform(root, settings, port=port)
    platform.start()
    yield platform
    platform.stop()
    provider.stop()


@pytest.mark.parametrize(("language", "button"), [("en", "Hospital login"), ("fr", "Hospital login")])
def test_the_button_of_the_issuer_leads_there_and_back(browser, clinic, language, button):
    context = browser.new_context(base_url=clinic.url.replace("localhost", "127.0.0.1"), locale=language)
    page = context.new_page()
    page.goto("/account")
    page.get_by_role("link", name=re.compile(button)).click()
    page.locator("input[name=login]").fill("sub-ada")
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(re.compile("/account$"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert context.request.get("/api/v1/session").json()["login"] == "ada"
    context.close()
