"""The mirror of PyPI: `/pypi/simple/<name>/` and `/pypi/files/<name>/<sha256>/<file>[.metadata]`."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from atoll.errors import NotFound, NotPermitted
from atoll.gateway.mirror.cache import FileCache
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.names import checked_name
from atoll.gateway.mirror.pypi_page import ACCEPT, HTML, JSON, html_page, json_page, read_page
from atoll.gateway.mirror.release import Digest, Package
from atoll.gateway.mirror.sending import Taker, send
from atoll.gateway.mirror.upstream import Packages, Upstream
from atoll.gateway.mirror.upstreams import Upstreams

_METADATA = ".metadata"


class PypiMirror:
    """Answers pip and uv."""

    def __init__(
        self, upstream: Upstream, upstreams: Upstreams, packages: Packages, cache: FileCache, holds: Holds
    ) -> None:
        self._upstream = upstream
        self._upstreams = upstreams
        self._packages = packages
        self._cache = cache
        self._holds = holds

    async def handle(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        """Answer `path`, which is what follows `/pypi/`. Raises domain errors."""
        parts = path.strip("/").split("/")
        if parts == ["simple"]:
            raise NotPermitted("The mirror asks for packages by name; it has no list of all of them.", where="pypi")
        if len(parts) == 2 and parts[0] == "simple":
            return await self._page(request, parts[1])
        if len(parts) == 4 and parts[0] == "files":
            return await self._file(request, parts[1], parts[2], parts[3], taker)
        raise NotFound("The mirror of PyPI has no such page.", where=request.path[:200])

    async def _page(self, request: web.Request, asked: str) -> web.Response:
        package = await self._package(asked)
        through = self._holds.let_through("pypi", package)
        held = len({r.version for r in package.releases} - {r.version for r in through})
        headers = {"Vary": "Accept", "Cache-Control": "max-age=60", "X-Atoll-Held-Versions": str(held)}
        if JSON in request.headers.get("Accept", ""):
            body, kind = json_page(package.name, through), JSON
        else:
            body = html_page(package.name, through)
            kind = HTML if HTML in request.headers.get("Accept", "") else "text/html"
        return web.Response(body=body.encode(), headers={**headers, "Content-Type": kind})

    async def _file(self, request: web.Request, asked: str, sha256: str, file: str, taker: Taker) -> web.StreamResponse:
        package = await self._package(asked)
        wanted = file.removesuffix(_METADATA)
        release = next((r for r in package.releases if r.digest.value == sha256 and r.file == wanted), None)
        if release is None:
            raise NotFound("The package has no such file.", where=f"pypi/{package.name}/{file[:200]}")
        self._holds.check("pypi", package.name, release.version, release.published_at)
        digest, url = release.digest, release.url
        if file != wanted:
            metadata = release.facts.get("core-metadata")
            if metadata is None:
                raise NotFound("The file has no metadata beside it.", where=f"pypi/{package.name}/{file[:200]}")
            digest, url = Digest("sha256", metadata["sha256"]), url + _METADATA
        cached = self._cache.find(digest.key, partial(self._upstream.open, url), digest)
        return await send(request, cached, taker, taker.of("pypi", package.name, release.version, file, verified=True))

    async def _package(self, asked: str) -> Package:
        name = checked_name("pypi", asked)
        self._holds.check_name("pypi", name)

        async def ask() -> Package:
            url = f"{await self._upstreams.url('pypi')}/{name}/"
            return await asyncio.to_thread(read_page, name, await self._upstream.page(url, ACCEPT))

        return await self._packages.get("pypi", name, ask)
