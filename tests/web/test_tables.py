"""A table of which the server has more than is shown: order, search and export are of the whole set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.web.stage import PROJECT, asking

MANY = 70
PAGES = Path(__file__).parents[2] / "web" / "src" / "pages"


@pytest.fixture
def statements(stage):
    """More statements kept by a project than a page of them; listed as they were made, so by number."""
    with asking(stage, "scientist") as http:
        made = [
            http.post(
                "/saved-queries",
                params={"project": PROJECT},
                json={"name": f"statement {n * 37 % MANY:02}", "description": "", "sql": f"SELECT {n}"},
            ).json()["id"]
            for n in range(MANY)
        ]
        yield
        for id in made:
            http.delete(f"/saved-queries/{id}")


def test_what_is_not_loaded_is_ordered_found_and_exported(pages, statements):
    names = [f"statement {n:02}" for n in range(MANY)]
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto("/sql?tab=saved")
        table = page.get_by_role("table", name="Saved queries")
        rows = table.locator("tbody tr")
        expect(page.get_by_text("50 rows shown; there are more")).to_be_visible()
        head = table.get_by_role("columnheader", name="Name")
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "ascending")
        expect(rows.first).to_contain_text(names[0])
        head.get_by_role("button").press("Enter")
        expect(rows.first).to_contain_text(names[-1])
        expect(head).to_have_attribute("aria-sort", "descending")
        expect(rows).to_have_count(50)
        with page.expect_download() as download:
            page.get_by_role("button", name="Export all rows of this selection as CSV").click()
        told = download.value.path().read_text("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in told[1:]] == names[::-1]
        page.get_by_label("Search all rows").fill("STATEMENT 03")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text(names[3])
        page.get_by_label("Search all rows").fill("no such statement")
        expect(page.get_by_text("0 of 0 rows")).to_be_visible()
        watched.settle()
        watched.check()


def test_order_and_search_are_in_the_address_and_a_wrong_one_is_taken_back(pages, stage):
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/deliveries?sort=-rows_in&find=SDTM")
        head = page.get_by_role("columnheader", name="Rows received")
        expect(head).to_have_attribute("aria-sort", "descending")
        expect(page.get_by_label("Search all rows")).to_have_value("SDTM")
        watched.settle()
        watched.check()
    with pages.open("steward") as watched:
        page = watched.page
        page.goto("/deliveries?sort=secret")
        page.get_by_role("button", name="Show the rows as they are listed").click()
        expect(page.locator(f'a[href="/deliveries/{stage.delivery}"]')).to_be_visible()
        assert "sort" not in page.url


def test_columns_name_orders_that_the_api_declares(stage):
    """A name that the API does not know would be an error when one first has more than a page."""
    declared: dict[str, set[str]] = {}
    with asking(stage, "administrator") as http:
        for path, methods in http.get("/openapi.json").json()["paths"].items():
            for one in methods.get("get", {}).get("parameters", ()):
                if one["name"] == "sort":
                    pattern = one["schema"]["anyOf"][0]["pattern"]
                    declared[path] = set(re.findall(r"[a-z_]+", pattern.removeprefix("^-?")))
    seen = 0
    for page in PAGES.rglob("*.tsx"):
        text = page.read_text()
        used = set(re.findall(r'sort: "([a-z_]+)"', text))
        asked = set(re.findall(r'useListing\("([^"]+)"', text))
        if used:
            seen += 1
            assert used <= set().union(*(declared.get(path, set()) for path in asked)), page
    assert seen >= 9
