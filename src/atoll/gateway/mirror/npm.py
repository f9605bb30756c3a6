"""The mirror of npm: `/npm/<name>` and `/npm/<name>/-/<file>.tgz`."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from aiohttp import web

from atoll.errors import NotFound, NotPermitted, Unavailable
from atoll.gateway.mirror.cache import FileCache
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.names import checked_name
from atoll.gateway.mirror.release import Digest, Package, Release, time_of
from atoll.gateway.mirror.sending import Taker, send
from atoll.gateway.mirror.upstream import Packages, Page, Upstream
from atoll.gateway.mirror.upstreams import Upstreams
from atoll.gateway.mirror.versions import is_prerelease, order

_PATH = re.compile(r"(?P<name>(?:@[^/]+/)?[^/@]+)(?:/-/(?P<file>[A-Za-z0-9._~+-]+\.tgz))?")
_SRI = re.compile(r"(sha512|sha384|sha256)-([A-Za-z0-9+/=]+)")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,100}(?::\d{1,5})?")
#: What npm needs of a version to install it; readmes and the like stay out.
_KEPT = frozenset(
    {"name", "version", "deprecated", "bin", "directories", "engines", "cpu", "os", "libc", "funding"}
    | {"dependencies", "optionalDependencies", "devDependencies", "bundleDependencies", "bundledDependencies"}
    | {"peerDependencies", "peerDependenciesMeta", "acceptDependencies", "hasInstallScript", "_hasShrinkwrap"}
)


class NpmMirror:
    """Answers npm."""

    def __init__(
        self, upstream: Upstream, upstreams: Upstreams, packages: Packages, cache: FileCache, holds: Holds
    ) -> None:
        self._upstream = upstream
        self._upstreams = upstreams
        self._packages = packages
        self._cache = cache
        self._holds = holds

    async def handle(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        """Answer `path`, which is what follows `/npm/`. Raises domain errors."""
        match = _PATH.fullmatch(path)
        if match is None or path.startswith("-"):
            raise NotPermitted(
                "The mirror asks npm for packages by name; it neither searches nor publishes.", where=request.path[:200]
            )
        package = await self._package(match["name"])
        if match["file"] is None:
            return self._page(request, package)
        release = next((r for r in package.releases if r.file == match["file"]), None)
        if release is None:
            raise NotFound("The package has no such file.", where=f"npm/{package.name}/{match['file']}")
        self._holds.check("npm", package.name, release.version, release.published_at)
        cached = self._cache.find(release.digest.key, partial(self._upstream.open, release.url), release.digest)
        return await send(
            request, cached, taker, taker.of("npm", package.name, release.version, release.file, verified=True)
        )

    def _page(self, request: web.Request, package: Package) -> web.Response:
        through = self._holds.let_through("npm", package)
        if _HOST.fullmatch(request.host) is None:
            raise NotFound("The mirror is not reached by such a name.")
        base = f"http://{request.host}/npm/{package.name}/-/"
        versions = {
            release.version: {
                **release.facts["manifest"],
                "dist": {**release.facts["dist"], "tarball": base + quote(release.file)},
            }
            for release in through
        }
        times = {release.version: release.published_at.isoformat() for release in through if release.published_at}
        body = {"name": package.name, "dist-tags": _tags(package, tuple(versions)), "versions": versions, "time": times}
        return web.json_response(body, headers={"Cache-Control": "max-age=60"})

    async def _package(self, asked: str) -> Package:
        name = checked_name("npm", asked)
        self._holds.check_name("npm", name)

        async def ask() -> Package:
            url = f"{await self._upstreams.url('npm')}/{quote(name, safe='@')}"
            return await asyncio.to_thread(_read, name, await self._upstream.page(url, "application/json"))

        return await self._packages.get("npm", name, ask)


def _read(name: str, page: Page) -> Package:
    """The versions whose file a strong hash vouches for; others are left out."""
    try:
        body = json.loads(page.text)
        times = body.get("time", {})
        found = [_release(version, facts, times, page.url) for version, facts in body["versions"].items()]
        tags = {str(tag): str(version) for tag, version in body.get("dist-tags", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable("Upstream's page of the package cannot be read.", where=f"npm/{name}") from None
    return Package(name, tuple(release for release in found if release is not None), tags)


def _release(version: str, facts: Mapping[str, Any], times: Mapping[str, str], base: str) -> Release | None:
    dist = facts["dist"]
    digest = _digest(dist.get("integrity") or "")
    url = urljoin(base, dist["tarball"])
    file = urlsplit(url).path.rpartition("/")[2]
    if digest is None or not url.startswith(("http://", "https://")) or not file.endswith(".tgz"):
        return None
    kept = {key: value for key, value in facts.items() if key in _KEPT}
    passed = {key: dist[key] for key in ("integrity", "shasum", "fileCount", "unpackedSize") if key in dist}
    return Release(version, file, url, digest, time_of(times.get(version)), {"manifest": kept, "dist": passed})


def _digest(integrity: str) -> Digest | None:
    """The strongest hash of a Subresource Integrity text."""
    found = sorted(_SRI.findall(integrity), reverse=True)
    try:
        return next((Digest(name, base64.b64decode(value, validate=True).hex()) for name, value in found), None)
    except binascii.Error:
        return None


def _tags(package: Package, through: tuple[str, ...]) -> dict[str, str]:
    """Tags of what is let through; `latest` goes back to the newest that is, previews only if nothing else is."""
    tags = {tag: version for tag, version in package.tags.items() if version in through}
    ordered = [version for version in through if order("npm", version) is not None]
    if "latest" not in tags and ordered:
        ready = [version for version in ordered if not is_prerelease(version)] or ordered
        tags["latest"] = max(ready, key=lambda version: order("npm", version))
    return tags
