"""Pages in Debian's Chromium, and what may not happen in them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from tests.web.stage import PASSWORD, PEOPLE, Stage

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = ("en", "fr")
SCHEMES = ("light", "dark")
#: What tests of every page look at: words do not depend on colours, so two looks see each language and scheme.
LOOKS = tuple(zip(LANGUAGES, SCHEMES, strict=True))
SIGN_IN = {"en": "Sign in", "fr": "Se connecter"}
#: Chromium tells of each answer that is an error; that nobody is signed in yet is none.
_NOBODY = "/api/v1/session"
_PATIENCE_MS = 15_000
_SETTLED = """() => document.querySelector('h1') !== null
  && document.querySelector('.mantine-Skeleton-root, [aria-busy="true"]') === null"""


_AXE_RUN = """async () => {
  const moving = document.getAnimations().filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime));
  await Promise.allSettled(moving.map((one) => one.finished));
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  const floats = ({ target }) => document.querySelector(target[0])?.matches('[data-portal], [data-portal] *');
  return violations
    .map((v) => (v.id === 'region' ? { ...v, nodes: v.nodes.filter((n) => !floats(n)) } : v))
    .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ target, failureSummary }) => ({ target, failureSummary })) }))
}"""


def launch(playwright: Playwright) -> Browser:
    """Chromium as Debian has it; nothing is downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "chromium is missing: make browser"
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])


@dataclass
class Watched:
    """A page and what went wrong in it."""

    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda told: self._told(told.type, told.text, told.location.get("url", "")))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.expose_function("__violated", lambda text: self.wrong.append(f"policy: {text}"))
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => "
            "window.__violated(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`))"
        )

    def settle(self) -> None:
        """Until what is asked for has come."""
        self.page.wait_for_function(_SETTLED, timeout=15_000)
        self.page.wait_for_timeout(120)

    def check(self) -> None:
        """Nothing went wrong, and axe finds nothing."""
        found = [*self.wrong, *violations(self.page)]
        assert not found, "\n".join([self.page.url, *found])

    def _told(self, kind: str, text: str, url: str) -> None:
        if kind not in ("error", "warning") or (url.endswith(_NOBODY) and "401" in text):
            return
        self.wrong.append(f"{kind}: {text} {url}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")) and "{0.scheme}://{0.netloc}".format(urlsplit(url)) != self.origin:
            self.wrong.append(f"third party: {url}")


def violations(page: Page) -> list[str]:
    """What axe finds, WCAG 2 A and AA and its best practices.

    A menu that is open is outside of the landmarks, as the pattern for menus has it.
    """
    page.evaluate(AXE.read_text())
    found = page.evaluate(_AXE_RUN)
    return [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in found for n in v["nodes"]]


class Pages:
    """Opens pages as people; each signs in once by the API's own way and is known from then on."""

    def __init__(self, browser: Browser, stage: Stage, people: Mapping[str, str] = PEOPLE) -> None:
        self._browser = browser
        self._stage = stage
        self._people = people
        self._states: dict[str, dict[str, object]] = {}

    @contextmanager
    def open(
        self, role: str | None, language: str = "en", scheme: str = "light", *, width: int = 1280, height: int = 900
    ) -> Iterator[Watched]:
        """A fresh browser, signed in as the role (None: as nobody), at no page yet."""
        context = self._browser.new_context(
            storage_state=self._state(role) if role else None,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            locale=language,
            timezone_id="Europe/Paris",
            base_url=self._stage.url,
        )
        kept = {"atoll-language": language, "atoll-scheme": scheme}
        context.add_init_script(
            f"if (location.protocol.startsWith('http') && !localStorage.getItem('atoll-language'))"
            f" for (const [k, v] of Object.entries({json.dumps(kept)})) localStorage.setItem(k, v)"
        )
        try:
            context.set_default_timeout(_PATIENCE_MS)
            watched = Watched(context.new_page(), self._stage.url)
            watched.watch()
            yield watched
        finally:
            context.close()

    def _state(self, role: str) -> dict[str, object]:
        if role not in self._states:
            context: BrowserContext = self._browser.new_context(base_url=self._stage.url)
            answer = context.request.post("/api/v1/session", data={"login": self._people[role], "password": PASSWORD})
            assert answer.status == 201, answer.text()
            self._states[role] = dict(context.storage_state())
            context.close()
        return self._states[role]


def sign_in(page: Page, role: str, language: str = "en") -> None:
    """By the form, as people do; the page is where sign-in leads."""
    if "/sign-in" not in page.url:
        page.goto("/sign-in")
    page.locator("input[name=username]").fill(PEOPLE[role])
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name=SIGN_IN[language], exact=True).click()
    expect(page).not_to_have_url(re.compile("/sign-in"))
    expect(page.locator("main h1")).to_be_visible()
