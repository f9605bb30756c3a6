"""Administration in a browser: each part in both languages, and the deeds that people and sources live by."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import expect
from tests.web.browsing import LANGUAGES, sign_in
from tests.web.stage import PASSWORD, PRODUCT

PARTS = ("people", "sources", "tokens", "products", "prices", "health", "settings")
HEADINGS = {"en": ("Prices from", "Housekeeping"), "fr": ("Prix à partir du", "Entretien")}


#: Playwright's `fill` would have the browser style what it inserts, which the policy forbids.
PASTE = """(editor, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def pasted(editor, text):
    """In the place of all that the editor holds."""
    editor.click()
    editor.press("Control+a")
    editor.evaluate(PASTE, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_by_its_address(pages, language):
    with pages.open("administrator", language, "dark" if language == "fr" else "light") as watched:
        for part in PARTS:
            watched.page.goto(f"/administration/{part}")
            watched.settle()
            expect(watched.page.get_by_role("tab", selected=True)).to_be_visible()
            watched.check()
            if part == "health":
                expect(watched.page.get_by_role("heading", name=HEADINGS[language][1])).to_be_visible()
            if part == "prices":
                expect(watched.page.get_by_role("heading", name=HEADINGS[language][0])).to_be_visible()
            if part == "settings":
                expect(watched.page.get_by_text("ATOLL_MASTER_KEY", exact=True)).to_be_visible()


def test_a_person_is_added_dated_signed_out_and_let_go(pages, stage):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/administration/people")
        watched.settle()
        page.get_by_role("button", name="Add a person").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Login").fill("newcomer")
        dialog.get_by_label("Name as shown").fill("New <b>Comer</b>")
        dialog.locator("input[autocomplete=new-password]").fill("short")
        dialog.get_by_role("button", name="Add a person").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        watched.wrong.clear()
        dialog.locator("input[autocomplete=new-password]").fill(PASSWORD)
        dialog.get_by_role("button", name="Add a person").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("New <b>Comer</b>")
        page.get_by_label("Training counts until").fill("2001-01-31")
        page.get_by_label("Training counts until").locator("xpath=ancestor::form").get_by_role("button").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        state = page.context.browser.new_context(base_url=stage.url)
        answer = state.request.post("/api/v1/session", data={"login": "newcomer", "password": PASSWORD})
        assert answer.status == 201
        page.reload()
        expect(page.get_by_text("Signed in at 1 browser")).to_be_visible()
        page.get_by_role("button", name="Sign out everywhere").click()
        page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
        expect(page.get_by_text("Signed in at 0 browsers")).to_be_visible()
        assert state.request.get("/api/v1/session").status == 401
        state.close()
        page.get_by_role("button", name="Deactivate").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Deactivate")).to_be_disabled()
        dialog.get_by_role("textbox").fill("newcomer")
        dialog.get_by_role("button", name="Deactivate").click()
        expect(page.get_by_role("button", name="Activate", exact=True)).to_be_visible()
        page.goto("/administration/people?show=lapsed")
        expect(page.get_by_role("link", name="New <b>Comer</b>")).to_be_visible()
        expect(page.get_by_text("ended Jan 31, 2001")).to_be_visible()
        watched.settle()
        watched.check()


def test_failed_sign_ins_are_shown(pages, stage):
    with pages.open(None) as watched:
        for _ in range(2):
            body = {"login": "reviewer", "password": "not the password"}
            assert watched.page.context.request.post(f"{stage.url}/api/v1/session", data=body).status == 401
    with stage.platform.as_("admin") as admin:
        reviewer = admin.people.id_of("reviewer")
    with pages.open("administrator") as watched:
        watched.page.goto(f"/administration/people/{reviewer}")
        expect(watched.page.get_by_text("2 failures from 127.0.0.1")).to_be_visible()


def test_a_source_is_added_and_its_token_is_shown_once(pages, stage):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/administration/sources")
        watched.settle()
        page.get_by_role("button", name="Add a source").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name", exact=False).first.fill("north-lab")
        dialog.get_by_label("Title").fill("Northern laboratory")
        dialog.get_by_label("Datasets").fill("sdtm")
        page.keyboard.press("Enter")
        dialog.get_by_role("button", name="Add a source").click()
        expect(page).to_have_url(re.compile("source=north-lab"))
        page.get_by_role("button", name="Make a token").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Label").fill("sftp gate")
        dialog.get_by_role("button", name="Make a token").click()
        secret = dialog.locator("pre").inner_text()
        assert secret.startswith("atoll_")
        watched.check()
        dialog.get_by_role("button", name="I have kept it").click()
        expect(page.get_by_role("cell", name="sftp gate", exact=True)).to_be_visible()
        assert secret not in page.content()
        page.get_by_role("button", name="Revoke sftp gate").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("Revoked")).to_be_visible()
        page.goto("/administration/tokens?whose=everybody")
        expect(page.get_by_role("cell", name="north-lab")).to_be_visible()


def test_a_key_of_a_source_is_added_and_removed(pages, stage):
    key = Ed25519PrivateKey.generate().public_key()
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/administration/sources?source=trial-sponsor")
        page.get_by_role("button", name="Add a key").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Label").fill("gate <1>")
        dialog.get_by_role("textbox", name="Public key").fill("ssh-ed25519 nothing")
        dialog.get_by_role("button", name="Add a key").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        watched.wrong.clear()
        dialog.get_by_role("textbox", name="Public key").fill(f"{line} somebody@gate\n")
        dialog.get_by_role("button", name="Add a key").click()
        row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="gate <1>", exact=True))
        expect(row).to_contain_text("SHA256:")
        watched.settle()
        watched.check()
        with stage.platform.as_("admin") as admin:
            assert [kept["label"] for kept in admin.sources.keys("trial-sponsor")] == ["gate <1>"]
        page.get_by_role("button", name="Remove gate <1>").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("No key yet")).to_be_visible()
        assert not watched.wrong


def test_a_product_with_faults_tells_each_and_a_good_one_is_published_and_retired(pages):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/administration/products?product=tiny")
        editor = page.locator(".cm-content[contenteditable=true]")
        expect(editor).to_contain_text("name: tiny")
        text = PRODUCT.replace("name: tiny", "name: small").replace("A server of some lines", "Small")
        text = text.replace("service: jupyter", "service: nothing")
        pasted(editor, text)
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("service")
        watched.wrong.clear()
        pasted(editor, text.replace("service: nothing", "service: jupyter"))
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page).to_have_url(re.compile("product=small"))
        page.get_by_role("button", name="Retire version 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Retire").click()
        expect(page.get_by_role("region", name="Versions of Small").get_by_text("Retired")).to_be_visible()
        watched.settle()
        watched.check()


def test_who_may_not_is_told_so(pages):
    with pages.open("scientist") as watched:
        watched.page.goto("/administration/people")
        expect(watched.page.get_by_text("This part is not for your role")).to_be_visible()
        expect(watched.page.get_by_role("link", name="Administration")).to_have_count(0)
        watched.check()
    with pages.open(None) as watched:
        sign_in(watched.page, "administrator")
        expect(watched.page.get_by_role("link", name="Administration")).to_be_visible()
