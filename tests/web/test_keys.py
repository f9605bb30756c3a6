"""What two persons do to a domain's key, a grant given after its check, and a palette that knows every page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect
from tests.web.stage import asking

SRC = Path(__file__).parents[2] / "web" / "src"


def test_a_rotation_is_asked_by_one_and_turned_down_by_another(pages, stage):
    with asking(stage, "steward") as http:
        domain = http.get("/keys").json()["items"][0]["domain"]
        meaning = http.get(f"/keys/{domain}/meaning", params={"act": "rotate"}).json()["meaning"]
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/administration/keyring")
        page.get_by_role("button", name=f"Rotate the key of {domain}").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(meaning[0])).to_be_visible()
        dialog.get_by_label("Reason").fill("the yearly rotation")
        watched.settle()
        dialog.get_by_role("button", name="Ask for it").click()
        expect(page.get_by_role("button", name=f"Withdraw what is asked for {domain}")).to_be_visible()
        watched.check()
    with pages.open("reviewer") as watched:
        page = watched.page
        page.goto("/administration/keyring")
        page.get_by_role("button", name=f"Decide on {domain}").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(meaning[0])).to_be_visible()
        dialog.get_by_label("Why you decide so").fill("not while a study is read out")
        watched.settle()
        dialog.get_by_role("button", name="Turn it down").click()
        expect(page.get_by_role("table", name="What was asked").get_by_text("Refused")).to_be_visible()
        watched.check()


def test_a_grant_is_checked_and_told_before_it_is_given(pages, stage):
    with asking(stage, "admin") as http:
        http.post("/projects", json={"name": "zonal-study", "title": "Zonal study"}).raise_for_status()
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/data/sdtm")
        page.get_by_role("button", name="Give access").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("combobox", name="To the project").click()
        page.get_by_role("option", name="Zonal study (zonal-study)").click()
        dialog.get_by_label("Reason").fill("Protocol 7")
        dialog.get_by_role("combobox", name="Tables").click()
        page.get_by_role("option", name="dm", exact=True).click()
        dialog.get_by_label("Reason").click()
        dialog.get_by_label("Only rows where").fill("no_such_column = 1")
        dialog.get_by_role("button", name="Check, and say what it means").click()
        expect(dialog.get_by_role("alert").first).to_be_visible()
        dialog.get_by_label("Only rows where").fill("sex = 'F'")
        dialog.get_by_role("button", name="Check, and say what it means").click()
        expect(dialog.get_by_text("Only rows where sex = 'F'; rows for which")).to_be_visible()
        expect(dialog.get_by_role("button", name="Give this access")).to_be_visible()
    with asking(stage, "steward") as http:
        given = http.get("/grants", params={"project": "zonal-study", "dataset": "sdtm"}).json()["items"]
    assert given == []


def test_the_palette_leads_to_every_page_that_stands_by_itself():
    routes = set(re.findall(r'path: "([^":*]+)"', (SRC / "routes.tsx").read_text()))
    known = set(re.findall(r'path: "/([^"?]*)', (SRC / "app/shell/nav.ts").read_text())) | {"account"}
    assert {route.strip("/") for route in routes} - known - {"sign-in", ""} == set()
    sections = set(
        re.findall(r'\{ name: "(\w+)", scope', (SRC / "pages/administration/AdministrationPage.tsx").read_text())
    )
    assert {f"administration/{section}" for section in sections} <= known
