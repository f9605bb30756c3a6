"""Every part of web/src/parts on one page: under the policy, clean by axe, and by keyboard."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import expect
from tests.web.browsing import LOOKS, Pages
from tests.web.stage import Stage

from atoll.api.web import Web

WEB = Path(__file__).parents[2] / "web"


class _Url:
    def __init__(self, url: str) -> None:
        self.url = url


async def _nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture(scope="module")
def gallery(browser, tmp_path_factory):
    """The parts, built and served with the policy of the application."""
    built = tmp_path_factory.mktemp("gallery")
    subprocess.run(
        [WEB / "node_modules" / ".bin" / "vite", "build", "--mode", "gallery", "--logLevel", "warn"],
        cwd=WEB,
        env={**os.environ, "WEB_OUT": str(built)},
        check=True,
    )
    server = uvicorn.Server(uvicorn.Config(Web(_nothing, built), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    stage: Stage = _Url(f"http://127.0.0.1:{port}")
    yield Pages(browser, stage)
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_parts_are_clean(gallery, language, scheme):
    with gallery.open(None, language, scheme) as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        expect(page.locator(".recharts-surface").first).to_be_visible()
        expect(page.locator(".react-flow__node").first).to_be_visible()
        expect(page.locator(".cm-content").first).to_be_visible()
        watched.check()


def test_parts_work_by_keyboard(gallery):
    with gallery.open(None) as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        editor = page.get_by_role("textbox", name="Statement")
        editor.focus()
        page.keyboard.press("Control+End")
        page.keyboard.type(" AS one")
        expect(page.get_by_test_id("sql")).to_have_text("SELECT 1 AS one")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("chosen")).to_have_text("run")
        page.keyboard.type(", v")
        page.keyboard.press("Control+Space")
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
        page.locator(".react-flow__node").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("chosen")).to_have_text("s")
        page.get_by_role("button", name="Ask").press("Enter")
        dialog = page.get_by_role("dialog", name="Terminate lab?")
        expect(dialog.get_by_label("Type lab to confirm")).to_be_focused()
        expect(dialog.get_by_role("button", name="Terminate")).to_be_disabled()
        watched.page.wait_for_timeout(300)
        watched.check()
        page.keyboard.type("lab")
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        page.get_by_role("button", name="Tell").press("Enter")
        expect(page.get_by_text("done")).to_be_visible()
        watched.check()


def test_a_table_sorts_searches_chooses_columns_and_exports(gallery):
    with gallery.open(None) as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        table = page.get_by_role("table", name="Some rows")
        table.get_by_role("button", name="Size").press("Enter")
        expect(table.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "descending")
        expect(table.locator("tbody tr").first).to_contain_text("row 29")
        page.get_by_label("Search these rows").fill("row 2")
        expect(page.get_by_text("11 of 30 rows")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export all rows of this selection as CSV").click()
        told = download.value.path().read_text("utf-8-sig").splitlines()
        assert told[:2] == ["Name,Size", "row 29,29000087"]
        assert len(told) == 12
        page.get_by_role("button", name="Choose columns").press("Enter")
        page.get_by_role("menuitemcheckbox", name="Size").press("Enter")
        expect(table.get_by_role("columnheader")).to_have_count(1)
        watched.check()


def test_a_million_rows_are_a_few_on_the_page(gallery):
    with gallery.open(None) as watched:
        page = watched.page
        page.goto("/")
        watched.settle()
        grid = page.get_by_role("region", name="A million rows")
        assert grid.locator("tbody tr").count() < 60
        grid.evaluate("box => { box.scrollTop = box.scrollHeight }")
        expect(grid.get_by_text("text 999999", exact=True)).to_be_visible()
        assert grid.locator("tbody tr").count() < 60
        watched.check()
