"""A real screen in a real sandbox, seen in Chromium as people see it."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.proxy.screens import may, terminal, until
from tests.web.browsing import AXE, launch


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with terminal(tmp_path_factory.mktemp("desk")) as world:
        yield world


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def entered(world, chromium, language="en-US", **what):
    """A page of Chromium at the screen."""
    may(world, **what)
    page = chromium.new_page(locale=language, viewport={"width": 1000, "height": 700})
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda told: page.wrong.append(told.text) if told.type == "error" else None)
    page.goto(world.proxy.ticket_url("ws_a", world.platform.ticket("ada", "ws_a")))
    page.wait_for_selector("body[data-screen=connected]", timeout=30_000)
    return page


def at_the_terminal(desk, page):
    """Return once what is typed reaches the terminal: its window is there, and has the focus."""
    assert until(lambda: desk.notes() is not None)

    def heard():
        before = desk.notes()
        page.locator("#screen canvas").click()
        page.keyboard.press("Enter")
        return until(lambda: desk.notes() != before, seconds=2)

    assert until(heard)


def typed(world, page, keys):
    """Send keys as a keyboard does, until they stand in the notes: (key, code, modifiers) or a word of US letters."""
    devtools = page.context.new_cdp_session(page)
    for key, code, modifiers in keys:
        event = {"key": key, "code": code, "modifiers": modifiers}
        devtools.send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
        # Nobody types faster; a letter that the X server has no key for yet is made known to programs first.
        time.sleep(0.05)


SHIFT, ALT_GR = 8, 0
#: As Chromium tells of them: the letter that the layout makes, and where the key is.
QWERTY = [("a", "KeyA", 0), ("q", "KeyQ", 0), ("@", "Digit2", SHIFT), ("Enter", "Enter", 0)]
AZERTY = [
    ("a", "KeyQ", 0),
    ("é", "Digit2", 0),
    ("ç", "Digit9", 0),
    ("AltGraph", "AltRight", 0),
    ("@", "Digit0", ALT_GR),
    ("€", "KeyE", ALT_GR),
    # A dead key makes nothing; the letter after it comes whole.
    ("Dead", "BracketLeft", 0),
    ("ê", "KeyE", 0),
    ("œ", "Digit2", 0),
    ("Enter", "Enter", 0),
]


def test_what_is_typed_arrives_in_both_layouts(desk, chromium):
    page = entered(desk, chromium)
    at_the_terminal(desk, page)
    for keys, line in ((QWERTY, "aq@\n"), (AZERTY, "aéç@€êœ\n")):
        before = desk.notes()
        typed(desk, page, keys)
        assert until(lambda line=line, before=before: desk.notes() == before + line), desk.notes()
    assert page.wrong == []
    page.close()


def test_text_is_pasted_in(desk, chromium):
    page = entered(desk, chromium, language="fr-FR", paste=True)
    at_the_terminal(desk, page)
    before = desk.notes()
    page.get_by_role("button", name="Coller du texte").click()
    page.get_by_role("textbox", name="Texte").fill("œuvre à 5 €")
    page.get_by_role("button", name="Coller", exact=True).click()

    def has_it():
        # As the terminal pastes; the text is asked for then, and comes when it comes.
        page.keyboard.press("Control+Shift+V")
        time.sleep(0.3)
        page.keyboard.press("Enter")
        return "œuvre à 5 €" in desk.notes()[len(before) :]

    assert until(has_it), desk.notes()
    page.close()


def test_where_text_may_not_go_in_the_page_does_not_offer_it(desk, chromium):
    page = entered(desk, chromium, paste=False)
    assert page.get_by_role("button", name="Paste text in").is_hidden()
    page.close()


def test_who_looks_on_types_nothing_and_is_told(desk, chromium):
    page = entered(desk, chromium, control=False, paste=True)
    expect(page.get_by_role("status")).to_have_text("You are looking on; keys and pointer are ada's")
    assert until(lambda: desk.notes() is not None)
    before = desk.notes()
    typed(desk, page, QWERTY)
    time.sleep(0.5)
    assert desk.notes() == before
    page.close()


def test_a_right_that_changes_is_in_force_at_once(desk, chromium):
    page = entered(desk, chromium)
    may(desk, control=False)
    expect(page.get_by_role("status")).to_contain_text("looking on", timeout=20_000)
    desk.platform.may["ws_a"] = set()
    expect(page.get_by_role("status")).to_contain_text("no longer signed in", timeout=20_000)
    desk.platform.may["ws_a"] = {"ada"}
    page.close()


def test_the_page_is_accessible_and_recording_is_announced(desk, chromium):
    page = entered(desk, chromium, recorded=True)
    expect(page.get_by_role("alert")).to_have_text("This session is recorded")
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    page.close()
