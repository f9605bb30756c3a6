"""What the build made: small at first load, split by page, and with the policy that the API sends."""

from __future__ import annotations

import gzip
import html as markup
import json
import re

from atoll.api.web import BUILT, POLICY

FIRST_LOAD_BYTES = 250_000


def test_first_load_is_small():
    manifest = json.loads((BUILT / ".vite" / "manifest.json").read_text())
    wanted, seen = ["index.html"], set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += manifest[name].get("imports", [])
    files = {manifest[name]["file"] for name in seen}
    size = sum(len(gzip.compress((BUILT / file).read_bytes())) for file in files)
    assert size < FIRST_LOAD_BYTES, sorted(files)


def test_each_page_is_a_file_of_its_own():
    manifest = json.loads((BUILT / ".vite" / "manifest.json").read_text())
    pages = [name for name in manifest if re.match(r"src/pages/.*Page\.tsx$", name)]
    assert len(pages) >= 3
    assert all(manifest[name].get("isDynamicEntry") for name in pages)


def test_the_page_has_the_policy_of_the_api():
    html = (BUILT / "index.html").read_text()
    told = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert told is not None
    headed = {part.strip() for part in POLICY.split(";")} - {"frame-ancestors 'none'"}
    assert {part.strip() for part in markup.unescape(told[1]).split(";")} == headed


def test_nothing_runs_or_is_styled_in_the_page_itself():
    html = (BUILT / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', html) == []
