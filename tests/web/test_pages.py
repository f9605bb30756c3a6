"""Every page, in both languages and schemes: no error, nothing against the policy, no third party, axe clean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.web.browsing import LOOKS
from tests.web.english import english_on
from tests.web.places import PLACES

ROUTES = Path(__file__).parents[2] / "web" / "src" / "routes.tsx"
VISITS = [(place, role) for place in PLACES for role in (place.roles or (None,))]


def test_every_route_is_looked_at():
    told = set(re.findall(r'path: "([^"]+)"', ROUTES.read_text()))
    assert told == {place.route for place in PLACES}


@pytest.mark.parametrize(("place", "role"), VISITS, ids=[f"{place.route}-{role}" for place, role in VISITS])
def test_page(stage, pages, place, role):
    for language, scheme in LOOKS:
        with pages.open(role, language, scheme) as watched:
            watched.page.goto(place.at(stage))
            watched.settle()
            assert watched.page.locator("html").get_attribute("lang") == language
            assert watched.page.locator("html").get_attribute("data-mantine-color-scheme") == scheme
            watched.check()
            if language == "fr":
                assert english_on(watched.page) == []
