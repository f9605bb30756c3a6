"""A scientist: finds data, asks for more of it, queries what was granted, and works on a machine."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from tests.web.hospital import OTHER_PROJECT

QUESTION = "SELECT arm, count(*) AS subjects FROM sdtm.dm GROUP BY ALL ORDER BY 2 DESC"


def leaving(purpose):
    """What is run inside: a table is made, and a request for it to leave."""
    asking = f"[sys.executable, '-m', 'atoll', 'airlock', 'request', 'ward.csv', '--purpose', {purpose!r},"
    return (
        "import pathlib, subprocess, sys; pathlib.Path('ward.csv').write_text('ward,n\\nA,130\\nB,250\\n'); "
        f"subprocess.run({asking} '--destination', 'The journal'], check=True)"
    )


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


def test_a_desktop_is_launched_and_seen_beside_the_data(signed_in, wording, stage):
    name = f"desk-{wording.language}"
    with signed_in("ada", at="/machines/new?product=desk") as watched:
        page = watched.page
        page.get_by_label(wording("machines:new.name"), exact=True).fill(name)
        page.get_by_role("button", name=wording("machines:new.review")).click()
        agreed = re.compile("^" + re.escape(wording("machines:new.launch").partition("{{")[0]))
        page.get_by_role("dialog").get_by_role("button", name=agreed).click()
        enter = page.get_by_role("button", name=wording("machines:open.tab"))
        expect(enter).to_be_visible(timeout=60_000)
        with page.context.expect_page() as opened:
            enter.click()
        tab = opened.value
        expect(tab.get_by_role("heading", level=1)).to_have_text(name)
        tab.wait_for_selector("body[data-screen=connected]", timeout=30_000)
        # The desktop has its own ground, in a colour that nothing of the page has.
        tab.wait_for_function(
            """() => {
              const canvas = document.querySelector('#screen canvas');
              const at = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
              return at[2] > at[0] + 20;
            }""",
            timeout=60_000,
        )
        with stage.platform.as_("admin") as admin:
            [machine] = [one for one in admin.workspaces.list() if one["name"] == name]
        tab.close()
        page.goto(f"/machines/{machine['id']}")
        page.get_by_role("button", name=wording("machines:deed.terminateAsk")).click()
        page.get_by_label(wording("parts:confirm.type", name=name)).fill(name)
        page.get_by_role("dialog").get_by_role("button", name=wording("machines:deed.terminate"), exact=True).click()
        expect(page.get_by_role("dialog")).to_be_hidden()


def asks_for_one(sent):
    return sent.method == "POST" and sent.url.endswith("/api/v1/workspaces")


def test_a_machine_is_launched_opened_used_in_its_tab_and_given_back(signed_in, wording, stage):
    name = f"bench-{wording.language}"
    with signed_in("ada", at="/machines/new?product=tiny") as watched:
        page = watched.page
        asked: list[bool] = []
        page.on("request", lambda sent: asked.append(sent.post_data_json["dry_run"]) if asks_for_one(sent) else None)
        page.get_by_label(wording("machines:new.name"), exact=True).fill(name)
        page.get_by_role("button", name=wording("machines:new.review")).click()
        agreed = re.compile("^" + re.escape(wording("machines:new.launch").partition("{{")[0]) + ".*0[.,]0092")
        page.get_by_role("dialog").get_by_role("button", name=agreed).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        # Priced once and launched once: the question's own form is not the one that it stands in.
        assert asked == [True, False]
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
        purpose = f"Made on {name}"
        tab.get_by_label("Code").fill(leaving(purpose))
        tab.get_by_role("button", name="Run").click()
        # Through the machine's gateway, as its owner, and from then on as any other request.
        expect(tab.get_by_role("status")).to_have_text(re.compile(r"^0\s+air_\w+\s"))
        tab.close()
        page.goto("/airlock")
        page.get_by_role("link", name=purpose).first.click()
        expect(page.get_by_text(wording("airlock:means.review"))).to_be_visible(timeout=30_000)
        page.locator('main a[href^="/machines/wsp_"]').click()
        page.get_by_role("button", name=wording("machines:deed.terminateAsk")).click()
        page.get_by_label(wording("parts:confirm.type", name=name)).fill(name)
        page.get_by_role("dialog").get_by_role("button", name=wording("machines:deed.terminate"), exact=True).click()
        with stage.platform.as_("admin") as admin:
            [machine] = [one for one in admin.workspaces.list(ended=True) if one["name"] == name]
            admin.workspaces.wait(machine["id"], timeout_seconds=60)
            assert admin.workspaces.show(machine["id"])["state"] == "terminated"


def test_access_is_asked_for_and_given(signed_in, wording):
    """For a project that reads nothing yet: a grant of the other would end what tests of pages look at."""
    purpose = f"Protocol 7, {wording.language}"
    with signed_in("bea", at="/data/sdtm?tab=access") as watched:
        page = watched.page
        page.get_by_role("button", name=wording("data:actions.ask")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(wording("data:ask.purpose")).fill(purpose)
        dialog.get_by_role("button", name=wording("data:actions.ask")).click()
        asked = page.get_by_role("table", name=wording("data:access.requests"))
        expect(asked.get_by_role("row", name=purpose)).to_be_visible()
        with signed_in("stella", at=f"/projects/{OTHER_PROJECT}?tab=data") as deciding:
            waiting = deciding.page.get_by_role("table", name=wording("projects:data.requests"))
            line = waiting.get_by_role("row").filter(has_text=purpose)
            line.get_by_role("button", name=wording("projects:data.approveOne", dataset="sdtm")).click()
            dialog = deciding.page.get_by_role("dialog")
            expect(dialog.get_by_text(purpose)).to_be_visible()
            dialog.get_by_label(wording("projects:data.reason")).fill("Read")
            dialog.get_by_role("button", name=wording("projects:data.approve"), exact=True).click()
            expect(deciding.page.get_by_text(wording("projects:data.approveDone"))).to_be_visible()
        # Told by the page itself, without a reload.
        given = page.get_by_role("table", name=wording("data:access.grants"))
        expect(given.get_by_role("row", name=purpose)).to_be_visible()
