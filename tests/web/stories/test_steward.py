"""Stewards: one sees rows held and proposes a change, another approves it; the delivery is replayed, then rejected."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.client.live_platform import CANARY, CONTRACT, GOOD, MIXED, write


@pytest.fixture
def held(stage, wording, tmp_path):
    """A dataset of this telling's own, and the delivery of which two rows of three are held."""
    dataset, source = f"ward_{wording.language}", f"lab-{wording.language}"
    text = CONTRACT.replace("dataset: ward\n", f"dataset: {dataset}\n")
    with stage.platform.as_("steward") as steward:
        proposal = steward.contracts.propose(text)["id"]
    with stage.platform.as_("reviewer") as reviewer:
        reviewer.contracts.approve(proposal)
    stage.platform.source(source, dataset)
    with stage.platform.as_(source) as lab:
        given = lab.deliver(source, dataset, [write(tmp_path, "patients.csv", MIXED)])
        lab.wait_for_delivery(given["id"], timeout_seconds=60)
    return text, given["id"]


def test_rows_held_a_contract_changed_by_two_and_a_delivery_decided(signed_in, wording, stage, held):
    text, delivery = held
    with signed_in("rita", at=f"/deliveries/{delivery}") as watched:
        page = watched.page
        rows = page.get_by_role("table", name=wording("deliveries:quarantine"))
        expect(rows.get_by_role("row")).to_have_count(3)
        expect(rows).to_contain_text("patients.csv")
        assert CANARY not in page.content()
        # Under the contract that held them nothing would change, and that is said.
        page.get_by_role("button", name=wording("deliveries:replay")).click()
        page.get_by_role("dialog").get_by_role("button", name=wording("deliveries:replay")).click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        watched.wrong.clear()

        page.goto("/contracts/new")
        page.get_by_role("textbox", name=wording("contracts:asYaml")).click()
        page.keyboard.insert_text(text.replace("max: 120", "max: 250"))
        page.get_by_role("button", name=wording("contracts:check"), exact=True).click()
        expect(page.get_by_text(wording("contracts:checked", tables="patients"))).to_be_visible()
        page.get_by_label(wording("contracts:note")).fill("There are older ones")
        page.get_by_role("button", name=wording("contracts:propose"), exact=True).click()
        expect(page.get_by_role("button", name=wording("contracts:deed.withdraw"))).to_be_visible()
        assert page.get_by_role("button", name=wording("contracts:deed.approve")).count() == 0
        proposal = page.url

    with signed_in("stella", at=proposal) as watched:
        page = watched.page
        expect(page.get_by_text("There are older ones")).to_be_visible()
        page.get_by_role("button", name=wording("contracts:deed.approve")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(wording("contracts:reason")).fill("As the register says")
        dialog.get_by_role("button", name=wording("contracts:deed.approve")).click()
        decided = wording("contracts:decided", by="stella", reason="As the register says")
        expect(page.get_by_text(decided)).to_be_visible()

        page.goto(f"/deliveries/{delivery}")
        page.get_by_role("button", name=wording("deliveries:replay")).click()
        page.get_by_role("dialog").get_by_role("button", name=wording("deliveries:replay")).click()
        expect(page.get_by_role("heading", name=wording("deliveries:replays"))).to_be_visible(timeout=30_000)
        expect(page.get_by_role("table", name=wording("deliveries:quarantine")).get_by_role("row")).to_have_count(2)

        page.get_by_role("button", name=wording("deliveries:reject")).click()
        page.get_by_role("dialog").get_by_label(wording("deliveries:reason")).fill("The rest is a test")
        page.get_by_role("dialog").get_by_role("button", name=wording("deliveries:reject")).click()
        expect(
            page.get_by_text(wording("deliveries:rejected", by="stella", reason="The rest is a test"))
        ).to_be_visible()
        expect(page.get_by_role("button", name=wording("deliveries:replay"))).to_have_count(0)

    with stage.platform.as_("auditor") as auditor:
        outcome = auditor.deliveries.show(delivery)["outcome"]
    assert (outcome["rows_in"], outcome["rows_committed"], outcome["rows_quarantined"]) == (3, 2, 1)


def test_a_contract_is_drafted_from_samples_and_put_in_force_by_another(signed_in, wording):
    dataset = f"drafted_{wording.language}"
    with signed_in("rita", at="/contracts/new") as watched:
        page = watched.page
        page.get_by_label(wording("contracts:dataset")).fill(dataset)
        page.locator("input[type=file]").set_input_files(
            [{"name": "patients.csv", "mimeType": "text/csv", "buffer": GOOD.encode()}]
        )
        page.get_by_role("button", name=wording("contracts:makeDraft")).click()
        text = page.get_by_role("textbox", name=wording("contracts:asYaml"))
        expect(text).to_contain_text(f"dataset: {dataset}")
        # Samples are looked at and not kept: nothing of what they hold is in the draft.
        assert CANARY not in page.content()
        page.get_by_role("button", name=wording("contracts:check"), exact=True).click()
        expect(page.get_by_role("status").filter(has_text="patients")).to_be_visible()
        page.get_by_label(wording("contracts:note")).fill("Drafted")
        page.get_by_role("button", name=wording("contracts:propose"), exact=True).click()
        expect(page.get_by_role("button", name=wording("contracts:deed.withdraw"))).to_be_visible()
        proposal = page.url
    with signed_in("stella", at=proposal) as watched:
        page = watched.page
        page.get_by_role("button", name=wording("contracts:deed.approve")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(wording("contracts:reason")).fill("Read")
        dialog.get_by_role("button", name=wording("contracts:deed.approve")).click()
        expect(page.get_by_text(wording("contracts:decided", by="stella", reason="Read"))).to_be_visible()
        page.goto("/contracts")
        page.get_by_role("link", name=dataset, exact=True).click()
        expect(page.get_by_role("heading", name=wording("contracts:of", dataset=dataset))).to_be_visible()
