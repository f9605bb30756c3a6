"""SQL: write, price, run, cancel, scroll a million rows, be refused, save, and the links that lead back."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

MANY = "SELECT i AS n, i * 2 AS twice FROM range(1000000) AS r(i) ORDER BY i"
#: More than a query may take; it is cancelled at once.
LONG = "SELECT sum(a.i % (b.i + 1)) AS s FROM range(3000000) AS a(i), range(3000000) AS b(i)"


def opened(pages, sql="", language="en", query=""):
    """The page with a text in its editor, as a link holds it."""
    return pages.open("scientist", language), f"/sql?{query}#{quote(sql)}"


def run(page, name="Run"):
    page.get_by_role("button", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(r"[?&]query=qry_"))


def test_a_statement_is_typed_completed_and_run_by_keyboard(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/sql")
        page.get_by_role("textbox", name="SQL statement").click()
        page.keyboard.type("SELECT count(*) AS subjects FROM sdtm.d")
        page.locator(".cm-tooltip-autocomplete li", has_text="dm").first.wait_for()
        page.keyboard.press("Escape")
        page.keyboard.type("m")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Enter")
        grid = page.get_by_role("region", name="Rows of the result")
        expect(grid).to_contain_text("subjects")
        expect(grid.locator("tbody tr[aria-rowindex='2'] td")).not_to_have_text("…")
        shown = grid.inner_text()
        watched.settle()
        watched.check()
        page.reload()
        expect(grid).to_contain_text("subjects")
        expect(grid.locator("tbody tr[aria-rowindex='2'] td")).not_to_have_text("…")
        assert grid.inner_text() == shown
        expect(page.get_by_role("textbox", name="SQL statement")).to_contain_text("count(*)")


@pytest.mark.parametrize(("language", "name"), [("en", "SQL statement"), ("fr", "Requête SQL")])
def test_a_text_that_was_not_run_is_in_the_address(pages, language, name):
    with pages.open("scientist", language) as watched:
        page = watched.page
        page.goto("/sql")
        page.get_by_role("textbox", name=name).click()
        page.keyboard.type("SELECT 40 + 2 AS answer")
        expect(page).to_have_url(re.compile("#SELECT%2040"))
        page.reload()
        expect(page.get_by_role("textbox", name=name)).to_contain_text("SELECT 40 + 2 AS answer")
        assert not watched.wrong


def test_a_million_rows_are_scrolled_and_not_held(pages):
    context, link = opened(pages, MANY)
    with context as watched:
        page = watched.page
        page.goto(link)
        run(page)
        grid = page.get_by_role("region", name="Rows of the result")
        expect(grid.locator("tr[aria-rowindex='2'] td").last).to_have_text("0")
        expect(page.get_by_text("1,000,000 rows")).to_be_visible()
        grid.evaluate("(one) => { one.scrollTop = one.scrollHeight; }")
        expect(grid.locator("tr[aria-rowindex='1000001'] td").last).to_have_text("1999998")
        grid.evaluate("(one) => { one.scrollTop = one.scrollHeight / 2; }")
        expect(grid.locator("tbody td", has_text=re.compile("^1000000$"))).to_be_visible()
        assert grid.locator("tr").count() < 80
        assert not watched.wrong


def test_a_refused_statement_says_what_to_do(pages, stage):
    with pages.open("scientist", "fr") as watched:
        page = watched.page
        page.goto(f"/sql?query={stage.more['refused query']}")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("nothing_of_the_sort")
        expect(alert).to_contain_text("Corrigez la requête")
        watched.settle()
        watched.check()


def test_an_estimate_tells_tables_and_price(pages):
    context, link = opened(pages, "SELECT arm FROM sdtm.dm")
    with context as watched:
        page = watched.page
        page.goto(link)
        page.get_by_role("button", name="What would it cost?").click()
        expect(page.get_by_text("Reads sdtm.dm.")).to_be_visible()
        watched.settle()
        watched.check()


def test_a_long_query_is_cancelled(pages):
    context, link = opened(pages, LONG)
    with context as watched:
        page = watched.page
        page.goto(link)
        run(page)
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_text("Nothing is kept of it.")).to_be_visible()
        assert not watched.wrong


def test_what_is_in_a_result_is_text(pages):
    sql = """SELECT '<img src=x onerror="document.title=1">' AS "<b>bold</b>", NULL AS none"""
    context, link = opened(pages, sql)
    with context as watched:
        page = watched.page
        page.goto(link)
        run(page)
        grid = page.get_by_role("region", name="Rows of the result")
        expect(grid).to_contain_text("<b>bold</b>")
        expect(grid).to_contain_text("<img src=x")
        expect(grid).to_contain_text("NULL")
        assert page.locator("main img, main b").count() == 0
        assert page.title().startswith("SQL")
        assert not watched.wrong


def test_a_statement_is_saved_opened_and_removed(pages):
    context, link = opened(pages, "SELECT 1 AS one", query="tab=saved")
    with context as watched:
        page = watched.page
        page.goto(link)
        page.get_by_role("button", name="Save this statement").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("the one")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(dialog).to_be_hidden()
        watched.settle()
        watched.check()
        page.goto("/sql?tab=saved")
        page.get_by_role("button", name="Open the one").click()
        expect(page.get_by_role("textbox", name="SQL statement")).to_contain_text("SELECT 1 AS one")
        page.get_by_role("button", name="Remove the one").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
        assert not watched.wrong


def test_a_result_is_drawn_and_downloaded(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/sql?query={stage.more['kept query']}")
        page.get_by_role("tab", name="Chart", exact=True).click()
        expect(page.get_by_text("subjects by arm")).to_be_visible()
        watched.settle()
        watched.check()
        page.get_by_role("button", name="Download").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name="CSV").click()
        assert download.value.path().read_text().splitlines()[0] == '"arm","sex","subjects"'


def test_tables_lead_to_a_first_query(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/sql?tab=tables")
        page.get_by_role("button", name="Look in sdtm.dm").click()
        expect(page.get_by_role("textbox", name="SQL statement")).to_contain_text("FROM sdtm.dm LIMIT 100")
        watched.settle()
        watched.check()
