"""Costs: figures are the API's, down to the record; budgets set, months closed, one's own only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from tests.web.stage import PROJECT

from atoll.ledger.price_books import load_price_books
from atoll.ledger.usage import UsageBook
from atoll.model.ledger import Metric
from atoll.providers.records import open_record_store


class Then:
    """A time that has passed."""

    def now(self) -> datetime:
        return datetime(2026, 2, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def february(stage):
    """What the scientist and a source used in February 2026, as it would stand in the ledger."""
    records = open_record_store(f"sqlite:///{stage.platform.home / 'records.db'}")
    book = UsageBook(records, Then(), load_price_books())
    for user, project, seconds in (("scientist", PROJECT, 7200), ("trial-sponsor", None, 36_000)):
        quantity = Decimal(seconds) / 7
        records.transact(
            [book.charge(metric=Metric.QUERY_SECONDS, quantity=quantity, user=user, project=project, because="query/q")]
        )
    return "2026-02"


def ask(stage, who, path, **query):
    headers = {"Authorization": f"Bearer {stage.platform.tokens[who]}"}
    return httpx.get(f"{stage.url}/api/v1{path}", headers=headers, params=query).raise_for_status().json()


def exact(cell) -> Decimal:
    """The exact figure behind a shown one."""
    return Decimal(cell.locator("[title$=EUR]").get_attribute("title").removesuffix(" EUR"))


@pytest.mark.parametrize(("who", "language"), [("auditor", "en"), ("auditor", "fr"), ("scientist", "en")])
def test_sums_are_those_of_the_report(pages, stage, february, who, language):
    report = ask(stage, who, "/costs", month=february, by="user")
    lines = {line["key"]: Decimal(line["amount_eur"]) for line in report["lines"]}
    assert set(lines) == ({"scientist"} if who == "scientist" else {"scientist", "trial-sponsor"})
    with pages.open(who, language) as watched:
        page = watched.page
        page.goto(f"/costs?month={february}&by=user")
        watched.settle()
        section = page.get_by_role("region", name="February 2026" if language == "en" else "février 2026", exact=True)
        assert exact(section.locator("div", has=page.locator("h2")).first) == Decimal(report["total_eur"])
        rows = page.locator("main tbody tr")
        expect(rows).to_have_count(len(lines))
        for key, amount in lines.items():
            row = rows.filter(has=page.get_by_role("link", name=key, exact=True))
            assert exact(row) == amount
        # 1,028.57 seconds at the price of an hour, as the language writes money.
        expect(rows.first).to_contain_text("€" if language == "en" else "\xa0€")
        watched.check()


def test_a_row_leads_to_its_records_and_the_link_is_deep(pages, stage, february):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto(f"/costs?month={february}&by=project")
        page.get_by_role("link", name="No project", exact=True).click()
        expect(page).to_have_url(re.compile(r"project=-"))
        found = ask(stage, "auditor", "/costs/records", month=february, project="-")["items"]
        rows = page.get_by_role("table", name="Records behind it").locator("tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("trial-sponsor")
        assert exact(rows.first) == Decimal(found[0]["amount_eur"])
        watched.settle()
        watched.check()
        page.reload()
        expect(rows.first).to_contain_text("trial-sponsor")
        page.get_by_role("button", name="No longer only Project: No project").click()
        expect(page.get_by_role("table", name="Records behind it")).to_be_hidden()


@pytest.mark.parametrize("kind", ["csv", "focus"])
def test_records_are_exported(pages, stage, february, kind):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto(f"/costs?month={february}")
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name="FOCUS" if kind == "focus" else "Records as CSV").click()
        assert got.value.suggested_filename == f"atoll-{kind}-{february}.csv"
        text = Path(got.value.path()).read_text()
        assert ("BilledCost" in text.splitlines()[0]) == (kind == "focus")
        assert len(text.splitlines()) == 3
        assert not watched.wrong


def test_a_budget_is_set_and_seen(pages, stage):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/costs?tab=budgets")
        page.get_by_role("button", name="Set a budget").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name of the project").fill("no-such-project")
        dialog.get_by_label("EUR for a month").fill("12,50")
        dialog.get_by_label("Warn at, in %").fill("60 92.5")
        dialog.get_by_label("Block at, in %").fill("120")
        watched.settle()
        watched.check()
        dialog.get_by_role("button", name="Set the budget").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        dialog.get_by_role("combobox", name="For").click()
        page.get_by_role("option", name="Person").click()
        dialog.get_by_label("Login of the person").fill("reviewer")
        dialog.get_by_role("button", name="Set the budget").click()
        expect(dialog).to_be_hidden()
        row = page.get_by_role("row", name=re.compile("reviewer"))
        expect(row).to_contain_text("€12.50")
        expect(row).to_contain_text("Warns at 60% and 93%, hibernates machines at 100%")
    budgets = {budget["name"]: budget for budget in ask(stage, "auditor", "/budgets")["items"]}
    rule = budgets["reviewer"]["rule"]
    assert [Decimal(part) for part in (*rule["warn_at"], rule["block_at"])] == [
        Decimal("0.6"),
        Decimal("0.925"),
        Decimal("1.2"),
    ]
    with pages.open("scientist") as watched:
        watched.page.goto("/costs?tab=budgets")
        expect(watched.page.get_by_role("row", name=re.compile(PROJECT))).to_be_visible()
        expect(watched.page.get_by_text("reviewer")).to_be_hidden()
        expect(watched.page.get_by_role("button", name="Set a budget")).to_be_hidden()
        watched.settle()
        watched.check()


def test_a_record_is_corrected_by_another(pages, stage, february):
    wrong = ask(stage, "auditor", "/costs/records", month=february, user="scientist")["items"][0]
    before = Decimal(ask(stage, "auditor", "/costs", user="scientist", metric="query_seconds")["total_eur"])
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto(f"/costs?month={february}&user=scientist")
        page.get_by_role("button", name=f"Correct record {wrong['id']}").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("What it should have been").fill("1000.5")
        dialog.get_by_label("Why").fill("The clock was wrong")
        watched.settle()
        watched.check()
        dialog.get_by_role("button", name="Record the correction").click()
        expect(dialog).to_be_hidden()
    after = Decimal(ask(stage, "auditor", "/costs", user="scientist", metric="query_seconds")["total_eur"])
    by = (Decimal("1000.5") - Decimal(wrong["quantity"])) * Decimal(wrong["unit_price_eur"])
    assert abs(after - before - by) < Decimal("1e-11")


def test_a_month_is_closed_once(pages, stage, february):
    with pages.open("auditor") as watched:
        watched.page.goto("/costs?tab=months")
        expect(watched.page.get_by_role("row", name=re.compile("February 2026"))).to_be_visible()
        expect(watched.page.get_by_role("button", name="Close February 2026")).to_be_hidden()
    with pages.open("administrator") as watched, pages.open("administrator") as late:
        for page in (watched.page, late.page):
            page.goto("/costs?tab=months")
            page.get_by_role("button", name="Close February 2026").click()
            page.get_by_role("dialog").get_by_label("Type 2026-02 to confirm").fill("2026-02")
        watched.settle()
        watched.check()
        watched.page.get_by_role("button", name="Close the month").click()
        row = watched.page.get_by_role("row", name=re.compile("February 2026"))
        expect(row).to_contain_text("Closed")
        expect(row).to_contain_text("administrator")
        late.page.get_by_role("button", name="Close the month").click()
        expect(late.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("closed already")
    closed = ask(stage, "auditor", "/costs/months")["items"]
    assert {month["month"]: month["state"] for month in closed}["2026-02"] == "closed"


def test_a_steward_is_offered_no_costs(pages):
    with pages.open("steward") as watched:
        watched.page.goto("/")
        watched.settle()
        expect(watched.page.get_by_role("link", name="Costs")).to_have_count(0)
