"""Files of packages, fetched once, verified, kept by their hash."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from atoll.errors import AtollError, IntegrityBroken, LimitExceeded, Unavailable
from atoll.gateway.mirror.release import Digest

_log = logging.getLogger("atoll.gateway")

_CHUNK_BYTES = 2**18
#: Of a file that is not verified yet this much is kept back, so that no reader has it whole.
_KEPT_BACK_BYTES = 2**16

#: A part that nobody has written to for so long is nobody's.
_ORPHAN_SECONDS = 3600

Opening = Callable[[], AbstractAsyncContextManager[aiohttp.ClientResponse]]
Approve = Callable[["Kept"], Awaitable[None]]


@dataclass(frozen=True)
class Kept:
    """A file that is whole and right."""

    sha256: str
    bytes: int


class CachedFile:
    """A file that is in the cache or on its way there. Several may read it while it comes."""

    def __init__(self, path: Path, kept: Kept | None = None) -> None:
        self.path = path
        self.from_cache = kept is not None
        self._kept = kept
        self._written = kept.bytes if kept else 0
        self._failure: AtollError | None = None
        self._changed = asyncio.Condition()

    async def begun(self) -> None:
        """Returns when there is something to read. Raises why there never will be."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._kept or self._failure or self._written > _KEPT_BACK_BYTES)
        if self._failure is not None:
            raise self._failure

    @property
    def kept(self) -> Kept | None:
        """What is known of it once it is whole and right."""
        return self._kept

    async def chunks(self, approve: Approve) -> AsyncIterator[bytes]:
        """Its bytes; the last ones only when it is whole and right and `approve` has returned."""
        approved = False
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            offset = 0
            while self._kept is None or offset < self._kept.bytes:
                if self._failure is not None:
                    raise self._failure
                if self._kept is not None and not approved:
                    await approve(self._kept)
                    approved = True
                ready = self._kept.bytes if self._kept else self._written - _KEPT_BACK_BYTES
                if offset < ready:
                    chunk = os.pread(descriptor, min(_CHUNK_BYTES, ready - offset), offset)
                    offset += len(chunk)
                    yield chunk
                    continue
                async with self._changed:
                    seen = self._written
                    await self._changed.wait_for(
                        lambda seen=seen: self._kept or self._failure or self._written > seen  # type: ignore[misc]
                    )
        finally:
            os.close(descriptor)

    async def tell(self, *, written: int = 0, kept: Kept | None = None, failure: AtollError | None = None) -> None:
        """What the fetching task has to say."""
        async with self._changed:
            self._written = max(self._written, written)
            self._kept = kept
            self._failure = failure
            self._changed.notify_all()


class FileCache:
    """A directory of files by key, each with a small file of what is known of it.

    Args:
        directory: made 0700.
        max_bytes: when more is kept, the files that were longest not asked for go.
        max_file_bytes: a larger file is refused.
    """

    def __init__(self, directory: Path, *, max_bytes: int, max_file_bytes: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes
        self._coming: dict[str, CachedFile] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        for part in directory.glob("*.part"):
            if time.time() - part.stat().st_mtime > _ORPHAN_SECONDS:
                part.unlink(missing_ok=True)  # of a process that died

    def find(self, key: str, opening: Opening, digest: Digest | None) -> CachedFile:
        """The file of that key; if it is not here it is fetched from `opening` and checked against `digest`."""
        coming = self._coming.get(key)
        if coming is not None:
            return coming
        path = self._directory / key
        kept = _known(path)
        if kept is not None:
            return CachedFile(path, kept)
        part = self._directory / f"{key}.{secrets.token_hex(4)}.part"
        part.touch(mode=0o600)
        file = self._coming[key] = CachedFile(part)
        task = asyncio.get_running_loop().create_task(self._fetch(key, file, opening, digest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return file

    async def close(self) -> None:
        """Ends what is being fetched."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fetch(self, key: str, file: CachedFile, opening: Opening, digest: Digest | None) -> None:
        """Goes on when its readers hang up: the next one will want the file, too."""
        part = file.path
        try:
            kept = await self._receive(part, file, opening, digest)
            target = self._directory / key
            _write(target.with_name(f"{key}.json"), json.dumps({"sha256": kept.sha256, "bytes": kept.bytes}))
            part.replace(target)
            file.path = target
            await file.tell(written=kept.bytes, kept=kept)
            await asyncio.to_thread(self._trim, keep=key)
        except AtollError as error:
            await file.tell(failure=error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("A package file could not be fetched: %s", type(error).__name__)
            await file.tell(failure=Unavailable("The package file could not be fetched from upstream.", where=key))
        except asyncio.CancelledError:
            await file.tell(failure=Unavailable("The package mirror is being stopped."))
            raise
        finally:
            self._coming.pop(key, None)
            part.unlink(missing_ok=True)

    async def _receive(self, part: Path, file: CachedFile, opening: Opening, digest: Digest | None) -> Kept:
        sha256 = hashlib.sha256()
        promised = hashlib.new(digest.algorithm) if digest else None
        written = 0
        async with opening() as answer:
            with part.open("r+b", buffering=0) as output:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    written += len(chunk)
                    if written > self._max_file_bytes:
                        raise LimitExceeded("The package file is larger than the mirror takes.", where=part.name)
                    output.write(chunk)
                    sha256.update(chunk)
                    if promised:
                        promised.update(chunk)
                    await file.tell(written=written)
                await asyncio.to_thread(os.fsync, output.fileno())
        if digest and promised and promised.hexdigest() != digest.value:
            raise IntegrityBroken(
                f"Upstream sent a file whose {digest.algorithm} is not the one its index promised; it was thrown away.",
                todo="Tell the operators of the package mirror.",
            )
        return Kept(sha256.hexdigest(), written)

    def _trim(self, keep: str) -> None:
        known = [path for path in self._directory.glob("*.json") if path.with_suffix("").name != keep]
        found = []
        for path in known:
            try:
                status = path.with_suffix("").stat()
            except FileNotFoundError:
                continue
            found.append((path.stat().st_mtime_ns, status.st_size, path))
        total = (self._directory / keep).stat().st_size + sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            path.with_suffix("").unlink(missing_ok=True)
            total -= size


def _known(path: Path) -> Kept | None:
    """What is known of a kept file; None when it is not here or not as it was kept."""
    facts = path.with_name(f"{path.name}.json")
    try:
        kept = Kept(**json.loads(facts.read_text()))
        if path.stat().st_size != kept.bytes:
            return None
        os.utime(facts)  # it was asked for
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return kept


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
