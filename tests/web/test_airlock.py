"""The airlock in the browser: refused and released end to end, blind reviews, one download, names as text."""

from __future__ import annotations

import re

from playwright.sync_api import expect

GOOD = b"arm,n\nA,120\nB,340\n"
SMALL = b"arm,n\nA,120\nB,3\n"
MARKUP = "<img src=x onerror=alert(1)>"
LONG = "table-" + "x" * 105 + ".csv"
#: Letters that run from right to left, beside Latin ones.
HEBREW = "\u05d8\u05d1\u05dc\u05d4 results 1.csv"
BOTH = ("steward", "reviewer")


def ask(page, *files, direction="Out of the project", purpose="Table 1"):
    """Open a request, upload, and stay on its page; the id."""
    page.goto("/airlock/new")
    page.get_by_text(direction, exact=True).click()
    page.get_by_label("Purpose").fill(purpose)
    page.get_by_label("Destination" if direction.startswith("Out") else "Origin").fill("Journal")
    page.get_by_role("button", name="Go on to the files").click()
    expect(page.get_by_role("heading", name="Add files")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    )
    return page.url.rsplit("/", 1)[1]


def submit(page):
    page.get_by_role("button", name="Submit", exact=True).click()


def stands(page, word):
    expect(page.get_by_role("region", name="Where it stands").get_by_text(word, exact=True)).to_be_visible(
        timeout=30_000
    )


def decide(page, id, *words):
    """Look at the page of a request and decide on each of its files."""
    page.goto(f"/airlock/{id}")
    for at, word in enumerate(words):
        page.get_by_role("radio", name=word).nth(at).check()
        page.get_by_label("Reason").nth(at).fill(f"{word}: looked into")
    page.get_by_role("button", name="Send the decision").click()
    expect(page.get_by_text("Your decision is on record")).to_be_visible()


