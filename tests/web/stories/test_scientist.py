"""A scientist: finds data, asks for more of it, queries what was granted, and works on a machine."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.web.hospital import OTHER_PROJECT

QUESTION = "SELECT arm, count(*) AS subjects FROM sdtm.dm GROUP BY ALL ORDER BY 2 DESC"


def test_from_sign_in_to_data_and_a_query(signed_in, wording):
    with signed_in("ada", at="/data") as watched:
        page = watched.page
        page.get_by_label(wording("data:search.label")).fill("demographics")
        page.get_by_role("link", name="sdtm.dm", exact=True).click()
        page.get_by_role("link", name=wording("data:tables.sample", table="dm")).click()
        editor = page.get_by_role("textbox", name=wording("sql:statement.label"))
        expect(editor).to_contain_text("sdtm.dm")
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.press("Delete")
        page.keyboard.type(QUESTION)
        page.get_by_role("button", name=wording("sql:statement.estimate")).click()
        expect(page.get_by_text(wording("sql:estimate.tables", names="sdtm.dm"))).to_be_visible()
        page.get_by_role("button", name=wording("sql:statement.run"), exact=True).click()
        grid = page.get_by_role("region", name=wording("sql:result.grid"))
        expect(grid).to_contain_text("subjects")
        expect(grid.locator("tr[aria-rowindex='2'] td").last).to_have_text(re.compile(r"^\d+$"))


def test_a_machine_is_launched_opened_used_in_its_tab_and_given_back(signed_in, wording, stage):
    name = f"bench-{wording.language}"
    with signed_in("ada", at="/machines/new?product=tiny") as watched:
        page = watched.page
        page.get_by_label(wording("machines:new.name"), exact=True).fill(name)
        page.get_by_role("button", name=wording("machines:new.review")).click()
        agreed = re.compile("^" + re.escape(wording("machines:new.launch").partition("{{")[0]) + ".*0[.,]0092")
        page.get_by_role("dialog").get_by_role("button", name=agreed).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        enter = page.get_by_role("button", name=wording("machines:open.tab"))
        expect(enter).to_be_visible(timeout=30_000)
        with page.context.expect_page() as opened:
            enter.click()
        tab = opened.value
        expect(tab).to_have_url(re.compile(r"/w/wsp_\w+/$"))
        tab.get_by_label("Code").fill("import os; print(6 * 7, 'dm' in os.listdir('/data/sdtm'))")
        tab.get_by_role("button", name="Run").click()
        # The machine's own answer, with what was granted to the project.
        expect(tab.get_by_role("status")).to_have_text(re.compile(r"^0\s+42 True"))
        tab.close()
        page.get_by_role("button", name=wording("machines:deed.terminateAsk")).click()
        page.get_by_label(wording("parts:confirm.type", name=name)).fill(name)
        page.get_by_role("dialog").get_by_role("button", name=wording("machines:deed.terminate"), exact=True).click()
        with stage.platform.as_("admin") as admin:
            [machine] = [one for one in admin.workspaces.list(ended=True) if one["name"] == name]
            admin.workspaces.wait(machine["id"], timeout_seconds=60)
            assert admin.workspaces.show(machine["id"])["state"] == "terminated"


@pytest.fixture(scope="module")
def lung_study(stage):
    """A project that reads nothing yet: a grant of the other would end what tests of pages look at."""
    with stage.platform.as_("admin") as admin:
        admin.projects.add(OTHER_PROJECT, "Lung study")


def test_access_is_asked_for_and_given(signed_in, wording, stage, lung_study):
    """Given by the steward's token until there is a page where grants are decided."""
    purpose = f"Protocol 7, {wording.language}"
    with signed_in("bea", at="/data/sdtm?tab=access") as watched:
        page = watched.page
        page.get_by_role("button", name=wording("data:actions.ask")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(wording("data:ask.purpose")).fill(purpose)
        dialog.get_by_role("button", name=wording("data:actions.ask")).click()
        asked = page.get_by_role("table", name=wording("data:access.requests"))
        expect(asked.get_by_role("row", name=purpose)).to_be_visible()
        with stage.platform.as_("steward") as steward:
            [request] = [one for one in steward.grants.requests() if one["purpose"] == purpose]
            steward.grants.decide(request["id"], approve=True, reason="Read")
        # Told by the page itself, without a reload.
        given = page.get_by_role("table", name=wording("data:access.grants"))
        expect(given.get_by_role("row", name=purpose)).to_be_visible()


# Place for: files out through the airlock, one refused and one released; what the month costs.
