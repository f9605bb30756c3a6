"""The airlock, as three people see it: who asks, and two of no project of hers who decide, blind to each other."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def table(language, rows):
    """Of this telling and no other's, so that it is no difference with what left before."""
    return f"ward_{language},people\n{rows}".encode()


def asked(page, wording, name, content, purpose):
    """Ask for one file to leave, and stay at the request; its address."""
    page.goto("/airlock/new")
    page.get_by_text(wording("airlock:direction.out"), exact=True).click()
    page.get_by_label(wording("airlock:field.purpose")).fill(purpose)
    page.get_by_label(wording("airlock:field.destination.out")).fill("Journal of Cardiology")
    page.get_by_role("button", name=wording("airlock:new.next")).click()
    page.locator("input[type=file]").set_input_files([{"name": name, "mimeType": "text/csv", "buffer": content}])
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_role("button", name=wording("airlock:submit"), exact=True).click()
    stands(page, wording, "review")
    return page.url


def stands(page, wording, state):
    where = page.get_by_role("region", name=wording("airlock:stands"))
    expect(where.get_by_text(wording(f"airlock:means.{state}"))).to_be_visible(timeout=30_000)


def found(page, wording, purpose):
    """From the list, as reviewers come to it."""
    page.goto("/airlock")
    page.get_by_role("link", name=purpose).first.click()
    expect(page.get_by_role("heading", name=wording("airlock:review.title"))).to_be_visible()


def decided(page, wording, word, reason):
    page.get_by_role("radio", name=wording(f"airlock:review.{word}"), exact=True).check()
    page.get_by_label(wording("airlock:review.reason")).fill(reason)
    page.get_by_role("button", name=wording("airlock:review.send")).click()
    expect(page.get_by_text(wording("airlock:review.done"))).to_be_visible()


def read_and_approved_by_the_first(page, wording, purpose, reason):
    found(page, wording, purpose)
    decided(page, wording, "approve", reason)


def decided_by_the_second(page, wording, purpose, word, first_reason):
    """Not knowing what the first has said; then both words are told."""
    found(page, wording, purpose)
    expect(page.get_by_text(wording("airlock:decided", number=1, of=2))).to_be_visible()
    told = page.locator("main").inner_text()
    assert "stella" not in told and first_reason not in told
    page.get_by_role("button", name=re.compile(".csv$")).first.click()
    expect(page.get_by_role("cell", name="340")).to_be_visible()
    page.keyboard.press("Escape")
    decided(page, wording, word, "As the protocol has it")
    expect(page.get_by_text(first_reason)).to_be_visible()


def test_one_request_is_refused_and_another_released(signed_in, wording):
    purposes = {end: f"Table 2, {wording.language}, {end}" for end in ("released", "refused")}
    contents = {end: table(f"{wording.language}_{end}", "north,120\nsouth,340\n") for end in purposes}
    with signed_in("ada") as asking:
        page = asking.page
        places = {
            end: asked(page, wording, f"{end}-{wording.language}.csv", contents[end], purpose)
            for end, purpose in purposes.items()
        }
        with signed_in("stella") as first:
            for purpose in purposes.values():
                read_and_approved_by_the_first(first.page, wording, purpose, "Counts of many")
        with signed_in("rita") as second:
            for end, word in (("released", "approve"), ("refused", "refuse")):
                decided_by_the_second(second.page, wording, purposes[end], word, "Counts of many")

        # She is at the one that is refused, and is told by the page itself.
        stands(page, wording, "refused")
        expect(page.get_by_text("As the protocol has it")).to_be_visible()
        fetch = page.get_by_role("button", name=re.compile(wording("airlock:fetch.ask")))
        expect(fetch).to_have_count(0)
        page.goto(places["released"])
        fetch.click()
        with page.expect_download() as download:
            page.get_by_role("dialog").get_by_role("button", name=wording("airlock:fetch.label")).click()
        assert download.value.path().read_bytes() == contents["released"]
        expect(fetch).to_have_count(0)
        for end, place in places.items():
            answer = page.request.get(f"/api/v1/airlock-requests/{place.rsplit('/', 1)[1]}/files/0/content")
            assert not answer.ok and contents[end] not in answer.body(), (end, answer.status)