def test_released_by_two_of_another_project_and_downloaded_once(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        id = ask(page, ("table.csv", SMALL))
        expect(page.get_by_role("heading", name="table.csv")).to_be_visible()
        submit(page)
        stands(page, "Returned")
        finding = page.get_by_role("article", name="table.csv").get_by_role("listitem").filter(has_text="small_cells")
        expect(finding).to_contain_text("Counts of few people")
        # Mended under the same name, it takes the place of the first.
        page.locator("input[type=file]").set_input_files(
            [{"name": "table.csv", "mimeType": "text/csv", "buffer": GOOD}]
        )
        expect(page.get_by_text("Not checked yet.")).to_be_visible()
        submit(page)
        stands(page, "In review")
        expect(page.get_by_text("0 of 2 reviewers have decided.")).to_be_visible()
        assert page.get_by_role("button", name="Send the decision").count() == 0

        with pages.open("steward") as first:
            decide(first.page, id, "Approve")
            first.settle()
            first.check()
        with pages.open("reviewer") as second:
            second.page.goto(f"/airlock/{id}")
            expect(second.page.get_by_text("1 of 2 reviewers have decided.")).to_be_visible()
            # Blind: neither the first's name nor decision is on the page.
            assert "looked into" not in second.page.inner_text("main")
            assert "by steward" not in second.page.inner_text("main")
            expect(second.page.get_by_text("A reviewer", exact=False).last).to_be_visible()
            second.page.get_by_role("button", name="Look into table.csv").click()
            expect(second.page.get_by_role("cell", name="340")).to_be_visible()
            second.settle()
            second.check()
            second.page.keyboard.press("Escape")
            decide(second.page, id, "Approve")
            expect(second.page.get_by_text("by steward:")).to_be_visible()

        # The requester's page follows by itself.
        stands(page, "Released")
        page.get_by_role("button", name="Download table.csv").click()
        expect(page.get_by_text("It can be downloaded once.")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download it now").click()
        assert download.value.path().read_bytes() == GOOD
        assert download.value.suggested_filename == "table.csv"
        expect(page.get_by_role("button", name="Download table.csv")).to_have_count(0)
        steps = page.get_by_role("region", name="History")
        for deed in ("Opened", "Submitted", "Checked", "Reviewed", "Downloaded"):
            expect(steps.get_by_text(deed, exact=True).first).to_be_visible()
        watched.settle()
        watched.check()


def test_refused_by_two(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        id = ask(page, ("one.csv", GOOD), ("two.csv", GOOD + b"C,99\n"))
        expect(page.get_by_role("heading", name="two.csv")).to_be_visible()
        submit(page)
        stands(page, "In review")
        for role, words in zip(BOTH, (("Refuse", "Approve"), ("Approve", "Refuse")), strict=True):
            with pages.open(role) as reviewing:
                # `nth` counts radios of a kind: the first file's and the second's.
                decide(reviewing.page, id, *words)
        stands(page, "Refused")
        expect(page.get_by_text("Refuse: looked into")).to_have_count(2)
        assert page.get_by_role("button", name=re.compile("^Download")).count() == 0
        page.get_by_role("button", name="Withdraw", exact=True).click()
        page.get_by_role("button", name="Withdraw the request").click()
        stands(page, "Withdrawn")


def test_brought_in_and_placed(pages):
    with pages.open("scientist") as watched:
        page = watched.page
        id = ask(page, ("codes.csv", GOOD), direction="Into the project")
        expect(page.get_by_role("heading", name="codes.csv")).to_be_visible()
        submit(page)
        stands(page, "In review")
        for role in BOTH:
            with pages.open(role) as reviewing:
                decide(reviewing.page, id, "Approve")
        stands(page, "Placed")
        expect(page.get_by_text(f"/project/incoming/{id}/codes.csv")).to_be_visible()


def test_files_of_the_share_are_taken(pages, stage):
    results = stage.platform.home / "shares" / "heart-study" / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "from-machine.csv").write_bytes(GOOD)
    (results / f"{MARKUP.replace('/', '')}.csv").write_bytes(GOOD)
    with pages.open("scientist") as watched:
        page = watched.page
        ask(page)
        page.get_by_role("button", name="results").click()
        # What a machine named so is shown as text, and not taken.
        page.get_by_role("button", name=f"Add {MARKUP}.csv").click()
        expect(page.get_by_role("alert")).to_contain_text("A file's name has")
        page.get_by_role("button", name="Add from-machine.csv").click()
        expect(page.get_by_role("article", name="from-machine.csv")).to_be_visible()
        watched.settle()
        assert not [wrong for wrong in watched.wrong if "422" not in wrong]


def test_names_and_words_are_text(pages):
    taken = (LONG, HEBREW)
    turned_away = ("a 'quoted' (1).csv", f"{MARKUP}.csv", '"><script>alert(1)</script>.csv')
    content = f"{MARKUP},n\nA,120\n".encode()
    with pages.open("scientist", width=1024) as watched:
        page = watched.page
        page.on("dialog", lambda dialog: watched.wrong.append(f"dialog: {dialog.message}"))
        ask(page, *((name, content) for name in (*taken, *turned_away)), purpose=f"{MARKUP} {'long' * 300}")
        for name in turned_away:
            expect(page.get_by_text(f"Not taken: {name}")).to_be_visible()
        for name in taken:
            expect(page.get_by_role("heading", name=name)).to_be_visible()
        watched.settle()
        width = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], "it runs out of the page"
        page.get_by_role("button", name=f"Look into {HEBREW}").click()
        expect(page.get_by_role("columnheader", name=MARKUP)).to_be_visible()
        page.keyboard.press("Escape")
        assert page.locator("main img, main script").count() == 0
        assert not [wrong for wrong in watched.wrong if "422" not in wrong]
        page.goto("/airlock?state=draft")
        expect(page.get_by_role("link", name=re.compile("^<img src=x")).first).to_be_visible()
        watched.settle()
        assert page.locator("main img").count() == 0
        page.get_by_role("combobox", name="Whose").click()
        page.get_by_role("option", name="That I asked for").click()
        expect(page).to_have_url(re.compile("whose=mine"))
