"""PyPI's simple index: reading upstream's page of one project, writing our own.

PEP 503 (HTML), 691 (JSON), 700 (size, upload time), 592 (yanked), 658/714 (metadata files).
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion

from atoll.errors import Unavailable
from atoll.gateway.mirror.release import Digest, Package, Release, time_of
from atoll.gateway.mirror.upstream import Page

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"

_SHA256_DIGITS = 64


def read_page(name: str, page: Page) -> Package:
    """The files of a project that have a version and a SHA-256; others are left out."""
    try:
        files = json.loads(page.text)["files"] if "json" in page.content_type else _anchors(page.text)
        releases = [_release(file, page.url) for file in files]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable("Upstream's page of the project cannot be read.", where=f"pypi/{name}") from None
    return Package(name, tuple(release for release in releases if release is not None))


def json_page(name: str, releases: Iterable[Release]) -> str:
    """The page by PEP 691. Addresses are relative to `/pypi/simple/<name>/`."""
    kept = tuple(releases)
    files = [
        {
            "filename": release.file,
            "url": _own_url(name, release),
            "hashes": {"sha256": release.digest.value},
            **{key: value for key, value in release.facts.items() if value is not None},
            **({"upload-time": release.published_at.isoformat()} if release.published_at else {}),
        }
        for release in kept
    ]
    versions = list(dict.fromkeys(release.version for release in kept))
    return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files})


def html_page(name: str, releases: Iterable[Release]) -> str:
    """The page by PEP 503."""
    lines = [f"<!DOCTYPE html><html><head><title>{html.escape(name)}</title></head><body>"]
    for release in releases:
        attributes = ""
        if python := release.facts.get("requires-python"):
            attributes += f' data-requires-python="{html.escape(python)}"'
        if yanked := release.facts.get("yanked"):
            attributes += f' data-yanked="{html.escape(yanked if isinstance(yanked, str) else "")}"'
        if metadata := release.facts.get("core-metadata"):
            attributes += f' data-core-metadata="sha256={metadata["sha256"]}"'
        address = html.escape(f"{_own_url(name, release)}#sha256={release.digest.value}")
        lines.append(f'<a href="{address}"{attributes}>{html.escape(release.file)}</a><br>')
    return "\n".join([*lines, "</body></html>"])


def _own_url(name: str, release: Release) -> str:
    return f"../../files/{name}/{release.digest.value}/{quote(release.file)}"


def _release(file: Mapping[str, Any], base: str) -> Release | None:
    name = file["filename"]
    version = _version(name)
    sha256 = file["hashes"].get("sha256", "").lower()
    url = urldefrag(urljoin(base, file["url"])).url
    if version is None or not _is_sha256(sha256) or "/" in name or not url.startswith(("http://", "https://")):
        return None
    metadata = file.get("core-metadata", file.get("dist-info-metadata"))
    promised = metadata.get("sha256", "").lower() if isinstance(metadata, dict) else ""
    facts = {
        "requires-python": file.get("requires-python"),
        "yanked": file.get("yanked"),
        "size": file.get("size"),
        # Metadata that no hash vouches for is not offered: pip then reads the file itself.
        "core-metadata": {"sha256": promised} if _is_sha256(promised) else None,
    }
    return Release(version, name, url, Digest("sha256", sha256), time_of(file.get("upload-time")), facts)


def _is_sha256(text: str) -> bool:
    return len(text) == _SHA256_DIGITS and all(digit in "0123456789abcdef" for digit in text)


def _version(file: str) -> str | None:
    try:
        if file.endswith(".whl"):
            return str(parse_wheel_filename(file)[1])
        if file.endswith((".tar.gz", ".zip")):
            return str(parse_sdist_filename(file)[1])
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        pass
    return None


class _Anchors(HTMLParser):
    """Collects the anchors of a page as PEP 691 would tell them."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An anchor is a file."""
        given = dict(attrs)
        address = given.get("href")
        if tag != "a" or not address:
            return
        url, fragment = urldefrag(address)
        metadata = given.get("data-core-metadata", given.get("data-dist-info-metadata")) or ""
        self.files.append(
            {
                "filename": "",
                "url": url,
                "hashes": _hash(fragment),
                "requires-python": given.get("data-requires-python"),
                "yanked": (given["data-yanked"] or True) if "data-yanked" in given else None,
                "core-metadata": _hash(metadata),
            }
        )

    def handle_data(self, data: str) -> None:
        """An anchor's text is the file's name."""
        if self.files and not self.files[-1]["filename"]:
            self.files[-1]["filename"] = data.strip()


def _hash(text: str) -> dict[str, str]:
    algorithm, equals, value = text.partition("=")
    return {algorithm: value} if equals else {}


def _anchors(text: bytes) -> list[dict[str, Any]]:
    parser = _Anchors()
    parser.feed(text.decode("utf-8", "replace"))
    return parser.files
