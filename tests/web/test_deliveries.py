"""Deliveries: counts that add up, rows held and masked, a decision with its reason."""

from __future__ import annotations

from playwright.sync_api import expect


def test_where_the_rows_of_a_delivery_went(pages, stage):
    with stage.platform.as_("steward") as steward:
        delivery = steward.deliveries.show(stage.delivery)
    outcome = delivery["outcome"]
    assert outcome["rows_in"] == outcome["rows_committed"] + outcome["rows_quarantined"]
    with pages.open("steward") as watched:
        page = watched.page
        page.goto(f"/deliveries/{stage.delivery}")
        for file in delivery["files"]:
            expect(page.get_by_role("table", name="Files").get_by_role("cell", name=file["name"])).to_be_visible()
        expect(page.get_by_text(f"Held: {outcome['rows_quarantined']}.")).to_be_visible()
        watched.settle()
        watched.check()


def test_a_filter_is_in_the_address(pages, stage):
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/deliveries?source=nobody")
        expect(page.get_by_text("No delivery here")).to_be_visible()
        page.goto("/deliveries?source=trial-sponsor")
        link = page.locator(f'a[href="/deliveries/{stage.delivery}"]')
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Delivery for sdtm")
        watched.settle()
        watched.check()
