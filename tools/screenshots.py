"""Shoot each page, light and dark, English and French, into `.screenshots`.

Words of routes shoot only those; `make screenshots` shoots all.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402
from tests.web.browsing import LANGUAGES, SCHEMES, Pages, launch  # noqa: E402
from tests.web.places import PLACES  # noqa: E402
from tests.web.stage import build  # noqa: E402


def main() -> int:
    """Shoot; 0 when all was shot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("routes", nargs="*", help="parts of routes; none: all")
    parser.add_argument("--out", type=Path, default=ROOT / ".screenshots", help="folder for the pictures")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        stage = build(Path(home))
        browser = launch(playwright)
        try:
            pages = Pages(browser, stage)
            for place in PLACES:
                name = re.sub(r"\W+", "-", place.route.replace("*", "not-found")).strip("-") or "home"
                if not wanted.routes or any(part in place.route or part == name for part in wanted.routes):
                    for role in place.roles or (None,):
                        for language in LANGUAGES:
                            for scheme in SCHEMES:
                                picture = wanted.out / f"{name}.{role or 'nobody'}.{language}.{scheme}.png"
                                with pages.open(role, language, scheme) as watched:
                                    watched.page.goto(place.at(stage))
                                    watched.settle()
                                    watched.page.screenshot(path=picture, full_page=True)
                                print(picture, *watched.wrong, sep="\n  ", flush=True)
        finally:
            browser.close()
            stage.platform.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
