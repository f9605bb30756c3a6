"""Flows: from source to result, asked by dataset, person and time, all in the address."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect
from tests.web.test_costs import ask


def test_the_graph_and_the_list_are_the_api_s(pages, stage):
    graph = ask(stage, "auditor", "/flows/graph", dataset="sdtm")
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/flows?dataset=sdtm")
        expect(page.locator(".react-flow__node").first).to_be_visible()
        listed = page.get_by_role("region", name=re.compile("that data passed")).get_by_role("listitem")
        expect(listed).to_have_count(len(graph["nodes"]))
        told = sorted(listed.locator("button > span:first-child").all_inner_texts())
        assert told == sorted(node["label"] for node in graph["nodes"])
        listed.filter(has_text="trial-sponsor").get_by_role("button").click()
        expect(page).to_have_url(re.compile("node=source"))
        expect(page.locator("main [role=status]", has_text="trial-sponsor")).to_contain_text("Source")
        watched.settle()
        watched.check()


def test_what_is_asked_is_in_the_address(pages, stage):
    query = next(n for n in ask(stage, "auditor", "/flows/graph")["nodes"] if n["kind"] == "query")
    with pages.open("scientist", "fr", "dark") as watched:
        page = watched.page
        page.goto(f"/flows?person=scientist&node={query['id']}&only=1")
        expect(page.locator("main [role=status]", has_text="scientist")).to_contain_text("Requête")
        expect(page.get_by_role("link", name="Ouvrir")).to_have_attribute("href", re.compile("^/sql"))
        watched.settle()
        watched.check()
        page.get_by_label("Au", exact=True).fill("2020-01-01")
        expect(page).to_have_url(re.compile("until=2020-01-01"))
        expect(page.get_by_text("Rien n’a circulé")).to_be_visible()
        page.goto("/flows?person=nobody-of-this-name")
        expect(page.get_by_text("Rien n’a circulé")).to_be_visible()
        page.goto("/flows?since=no-day")
        expect(page.locator(".react-flow__node").first).to_be_visible()
        watched.settle()
        watched.check()


def test_events_are_exported_as_openlineage(pages):
    with pages.open("auditor") as watched:
        page = watched.page
        page.goto("/flows?dataset=sdtm")
        with page.expect_download() as got:
            page.get_by_role("button", name="Export as OpenLineage").click()
        events = [json.loads(line) for line in Path(got.value.path()).read_text().splitlines()]
        assert events
        assert all("openlineage.io" in event["schemaURL"] for event in events)
        assert not watched.wrong
