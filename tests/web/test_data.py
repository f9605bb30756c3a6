"""Data: sought and found, a dataset's parts each by its own link, access asked for and withdrawn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

TABS = ("tables", "profile", "quality", "versions", "lineage", "access")


@pytest.mark.parametrize(("tab", "language"), [(tab, language) for tab in TABS for language in ("en", "fr")])
def test_each_part_of_a_dataset_has_a_link(pages, tab, language):
    with pages.open("scientist", language, "dark" if language == "fr" else "light") as watched:
        page = watched.page
        page.goto(f"/data/sdtm?tab={tab}")
        expect(page.get_by_role("tab", selected=True)).to_be_visible()
        watched.settle()
        watched.check()


def test_a_search_leads_to_the_table(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/data")
        page.get_by_label("Search in names and descriptions").fill("demographics")
        expect(page).to_have_url(re.compile(r"\?q=demographics"))
        page.get_by_role("link", name="sdtm.dm", exact=True).click()
        expect(page).to_have_url(re.compile(r"/data/sdtm\?table=dm"))
        expect(page.get_by_role("table", name="Columns of dm")).to_contain_text("usubjid")
        watched.settle()
        watched.check()


def test_words_that_are_nowhere_say_so(pages):
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/data?q=zyzzyva")
        expect(page.get_by_text("Nothing of these words.")).to_be_visible()
        watched.settle()
        watched.check()


def test_the_figures_come_by_themselves(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/data/sdtm?tab=profile&table=dm")
        expect(page.get_by_role("heading", name="sex", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_text("Being computed")).to_be_hidden(timeout=30_000)
        expect(page.get_by_text("A pseudonym: its values are not told.").first).to_be_visible()
        watched.settle()
        watched.check()


def test_what_a_graph_holds_is_told_when_chosen(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/data/sdtm?tab=lineage")
        page.locator(".react-flow__node", has_text="trial-sponsor").click()
        expect(page.locator("main [role=status]", has_text="trial-sponsor")).to_contain_text("Source")
        assert not watched.wrong


def test_a_sample_query_opens_in_the_editor(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/data/sdtm?table=dm")
        page.get_by_role("link", name="A first query of dm").click()
        expect(page.get_by_role("textbox", name="SQL statement")).to_contain_text("sdtm.dm")
        assert not watched.wrong


def test_access_is_asked_for_and_withdrawn(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/data/sdtm?tab=access")
        page.get_by_role("button", name="Ask for access").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Purpose").fill("Protocol 2, <b>arms</b>")
        dialog.get_by_role("combobox", name="Tables").click()
        page.get_by_role("option", name="dm", exact=True).click()
        dialog.get_by_label("Only rows where").fill("sex = 'F'")
        dialog.get_by_role("combobox", name="Version").click()
        page.get_by_role("option", name="1 of ").click()
        watched.settle()
        watched.check()
        page.keyboard.press("Tab")
        dialog.get_by_role("button", name="Ask for access").click()
        expect(dialog).to_be_hidden()
        asked = page.get_by_role("table", name="Requests")
        expect(asked).to_contain_text("Protocol 2, <b>arms</b>")
        expect(asked).to_contain_text("dm – sex = 'F' (version 1)")
        page.get_by_role("button", name="Withdraw").click()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
        expect(asked).to_contain_text("Withdrawn")
        watched.settle()
        watched.check()


def test_an_unknown_dataset_is_said_to_be_none(pages):
    with pages.open("auditor") as watched:
        watched.page.goto("/data/no-such-thing")
        expect(watched.page.get_by_role("alert")).to_be_visible()
