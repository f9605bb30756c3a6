"""Machines: seen and acted on by those who may, priced and agreed to before they start."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_chosen_is_priced_before_it_starts(pages, stage, language):
    agree = {"en": re.compile("^Launch at .*0.0092"), "fr": re.compile("^Lancer à 0,0092")}
    review = {"en": "See the price", "fr": "Voir le prix"}
    with pages.open("scientist", language) as watched:
        page = watched.page
        page.goto("/machines/new?product=tiny")
        page.get_by_label("Greeting").fill("Hello")
        watched.settle()
        watched.check()
        page.get_by_role("button", name=review[language]).click()
        expect(page.get_by_role("dialog").get_by_role("button", name=agree[language])).to_be_visible()
        watched.settle()
        watched.check()
    with stage.platform.as_("scientist") as scientist:
        assert [one["id"] for one in scientist.workspaces.list()] == [stage.machine]


def test_a_price_is_never_rounded(pages):
    with pages.open("scientist") as watched:
        watched.page.goto("/machines/new?product=jupyter")
        for told in ("4 vCPU · 16 GiB of memory · €0.175 per hour", "2 vCPU · 16 GiB of memory · €0.115 per hour"):
            expect(watched.page.get_by_text(told)).to_be_visible()


def test_a_machine_is_launched_and_taken_away(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/machines")
        page.get_by_role("link", name="Launch a machine").click()
        page.get_by_role("link", name="Choose A server of some lines").click()
        page.get_by_role("textbox", name="Name").fill("brief")
        page.get_by_role("button", name="See the price").click()
        page.get_by_role("button", name=re.compile("^Launch at")).click()
        expect(page.get_by_role("heading", level=1, name="brief")).to_be_visible()
        assert re.search(r"/machines/wsp\w+", page.url)
        page.get_by_role("button", name="Terminate…").click()
        last = page.get_by_role("dialog").get_by_role("button", name="Terminate")
        expect(last).to_be_disabled()
        page.get_by_label("Type brief to confirm").fill("brief")
        last.click()
        expect(page.get_by_text("Terminated").first).to_be_visible(timeout=30_000)
        watched.settle()
        watched.check()


def test_a_machine_opens_in_a_tab_of_its_own(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/machines/{stage.machine}")
        answers = {}
        page.context.on("response", lambda one: answers.setdefault(urlsplit(one.url).path, one.status))
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Open in a tab").click()
        base = f"/w/{stage.machine}/"
        page.wait_for_timeout(100)
        for _ in range(100):
            if base in answers:
                break
            page.wait_for_timeout(100)
        assert answers[base + ".atoll/enter"] == 200
        entrance = next(cookie for cookie in page.context.cookies() if cookie["path"] == base)
        assert entrance["httpOnly"]
        assert not opened.value.is_closed()
        assert page.get_by_role("alert").count() == 0


def test_operators_end_a_machine_but_do_not_enter_it(pages, stage):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto(f"/machines/{stage.machine}")
        expect(page.get_by_role("button", name="Terminate…")).to_be_visible()
        for name in ("Open in a tab", "Hibernate", "Resize…", "Extend", "Set hours", "Share"):
            assert page.get_by_role("button", name=name, exact=True).count() == 0, name
        expect(page.get_by_role("heading", name="What it printed")).to_have_count(0)


def test_hours_are_set_and_taken_away_and_another_size_has_its_price(pages, stage):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/machines/{stage.machine}")
        page.get_by_role("button", name="Set hours").click()
        expect(page.get_by_role("checkbox", name="Monday")).to_be_checked()
        watched.settle()
        watched.check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("08:00 to 18:00")).to_be_visible()
        page.get_by_role("button", name="Take hours away").click()
        expect(page.get_by_role("button", name="Set hours")).to_be_visible()
        page.get_by_role("button", name="Resize…").click()
        page.get_by_role("dialog").get_by_label("t3.micro").check()
        expect(page.get_by_role("button", name=re.compile("^t3.micro at"))).to_be_enabled()
        watched.settle()
        watched.check()


def test_a_machine_is_shared_with_a_member_and_no_longer(pages, stage):
    with stage.platform.as_("admin") as admin:
        admin.projects.add_member("heart-study", "auditor")
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/machines/{stage.machine}")
        page.get_by_role("combobox", name="A member of the project").click()
        page.get_by_role("option", name="auditor").click()
        page.get_by_role("button", name="Share", exact=True).click()
        page.get_by_role("button", name="Share with auditor no longer").click()
        expect(page.get_by_text("Nobody else sees what is in it.")).to_be_visible()
    with stage.platform.as_("admin") as admin:
        admin.projects.remove_member("heart-study", "auditor")


def test_where_there_is_no_room_one_may_wait_in_the_queue(pages, stage):
    """The stage's host lends as much memory as this size has, and the machine of the stage has some of it."""
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/machines/new?product=terminal")
        page.get_by_role("textbox", name="Name").fill("patient")
        page.get_by_label("t3.medium").check()
        page.get_by_role("button", name="See the price").click()
        expect(page.get_by_text("There is no room now")).to_be_visible()
        watched.settle()
        watched.check()
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Wait in the queue")).click()
        expect(page.get_by_role("heading", level=1, name="patient")).to_be_visible()
        expect(page.get_by_text(re.compile("^Place 1 in the queue")).first).to_be_visible()
        page.get_by_role("button", name="Terminate…").click()
        page.get_by_label("Type patient to confirm").fill("patient")
        page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
        expect(page.get_by_text("Terminated").first).to_be_visible(timeout=30_000)
