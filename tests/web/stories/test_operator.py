"""An operator: sees every machine and what it costs, ends one, and reads no data."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def forgotten(stage, wording):
    """A machine of the scientist's that somebody must end."""
    name = f"forgotten-{wording.language}"
    with stage.platform.as_("scientist") as scientist:
        made = scientist.workspaces.create(
            "tiny", "heart-study", confirm_eur_per_hour="0.0092", name=name, size="t3.nano"
        )
        scientist.workspaces.wait(made["id"], timeout_seconds=60)
    return name, made["id"]


def test_a_machine_of_somebody_else_is_ended_and_no_data_is_read(signed_in, wording, stage, forgotten):
    name, machine = forgotten
    with signed_in("otto", at="/machines") as watched:
        page = watched.page
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert page.get_by_role("button", name=wording("machines:open.tab")).count() == 0
        page.get_by_role("button", name=wording("machines:deed.terminateAsk")).click()
        page.get_by_label(wording("parts:confirm.type", name=name)).fill(name)
        page.get_by_role("dialog").get_by_role("button", name=wording("machines:deed.terminate"), exact=True).click()
        with stage.platform.as_("admin") as admin:
            admin.workspaces.wait(machine, timeout_seconds=60)
            assert admin.workspaces.show(machine)["state"] == "terminated"
        page.goto("/sql")
        expect(page.get_by_text(wording("sql:closed.title"))).to_be_visible()


# Place for: people, sources and settings on the pages of administration.
