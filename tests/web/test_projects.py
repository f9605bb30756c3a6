"""Projects: people with an end date, grants asked for and decided, budget, repositories, share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def project(stage):
    """A project that no other test looks at."""
    with stage.platform.as_("admin") as admin:
        admin.projects.add("kidney-study", "Kidney study")
        admin.projects.add_member("kidney-study", "scientist")
    return "kidney-study"


def row(page, table, text):
    return page.get_by_role("table", name=table, exact=True).get_by_role("row").filter(has_text=text)


def test_somebody_joins_until_a_day_and_leaves(pages, stage, project):
    day = datetime.now(UTC).date() + timedelta(days=30)
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto("/projects")
        page.get_by_role("link", name="Kidney study").click()
        page.get_by_role("button", name="Add somebody").click()
        page.get_by_role("combobox", name="Person").fill("audit")
        page.get_by_role("option", name=re.compile("auditor")).click()
        page.get_by_label("Until").fill(day.isoformat())
        page.get_by_label("Answers for the project").check()
        watched.settle()
        watched.check()
        page.get_by_role("button", name="Save").click()
        member = row(page, "People", "auditor")
        expect(member).to_contain_text("Lead")
        expect(member).to_contain_text(str(day.year))
        with stage.platform.as_("admin") as admin:
            (term,) = admin.projects.show(project)["terms"]
        until = datetime.fromisoformat(term["until"])
        assert until.date() == day and term["lead"]
        # An end that has passed is refused, and told.
        page.get_by_role("button", name="Change the membership of auditor").click()
        page.get_by_label("Until").fill("2020-01-01")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("ends in the future")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Remove auditor").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(member).to_have_count(0)
        assert not [wrong for wrong in watched.wrong if "422" not in wrong]


def test_a_member_sees_who_is_in_it_and_changes_nothing(pages, project):
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/projects/{project}")
        expect(row(page, "People", "scientist (me)")).to_be_visible()
        assert page.get_by_role("button", name=re.compile("Add somebody|Remove")).count() == 0


def test_a_grant_is_asked_for_refused_asked_for_again_and_approved(pages, project):
    def ask(purpose):
        with pages.open("scientist") as asking:
            page = asking.page
            page.goto("/data/sdtm")
            page.get_by_role("button", name="Ask for access").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_role("combobox", name="For the project").click()
            page.get_by_role("option", name="Kidney study").click()
            dialog.get_by_label("Purpose").fill(purpose)
            dialog.get_by_role("combobox", name="Version").click()
            page.get_by_role("option", name="1 of ").click()
            dialog.get_by_role("button", name="Ask for access").click()
            expect(dialog).to_have_count(0)

    ask("Protocol 7 <b>bold</b>")
    for deed, done, state in (
        ("Refuse", "The request is refused", "Refused"),
        ("Approve", "The grant is given", "Approved"),
    ):
        with pages.open("steward") as watched:
            page = watched.page
            page.goto(f"/projects/{project}?tab=data")
            page.get_by_role("button", name=f"{deed} the request for sdtm").click()
            expect(page.get_by_role("dialog").get_by_text("Protocol 7 <b>bold</b>")).to_be_visible()
            page.get_by_label("Reason").fill("As the protocol has it")
            page.get_by_role("dialog").get_by_role("button", name=deed, exact=True).click()
            expect(page.get_by_text(done)).to_be_visible()
            expect(row(page, "Requests for grants", state)).to_contain_text("As the protocol has it")
            watched.settle()
            watched.check()
        if deed == "Refuse":
            ask("Protocol 7 <b>bold</b>, amended")
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/projects/{project}?tab=data")
        granted = row(page, "Grants", "sdtm")
        expect(granted).to_contain_text("Active")
        expect(granted).to_contain_text("All of it (version 1)")
        granted.get_by_role("link", name="sdtm").click()
        expect(page).to_have_url(re.compile("/data/sdtm"))


def test_who_asked_takes_a_request_back(pages, stage, project):
    with stage.platform.as_("scientist") as scientist:
        scientist.grants.request(project, "sdtm", purpose="By mistake")
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/projects/{project}?tab=data")
        assert page.get_by_role("button", name=re.compile("Approve|Refuse")).count() == 0
        page.get_by_role("button", name="Withdraw the request for sdtm").click()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
        expect(row(page, "Requests for grants", "By mistake")).to_contain_text("Withdrawn")


def test_budget_share_code_and_packages(pages, project):
    with pages.open("administrator") as watched:
        page = watched.page
        page.goto(f"/projects/{project}?tab=spend")
        page.get_by_role("button", name="Set the budget").click()
        page.get_by_label("Euros for a month").fill("120")
        page.get_by_role("button", name="Save the budget").click()
        expect(page.get_by_text("€0.00 of €120.00")).to_be_visible()
        expect(page.get_by_role("region", name="Share of the project")).to_contain_text("/project")
        watched.settle()
        watched.check()
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/projects/{project}?tab=code")
        page.get_by_role("button", name="New repository").click()
        page.get_by_label("Name").fill("analysis")
        page.get_by_role("button", name="Make the repository").click()
        expect(page.get_by_text(f"atoll:{project}/analysis.git")).to_be_visible()
        watched.settle()
        watched.check()
        page.get_by_role("tab", name="Packages").click()
        expect(page.get_by_text("No package yet")).to_be_visible()
        watched.settle()
        watched.check()
