"""Encrypted values: asked for on the dataset's page, approved by another, shown once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.flows.test_open_values import CONTRACT, FILE


@pytest.fixture(scope="module")
def sealed(stage, tmp_path_factory):
    """A dataset with encrypted columns, beside those that other tests look at."""
    platform = stage.platform
    platform.source("clinic", "trial")
    with platform.as_("steward") as steward, platform.as_("reviewer") as reviewer:
        reviewer.contracts.approve(steward.contracts.propose(CONTRACT, note="First")["id"], reason="Read")
    file = tmp_path_factory.mktemp("sealed") / "subjects.csv"
    file.write_bytes(FILE)
    with platform.as_("clinic") as clinic:
        clinic.wait_for_delivery(clinic.deliver("clinic", "trial", [file])["id"], timeout_seconds=60)


def test_two_persons_and_one_look(pages, sealed):
    where = "/data/trial?tab=openings"
    with pages.open("steward") as watched:
        page = watched.page
        page.goto(where)
        page.get_by_role("button", name="Ask for an opening").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("combobox", name="Which values").click()
        page.get_by_role("option", name="The whole table").click()
        dialog.get_by_label("What for").fill("A finding, <b>urgent</b>")
        watched.settle()
        watched.check()
        dialog.get_by_role("button", name="Ask for an opening").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("table")).to_contain_text("A finding, <b>urgent</b>")
        expect(page.get_by_role("button", name="Approve")).to_be_hidden()
        watched.settle()
        watched.check()
    with pages.open("reviewer", "fr", "dark") as watched:
        page = watched.page
        page.goto(where)
        page.get_by_role("button", name="Approuver").click()
        page.get_by_role("dialog").get_by_label("Pourquoi").fill("d’accord")
        watched.settle()
        watched.check()
        page.get_by_role("dialog").get_by_role("button", name="Approuver").click()
        expect(page.get_by_role("table")).to_contain_text("Approuvé")
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/")
        page.get_by_role("link", name="Encrypted values of trial").click()
        page.get_by_role("button", name="Take the values").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Take the values").click()
        expect(dialog).to_contain_text("Ada Quux")
        watched.settle()
        watched.check()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("table")).to_contain_text("Handed over")
        expect(page.get_by_role("button", name="Take the values")).to_be_hidden()
        assert "Quux" not in page.content()
