"""Whole stories, each as one role tells it, in both languages; people sign in by the hospital's directory."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from tests.web.hospital import WORDS
from tests.web.wording import Wording


@pytest.fixture(params=["en", "fr"])
def wording(request):
    """`wording("machines:new.review")`: what is read there in the language of this telling."""
    return Wording(request.param)


@pytest.fixture
def signed_in(pages, wording):
    """`with signed_in("ada", at="/data") as watched:` once she typed the password that the directory knows."""

    @contextmanager
    def enter(login, *, at="/"):
        with pages.open(None, wording.language) as watched:
            page = watched.page
            page.goto(at)
            page.get_by_label(wording("signIn:login")).fill(login)
            page.get_by_role("textbox", name=wording("signIn:password")).fill(WORDS)
            page.get_by_role("button", name=wording("signIn:enter"), exact=True).click()
            expect(page.locator("main h1")).to_be_visible()
            expect(page).not_to_have_url("/sign-in")
            yield watched
            # Nothing against the policy, no third party, no error in a script: whatever the story was.
            assert not watched.wrong, watched.wrong

    return enter
