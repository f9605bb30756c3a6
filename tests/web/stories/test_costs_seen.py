"""What was asked costs something: a scientist sees hers alone, an auditor everybody's, down to the record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from playwright.sync_api import expect


def amount(row):
    """The exact figure behind a shown one."""
    return Decimal(row.locator("[title$=EUR]").first.get_attribute("title").removesuffix(" EUR"))


def test_a_query_is_on_the_costs_of_who_asked_and_of_the_auditor(signed_in, wording):
    with signed_in("ada", at="/sql") as watched:
        page = watched.page
        page.get_by_role("textbox", name=wording("sql:statement.label")).click()
        # Of this telling alone: the same question again is answered at no cost.
        page.keyboard.insert_text(f"SELECT count(*) AS subjects_{wording.language} FROM sdtm.dm")
        page.get_by_role("button", name=wording("sql:statement.run"), exact=True).click()
        grid = page.get_by_role("region", name=wording("sql:result.grid"))
        expect(grid).to_contain_text(f"subjects_{wording.language}")
        page.goto("/costs?by=user")
        rows = page.locator("main tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.get_by_role("link", name="ada", exact=True)).to_be_visible()
        spent = amount(rows)
        assert spent > 0
        assert page.get_by_role("button", name=wording("costs:budget.set"), exact=True).count() == 0
    with signed_in("anna", at="/costs?by=user") as watched:
        page = watched.page
        rows = page.locator("main tbody tr")
        # Of the person who was put on stage, too.
        expect(rows.filter(has=page.get_by_role("link", name="scientist", exact=True))).to_have_count(1)
        hers = rows.filter(has=page.get_by_role("link", name="ada", exact=True))
        assert amount(hers) == spent
        page.get_by_role("link", name="ada", exact=True).click()
        records = page.get_by_role("table", name=wording("costs:records.title")).locator("tbody tr")
        expect(records.first).to_be_visible()
        expect(records.get_by_text("query/").first).to_be_visible()
        page.get_by_role("button", name=wording("costs:export.title"), exact=True).click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name=wording("costs:export.focus")).click()
        exported = Path(got.value.path()).read_text()
        assert "BilledCost" in exported.splitlines()[0] and "ada" in exported
