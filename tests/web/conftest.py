from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright
from tests.web.browsing import Pages, launch
from tests.web.hospital import hospital
from tests.web.stage import build


@pytest.fixture(scope="package")
def stage(tmp_path_factory):
    """A real platform with people and data; one for all tests of pages, so change nothing that others look at."""
    root = tmp_path_factory.mktemp("web")
    with hospital(root) as directory:
        made = build(root, directory)
        yield made
        with made.platform.as_("scientist") as scientist:
            scientist.workspaces.terminate(made.machine)
            scientist.workspaces.wait(made.machine, timeout_seconds=60)
        made.platform.stop()


@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="package")
def pages(browser, stage):
    """`with pages.open(role, language, scheme) as watched:` then `watched.page.goto(...)`."""
    return Pages(browser, stage)
