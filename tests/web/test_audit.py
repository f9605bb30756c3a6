"""Audit: entries found and opened by link, the chain verified from the page and its break named."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

from playwright.sync_api import expect
from tests.e2e.process import Platform
from tests.web.browsing import Pages
from tests.web.stage import PASSWORD, Stage
from tests.web.test_costs import ask


def test_entries_are_found_and_opened_by_link(pages, stage):
    entry = ask(stage, "auditor", "/audit", action="budget.set", newest_first=True, limit=1)["items"][0]
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/audit")
        page.get_by_label("Action, grant.add or grant.").fill("budget.")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"action=budget\."))
        rows = page.get_by_role("table", name="Entries").locator("tbody tr")
        expect(rows.first).to_contain_text("budget.set")
        expect(rows.filter(has_not_text="budget.set")).to_have_count(0)
        page.get_by_role("button", name=f"Budget set: Show entry {entry['number']}").click()
        expect(page).to_have_url(re.compile(f"entry={entry['number']}"))
        expect(page.get_by_role("dialog")).to_contain_text(entry["hash"])
        watched.settle()
        watched.check()
        page.goto(f"/audit?entry={entry['number']}")
        expect(page.get_by_role("dialog")).to_contain_text("eur_per_month")
        page.goto("/audit?result=refused&since=2020-01-01&until=2020-01-02")
        expect(page.get_by_text("No entry", exact=True)).to_be_visible()


def test_pages_go_on_to_older_entries(pages, stage):
    for _ in range(10):
        ask(stage, "auditor", "/audit/verification")
    assert ask(stage, "auditor", "/audit", tail=True, limit=1)["items"][0]["number"] > 50
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/audit")
        page.get_by_role("button", name="Show more").click()
        rows = page.get_by_role("table", name="Entries").locator("tbody tr")
        expect(rows.nth(50)).to_be_visible()
        numbers = [int(text.replace(",", "")) for text in rows.locator("td:first-child").all_inner_texts()]
        assert numbers == list(range(numbers[0], numbers[-1] - 1, -1))


def test_the_chain_is_verified_and_that_is_an_entry(pages, stage):
    with pages.open("auditor", "fr", "dark") as watched:
        page = watched.page
        page.goto("/audit?tab=chain")
        page.get_by_role("button", name="Vérifier la chaîne").click()
        expect(page.get_by_text("La chaîne tient", exact=True)).to_be_visible()
        watched.settle()
        watched.check()
    last = ask(stage, "auditor", "/audit", action="audit.verify", newest_first=True, limit=1)["items"][0]
    assert (last["event"]["caller"]["name"], last["event"]["details"]["intact"]) == ("auditor", True)


def test_the_chain_is_exported_whole(pages):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/audit")
        with page.expect_download() as got:
            page.get_by_role("button", name="Export all", exact=True).click()
        numbers = [json.loads(line)["number"] for line in Path(got.value.path()).read_text().splitlines()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert not watched.wrong


def test_who_may_not_is_refused(pages):
    with pages.open("scientist") as watched:
        watched.page.goto("/audit")
        expect(watched.page.get_by_role("alert")).to_be_visible()
        expect(watched.page.get_by_role("link", name="Audit")).to_have_count(0)


def test_an_entry_that_was_changed_is_named(browser, tmp_path):
    """On a platform of its own, whose record store somebody writes into."""
    stage = Stage(Platform(tmp_path))
    stage.platform.start()
    try:
        with stage.platform.as_("admin") as admin:
            admin.people.add("auditor", "Auditor", ["auditor"], password=PASSWORD)
            admin.people.add("mallory", "Mallory", ["scientist"])
        with sqlite3.connect(stage.platform.home / "records.db") as store:
            row = "SELECT number, body FROM stream_entries WHERE stream = 'audit' AND body LIKE '%mallory%' LIMIT 1"
            number, body = store.execute(row).fetchone()
            change = "UPDATE stream_entries SET body = ? WHERE stream = 'audit' AND number = ?"
            store.execute(change, (body.replace("mallory", "nobody"), number))
        with Pages(browser, stage).open("auditor") as watched:
            page = watched.page
            page.goto("/audit?tab=chain")
            page.get_by_role("button", name="Verify the chain").click()
            expect(page.get_by_text(f"The chain is broken at entry {number}", exact=True)).to_be_visible()
            expect(page.get_by_text(f"Entry {number} was changed after it was written.")).to_be_visible()
            watched.settle()
            watched.check()
    finally:
        stage.platform.stop()
