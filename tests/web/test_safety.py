"""What others choose is shown as text on every page, pages stay out of frames, and no secret leaves the cookie."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.web.browsing import Pages, sign_in
from tests.web.hospital import WORDS
from tests.web.hostile import DATASET, IMAGE, MARK, PROJECT, WHO, plant
from tests.web.places import PLACES
from tests.web.stage import PASSWORD, PEOPLE

#: Where the planted text must be seen: without it a page of the list would prove nothing.
SHOWN_ON = {
    "deliveries/:id",
    "contracts/proposals/:id",
    "contracts/:dataset",
    "data",
    "data/:name",
    "sql",
    "account",
    "airlock/:id",
    "projects/:name",
}
_SIGNS = """() => [
  ...document.querySelectorAll('img[src="x"], a[href^="javascript:"], [onerror], main script'),
].map((one) => one.outerHTML)"""


@pytest.fixture(scope="module")
def planted(stage, tmp_path_factory):
    made = plant(stage, tmp_path_factory.mktemp("planted"))
    yield made
    with stage.platform.as_("admin") as admin:
        admin.workspaces.terminate(made.machine)
        admin.workspaces.wait(made.machine, timeout_seconds=60)


@pytest.fixture(scope="module")
def visitors(browser, planted):
    return Pages(browser, planted, {**PEOPLE, "scientist": WHO})


def visits():
    """Each place once, as the scientist who planted it where scientists go; and each part of the dataset."""
    for place in PLACES:
        role = "scientist" if "scientist" in place.roles else next(iter(place.roles), None)
        yield place.route, role, None if DATASET in place.route else place
    for tab in ("tables", "profile", "quality", "versions", "lineage", "access"):
        yield f"/data/{DATASET}?tab={tab}", "steward", None
    yield "sql:refused", "scientist", None


@pytest.mark.parametrize(("route", "role", "place"), [pytest.param(*one, id=one[0]) for one in visits()])
def test_what_others_choose_is_text(visitors, planted, route, role, place):
    address = {
        "data/:name": f"/data/{DATASET}",
        "contracts/:dataset": f"/contracts/{DATASET}",
        "projects/:name": f"/projects/{PROJECT}",
        "sql:refused": f"/sql?query={planted.more['refused query']}",
    }.get(route) or (route if place is None else place.at(planted))
    with visitors.open(role) as watched:
        page, dialogs = watched.page, []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        watched.settle()
        if route in SHOWN_ON or place is None:
            expect(page.locator("body")).to_contain_text(MARK)
        assert dialogs == []
        assert page.evaluate(_SIGNS) == []
        assert "49" not in page.title()
        shown = page.locator("body").inner_text()
        assert f"{MARK}{IMAGE}49" not in shown
        assert not watched.wrong, watched.wrong


def test_no_page_is_shown_in_a_frame(browser, stage):
    context = browser.new_context()
    try:
        page = context.new_page()
        frames = "".join(f'<iframe src="{stage.url}{path}"></iframe>' for path in ("/", "/sign-in", "/api/v1/me"))
        page.route("http://elsewhere.example/", lambda route: route.fulfill(body=frames, content_type="text/html"))
        page.goto("http://elsewhere.example/")
        page.wait_for_timeout(500)
        inner = [frame for frame in page.frames if frame is not page.main_frame]
        assert len(inner) == 3
        assert all(frame.url.startswith("chrome-error:") for frame in inner), [frame.url for frame in inner]
    finally:
        context.close()


def test_a_secret_stays_in_the_form_and_the_cookie(pages, stage):
    """In no address, in nothing that a script of the page could read, and in no line of the platform's log."""
    with pages.open(None) as watched:
        page, addresses = watched.page, []
        page.on("request", lambda request: addresses.extend([request.url, request.headers.get("referer", "")]))
        answers = []
        page.on("response", lambda answer: answers.append(answer) if answer.url.endswith("/session") else None)
        sign_in(page, "scientist")
        for path in ("/account", f"/sql?query={stage.more['kept query']}", f"/machines/{stage.machine}"):
            page.goto(path)
            watched.settle()
        (cookie,) = [one for one in page.context.cookies() if "session" in one["name"]]
        assert cookie["httpOnly"] and cookie["sameSite"] in ("Lax", "Strict")
        secrets = [PASSWORD, WORDS, cookie["value"], *stage.platform.tokens.values()]
        readable = page.evaluate(
            "() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, history.state])"
        )
        for secret in secrets:
            assert secret not in readable
            assert not [address for address in addresses if secret in address]
    log = stage.platform.log.read_text()
    assert "/api/v1/session" in log
    for secret in secrets:
        assert secret not in log


def test_rows_are_not_kept_by_browsers_or_proxies(pages, stage):
    with pages.open("scientist") as watched:
        query = stage.more["kept query"]
        for path in (f"/api/v1/queries/{query}/result?format=csv", f"/api/v1/queries/{query}", "/api/v1/session"):
            answer = watched.page.context.request.get(path)
            assert answer.status == 200, (path, answer.text())
            assert "no-store" in answer.headers["cache-control"], path
