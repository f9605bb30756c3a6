"""Sending a cached file into a machine, on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from atoll.gateway.answers import streaming
from atoll.gateway.mirror.cache import CachedFile, Kept
from atoll.model.package import PackageDownload


@dataclass(frozen=True)
class Taker:
    """Who takes a file: the machine, its project and person."""

    workspace: str
    project: str
    login: str
    record: Callable[[PackageDownload], None]

    def of(self, ecosystem: str, package: str, version: str, file: str, *, verified: bool) -> PackageDownload:
        """A download, before its hash and size are known."""
        return PackageDownload(
            workspace=self.workspace,
            project=self.project,
            login=self.login,
            ecosystem=ecosystem,
            package=package,
            version=version,
            file=file,
            sha256="",
            bytes=0,
            verified=verified,
            from_cache=False,
        )


async def send(request: web.Request, file: CachedFile, taker: Taker, download: PackageDownload) -> web.StreamResponse:
    """The file, streamed while it comes from upstream; its last bytes follow when it is verified and on record."""
    await file.begun()
    recorded = False

    async def record(kept: Kept) -> None:
        nonlocal recorded
        if not recorded:
            done = download.but(sha256=kept.sha256, bytes=kept.bytes, from_cache=file.from_cache)
            await asyncio.to_thread(taker.record, done)
            recorded = True

    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    if file.kept is not None:
        await record(file.kept)
        response.content_length = file.kept.bytes
    async with streaming(request, response):
        async for chunk in file.chunks(record):
            await response.write(chunk)
    return response
