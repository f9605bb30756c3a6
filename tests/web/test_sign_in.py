"""In and out: deep links, the wrong password, expiry, the second factor, the palette, the keyboard."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import expect
from tests.web.browsing import sign_in
from tests.web.stage import PASSWORD


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_deep_link_survives_the_sign_in(pages, language):
    with pages.open(None, language) as watched:
        page = watched.page
        page.goto("/account?tab=tokens#here")
        expect(page).to_have_url(re.compile(r"/sign-in\?return_to="))
        sign_in(page, "scientist", language)
        expect(page).to_have_url(re.compile(r"/account\?tab=tokens#here$"))
        watched.settle()
        watched.check()


def test_a_wrong_password_says_so(pages):
    with pages.open(None) as watched:
        page = watched.page
        page.goto("/sign-in")
        page.locator("input[name=username]").fill("auditor")
        page.locator("input[name=password]").fill("not the password")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert "/sign-in" in page.url


@pytest.mark.parametrize(
    "wanted", ["https://example.org/", "//example.org/", "/\\example.org", "/.//example.org/", "javascript:alert(1)"]
)
def test_sign_in_leads_to_no_other_site(pages, stage, wanted):
    with pages.open("auditor") as watched:
        watched.page.goto("/sign-in?return_to=" + wanted)
        expect(watched.page).to_have_url(stage.url + "/")


def test_a_session_that_ended_leads_to_sign_in_and_back(pages, stage):
    with pages.open(None) as watched:
        page = watched.page
        sign_in(page, "steward")
        page.goto("/account")
        watched.settle()
        page.context.clear_cookies()
        page.get_by_role("button", name="Make a token").click()
        page.get_by_role("dialog").get_by_role("textbox").fill("laptop")
        page.get_by_role("dialog").get_by_role("button", name="Make a token").click()
        expect(page).to_have_url(re.compile(r"/sign-in\?return_to=%2Faccount"))
        sign_in(page, "steward")
        expect(page).to_have_url(stage.url + "/account")


def test_signing_out_forgets_what_was_shown(pages, stage):
    with pages.open(None) as watched:
        page = watched.page
        sign_in(page, "scientist")
        page.get_by_role("button", name="Account of Scientist").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page).to_have_url(re.compile("/sign-in"))
        page.goto("/account")
        expect(page).to_have_url(re.compile("/sign-in"))
        assert page.context.request.get("/api/v1/session").status == 401


def test_a_second_factor_from_picture_to_sign_in(pages, stage):
    with stage.platform.as_("admin") as admin:
        admin.people.add("second", "Second", ["auditor"], password=PASSWORD)
    with pages.open(None) as watched:
        page = watched.page
        page.goto("/sign-in?return_to=/account")
        _type(page, "second")
        page.get_by_role("button", name="Set up a second factor").click()
        dialog = page.get_by_role("dialog")
        secret = pyotp.TOTP(dialog.locator("code").inner_text())
        dialog.get_by_role("textbox").fill(secret.now())
        dialog.get_by_role("button", name="Confirm").click()
        expect(dialog.get_by_role("button", name="I have kept them")).to_be_visible()
        recovery = dialog.locator("code").first.inner_text()
        dialog.get_by_role("button", name="I have kept them").click()
        expect(page.get_by_role("button", name="Remove the second factor")).to_be_visible()
    with pages.open(None) as watched:
        page = watched.page
        page.goto("/sign-in")
        _type(page, "second")
        page.locator("input[name=code]").fill(recovery)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).to_have_url(stage.url + "/")


def _type(page, login: str) -> None:
    page.locator("input[name=username]").fill(login)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_the_palette_and_the_keyboard(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Control+k")
        search = page.get_by_placeholder("A page, a machine")
        expect(search).to_be_focused()
        watched.page.wait_for_timeout(300)
        watched.check()
        page.keyboard.type("accou")
        page.keyboard.press("Enter")
        expect(page).to_have_url(stage.url + "/account")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        watched.check()


def test_a_tablet_has_the_navigation_behind_a_button(pages):
    with pages.open("scientist", width=820, height=1180) as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        page.get_by_role("button", name="Navigation").click()
        expect(page.get_by_role("dialog").get_by_role("link", name="Home")).to_be_visible()
        watched.check()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_menus_of_the_bar(pages):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/account")
        watched.settle()
        page.get_by_role("button", name="EN, language: English").press("Enter")
        watched.check()
        page.get_by_role("menuitemradio", name="Français").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Compte")
        page.get_by_role("button", name="Couleurs : Claires").press("Enter")
        page.get_by_role("menuitemradio", name="Sombres").press("Enter")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        watched.check()


def test_language_and_colours_change_and_stay(pages):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/account")
        page.get_by_text("Français", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Compte")
        page.get_by_text("Sombres", exact=True).click()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Compte")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        watched.settle()
        watched.check()
