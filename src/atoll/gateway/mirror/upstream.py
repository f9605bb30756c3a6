"""Asking upstream, within limits; its faults are told in our words and without its address."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from atoll.errors import LimitExceeded, NotFound, Unavailable
from atoll.gateway.mirror.release import Package

#: An index page of one package. npm's largest are some 30 MB.
_PAGE_MAX_BYTES = 2**26
_PAGES_MAX = 512
_GONE = {404, 410, 451}


@dataclass(frozen=True)
class Page:
    """An answer of upstream, read whole. `url` is where it was found in the end."""

    url: str
    content_type: str
    text: bytes


class Upstream:
    """Speaks to upstream. Nothing of the machine is passed on: no header, no name but the package's."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @asynccontextmanager
    async def open(self, url: str, *, accept: str = "*/*", raw: bool = True) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer to read from. Raises `NotFound`, `Unavailable`."""
        headers = {"Accept": accept, "User-Agent": "atoll-mirror"}
        if raw:
            headers["Accept-Encoding"] = "identity"
        try:
            async with self._session.get(url, headers=headers, max_redirects=5) as answer:
                if answer.status in _GONE:
                    raise NotFound("Upstream has no such package or file.")
                if answer.status != 200:
                    raise Unavailable(f"Upstream answers with {answer.status}.", todo="Try again later.")
                yield answer
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("Upstream does not answer.", todo="Try again later.") from None

    async def page(self, url: str, accept: str) -> Page:
        """An answer, whole. Raises `LimitExceeded` beside what `open` raises."""
        async with self.open(url, accept=accept, raw=False) as answer:
            text = bytearray()
            async for chunk in answer.content.iter_any():
                text += chunk
                if len(text) > _PAGE_MAX_BYTES:
                    raise LimitExceeded("Upstream's index page is larger than the mirror reads.")
            return Page(str(answer.url), answer.content_type, bytes(text))


class Packages:
    """What upstream last said of packages, asked again after a while; an old word is used while upstream is away."""

    def __init__(self, *, fresh_seconds: float = 600, stale_seconds: float = 86_400) -> None:
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._known: OrderedDict[tuple[str, str], tuple[float, Package]] = OrderedDict()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def get(self, ecosystem: str, name: str, ask: Callable[[], Awaitable[Package]]) -> Package:
        """The package; several who want it at once ask upstream once. Raises what `ask` raises."""
        key = (ecosystem, name)
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return await self._get(key, ask)
        finally:
            if not lock.locked() and self._locks.get(key) is lock:
                del self._locks[key]

    async def _get(self, key: tuple[str, str], ask: Callable[[], Awaitable[Package]]) -> Package:
        at, package = self._known.get(key, (float("-inf"), None))
        age = time.monotonic() - at
        if package is not None and age < self._fresh_seconds:
            self._known.move_to_end(key)
            return package
        try:
            package = await ask()
        except Unavailable:
            if package is None or age > self._stale_seconds:
                raise
            return package
        self._known[key] = (time.monotonic(), package)
        while len(self._known) > _PAGES_MAX:
            self._known.popitem(last=False)
        return package
