"""The package mirror: one for all machines, asking upstream only for what a machine asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
from aiohttp import web

from atoll.errors import Unavailable
from atoll.gateway.mirror.advisories import Advisories
from atoll.gateway.mirror.archives import CRAN, DEBIAN, ArchiveMirror
from atoll.gateway.mirror.cache import FileCache
from atoll.gateway.mirror.cran import CranIndex, CranMirror
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.npm import NpmMirror
from atoll.gateway.mirror.pypi import PypiMirror
from atoll.gateway.mirror.sending import Taker
from atoll.gateway.mirror.upstream import Packages, Upstream
from atoll.gateway.mirror.upstreams import Upstreams
from atoll.ports.clock import Clock

_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15, sock_read=60)
_CONNECTIONS = 32


@dataclass(frozen=True)
class MirrorRules:
    """What operators set for the mirror.

    Attributes:
        urls: upstream by ecosystem (`pypi`, `npm`, `cran`, `debian`), what is missing is discovered.
        allow, block, min_age_days, advisories: see `Holds` and `Advisories`.
        indexes: whether lists of all packages (CRAN, Debian) are passed on.
        fresh_seconds: how long upstream's word of a package is used before it is asked again.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    discover: bool = True
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    min_age_days: float = 0
    advisories: Path | None = None
    indexes: bool = False
    cache_max_bytes: int = 20 * 2**30
    file_max_bytes: int = 4 * 2**30
    fresh_seconds: float = 600


class _Ecosystem(Protocol):
    async def handle(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        """Answer what follows the ecosystem's name."""
        ...


class Mirror:
    """Answers below `/pypi`, `/npm`, `/cran` and `/debian`.

    Args:
        directory: of the cache.
    """

    def __init__(self, directory: Path, clock: Clock, rules: MirrorRules) -> None:
        self._rules = rules
        self._cache = FileCache(directory, max_bytes=rules.cache_max_bytes, max_file_bytes=rules.file_max_bytes)
        self._upstreams = Upstreams(rules.urls, discover=rules.discover)
        self._holds = Holds(
            clock,
            allow=rules.allow,
            block=rules.block,
            min_age_days=rules.min_age_days,
            advisories=Advisories(rules.advisories),
        )
        self._session: aiohttp.ClientSession | None = None
        self._ecosystems: dict[str, _Ecosystem] = {}

    async def start(self) -> None:
        """Open the connection to upstream; nothing is asked yet."""
        # Proxies and certificates are the host's own.
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
        )
        upstream = Upstream(self._session)
        packages = Packages(fresh_seconds=self._rules.fresh_seconds)
        shared = (upstream, self._upstreams)
        cran = CranIndex(*shared, packages, self._holds)
        self._ecosystems = {
            "pypi": PypiMirror(*shared, packages, self._cache, self._holds),
            "npm": NpmMirror(*shared, packages, self._cache, self._holds),
            "cran": CranMirror(
                cran,
                ArchiveMirror(
                    CRAN,
                    *shared,
                    self._cache,
                    self._holds,
                    indexes=self._rules.indexes,
                    published_at=cran.published_at,
                ),
            ),
            "debian": ArchiveMirror(DEBIAN, *shared, self._cache, self._holds, indexes=self._rules.indexes),
        }

    async def stop(self) -> None:
        """Break off what is being fetched."""
        await self._cache.close()
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._ecosystems = {}

    async def handle(self, request: web.Request, ecosystem: str, path: str, taker: Taker) -> web.StreamResponse:
        """Answer a request. Raises domain errors."""
        found = self._ecosystems.get(ecosystem)
        if found is None:
            raise Unavailable("The package mirror is not running.")
        return await found.handle(request, path, taker)
