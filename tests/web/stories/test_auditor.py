"""An auditor: sees where rows went and what machines cost, and can change nothing of it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_everything_is_seen_and_nothing_is_offered(signed_in, wording, stage):
    with signed_in("anna", at="/deliveries") as watched:
        page = watched.page
        page.locator(f'a[href="/deliveries/{stage.delivery}"]').click()
        expect(page.get_by_role("table", name=wording("deliveries:files")).get_by_role("row").nth(1)).to_be_visible()
        for deed in ("replay", "reject"):
            assert page.get_by_role("button", name=wording(f"deliveries:{deed}")).count() == 0, deed
        page.goto(f"/machines/{stage.machine}")
        expect(page.get_by_role("heading", level=1, name="lab")).to_be_visible()
        for deed in ("stopAsk", "resizeAsk", "terminateAsk", "extend"):
            assert page.get_by_role("button", name=wording(f"machines:deed.{deed}")).count() == 0, deed
        page.goto("/data/sdtm?tab=versions")
        expect(page.get_by_role("link", name="sdtm@1").or_(page.get_by_text("1").first)).to_be_visible()
