"""The mirrors of CRAN and Debian: archives of files, passed on file by file.

What a package needs stands there in one index of all of them. The mirror asks for no
such list unless the operators say so (`indexes`); without it single files are taken by
their name. For R see `cran`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import aiohttp
from aiohttp import web

from atoll.errors import NotFound, NotPermitted
from atoll.gateway.answers import streaming
from atoll.gateway.mirror.cache import FileCache
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.names import checked_name
from atoll.gateway.mirror.sending import Taker, send
from atoll.gateway.mirror.upstream import Upstream
from atoll.gateway.mirror.upstreams import Upstreams

PublishedAt = Callable[[str, str], Awaitable[datetime | None]]


@dataclass(frozen=True)
class Archive:
    """Where things stand in an archive.

    Attributes:
        file: path of a package's file, with groups `name` and `version`.
        older: where a file moves to when a newer one takes its place, or None.
        index: paths of lists of all packages.
    """

    ecosystem: str
    file: re.Pattern[str]
    older: str | None
    index: re.Pattern[str]


CRAN = Archive(
    "cran",
    re.compile(r"src/contrib/(?:Archive/[A-Za-z0-9.]+/)?(?P<name>[A-Za-z0-9.]+)_(?P<version>[0-9.-]+)\.tar\.gz"),
    "src/contrib/Archive/{name}/{file}",
    re.compile(r"src/contrib/PACKAGES(?:\.gz|\.rds)?"),
)
DEBIAN = Archive(
    "debian",
    re.compile(
        r"pool/[a-z-]+/[a-z0-9]+/[a-z0-9][a-z0-9+.-]+/(?P<name>[a-z0-9][a-z0-9+.-]+)"
        r"_(?P<version>[A-Za-z0-9.+~%-]+)_[a-z0-9]+\.deb"
    ),
    None,
    re.compile(
        r"dists/[a-z0-9/-]+/(?:InRelease|Release|Release\.gpg"
        r"|[a-z-]+/(?:binary-[a-z0-9]+|i18n)/(?:by-hash/[A-Za-z0-9]+/[0-9a-f]+|[A-Za-z_]+(?:\.[a-z0-9]+)?))"
    ),
)


class ArchiveMirror:
    """Answers R's `install.packages` and apt.

    Args:
        indexes: whether lists of all packages are passed on, always fresh from upstream.
        published_at: when a version came into the archive, by name and version; None where nobody tells.
    """

    def __init__(
        self,
        archive: Archive,
        upstream: Upstream,
        upstreams: Upstreams,
        cache: FileCache,
        holds: Holds,
        *,
        indexes: bool,
        published_at: PublishedAt | None = None,
    ) -> None:
        self._archive = archive
        self._upstream = upstream
        self._upstreams = upstreams
        self._cache = cache
        self._holds = holds
        self._indexes = indexes
        self._published_at = published_at

    async def handle(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        """Answer `path`, which is what follows `/cran/` or `/debian/`. Raises domain errors."""
        match = self._archive.file.fullmatch(path)
        if match is not None:
            return await self._file(request, path, match["name"], match["version"], taker)
        if self._archive.index.fullmatch(path):
            return await self._index(request, path, taker)
        raise NotFound("The mirror takes files of packages only.", where=request.path[:200])

    async def _file(
        self, request: web.Request, path: str, asked: str, version: str, taker: Taker
    ) -> web.StreamResponse:
        ecosystem = self._archive.ecosystem
        name = checked_name(ecosystem, asked)
        self._holds.check_name(ecosystem, name)
        published_at = None
        if self._holds.asks_for_age and self._published_at is not None:
            published_at = await self._published_at(name, version)
        self._holds.check(ecosystem, name, version, published_at)
        url = await self._upstreams.url(ecosystem)
        file = path.rpartition("/")[2]
        urls = [f"{url}/{path}"]
        if self._archive.older is not None:
            urls.append(f"{url}/{self._archive.older.format(name=name, file=file)}")
        # A name stands for one content in both archives, for ever.
        key = f"{ecosystem}-{hashlib.sha256(file.encode()).hexdigest()}"
        cached = self._cache.find(key, partial(self._first, urls), None)
        return await send(request, cached, taker, taker.of(ecosystem, name, version, file, verified=False))

    async def _index(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        ecosystem = self._archive.ecosystem
        if not self._indexes:
            raise NotPermitted(
                f"The mirror fetches no list of all packages of {ecosystem}.",
                where=request.path[:200],
                todo="Name the package's file, or ask the operators for ATOLL_MIRROR_INDEXES.",
            )
        download = taker.of(ecosystem, "", "", path.rpartition("/")[2], verified=False)
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        url = f"{await self._upstreams.url(ecosystem)}/{path}"
        async with self._upstream.open(url) as answer, streaming(request, response):
            sha256, size, last = hashlib.sha256(), 0, b""
            async for chunk in answer.content.iter_any():
                await response.write(last)
                sha256.update(chunk)
                size += len(chunk)
                last = chunk
            done = download.but(sha256=sha256.hexdigest(), bytes=size)
            await asyncio.to_thread(taker.record, done)
            await response.write(last)
        return response

    @asynccontextmanager
    async def _first(self, urls: list[str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The first of the addresses where there is something. Raises what the last one raises."""
        async with AsyncExitStack() as stack:
            for url in urls[:-1]:
                try:
                    answer = await stack.enter_async_context(self._upstream.open(url))
                except NotFound:
                    continue
                yield answer
                return
            yield await stack.enter_async_context(self._upstream.open(urls[-1]))
