"""A machine's memory on its way to a file and back, by QEMU's migration."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from qemu.qmp import QMPClient

from atoll.providers.vm.sealing import Broken, opened, seal

#: As fast as the disk takes it.
_BANDWIDTH = 2**40
_LOOK_SECONDS = 0.02
_SECONDS = 300.0


class Damaged(Exception):
    """A memory cannot be loaded; the text says why."""


async def save(qmp: QMPClient, place: Path, key: bytes | None, context: str, about: dict[str, Any]) -> dict[str, Any]:
    """Stop the machine and write its memory as `<place>/memory`, sealed and compressed when there is a key.

    `state.json` beside it, with `about`, the figures and the file's SHA-256, comes last:
    without it there is no state. When it fails the machine runs on, nothing is left and
    `OSError` is raised.
    """
    draft = place / "memory.part"
    began = time.monotonic()
    try:
        await qmp.execute("migrate-set-parameters", {"max-bandwidth": _BANDWIDTH})
        await qmp.execute("stop")
        with draft.open("wb") as file:
            figures = await _write(qmp, file, key, context)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        digest = await asyncio.to_thread(_digest, draft)
        draft.rename(place / "memory")
        told = {**about, **figures, "sha256": digest, "seconds": round(time.monotonic() - began, 3)}
        note = place / "state.json.part"
        with note.open("w") as written:
            json.dump(told, written)
            written.flush()
            os.fsync(written.fileno())
        note.rename(place / "state.json")
        _sync(place)
    except BaseException:
        for name in ("memory.part", "state.json.part", "state.json", "memory"):
            with contextlib.suppress(OSError):
                (place / name).unlink(missing_ok=True)
        with contextlib.suppress(Exception):
            await qmp.execute("migrate_cancel")
            await _until(qmp, ("cancelled", "failed", "completed", "none"))
        with contextlib.suppress(Exception):
            await qmp.execute("cont")
        raise
    return figures


async def _write(qmp: QMPClient, file: IO[bytes], key: bytes | None, context: str) -> dict[str, int]:
    if key is None:
        await _give(qmp, file.fileno())
        await qmp.execute("migrate", {"uri": "fd:memory"})
        await _until(qmp, ("completed",))
        size = os.fstat(file.fileno()).st_size
        return {"raw_bytes": size, "bytes": size}
    out, into = os.pipe()
    packing = subprocess.Popen(["/usr/bin/zstd", "-1", "-T0", "-q", "-c"], stdin=out, stdout=subprocess.PIPE)
    os.close(out)
    packed = _pipe(packing.stdout)
    sealing = Beside(lambda: seal(packed, file, key, context.encode()))
    try:
        await _give(qmp, into)
        os.close(into)
        into = -1
        await qmp.execute("migrate", {"uri": "fd:memory"})
        await _until(qmp, ("completed",), sealing)
        _, written = await sealing.result()
        if packing.wait() != 0:
            raise OSError(5, "the memory could not be compressed")
        status: Any = await qmp.execute("query-migrate")
        return {"raw_bytes": int(status["ram"]["transferred"]), "bytes": written}
    finally:
        if into >= 0:
            os.close(into)
        packing.kill()
        packing.wait()


async def load(qmp: QMPClient, path: Path, key: bytes | None, context: str) -> None:
    """Load a memory into a machine that waits for one. Raises `Damaged`; nothing has run then.

    A sealed one is read twice: checked from the first byte to the last, then loaded.
    """
    if key is None:
        with path.open("rb") as file:
            await _give(qmp, file.fileno())
            await qmp.execute("migrate-incoming", {"uri": "fd:memory"})
            await _loaded(qmp)
        return
    try:
        await asyncio.to_thread(_check, path, key, context.encode())
    except (OSError, Broken, ValueError, KeyError) as error:
        raise Damaged(_why(error)) from None
    unpacking = subprocess.Popen(["/usr/bin/zstd", "-d", "-q", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with _pipe(unpacking.stdout) as unpacked:
            await _give(qmp, unpacked.fileno())
        packed = _pipe(unpacking.stdin)
        opening = Beside(lambda: _pour(path, key, context.encode(), packed))
        await qmp.execute("migrate-incoming", {"uri": "fd:memory"})
        await _loaded(qmp)
        await opening.result()
    except (OSError, Broken) as error:
        raise Damaged(_why(error)) from None
    finally:
        unpacking.kill()
        unpacking.wait()


def _why(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    return error.strerror or "it cannot be read" if isinstance(error, OSError) else str(error)


def _check(path: Path, key: bytes, context: bytes) -> None:
    """Raises `Broken` or `OSError` unless the file is what was written."""
    about = json.loads((path.parent / "state.json").read_text())
    if path.stat().st_size != about["bytes"]:
        raise Broken("its size is not what was written")
    with path.open("rb") as file:
        for _ in opened(file, key, context):
            pass


def _pour(path: Path, key: bytes, context: bytes, sink: IO[bytes]) -> None:
    with path.open("rb") as file, sink:
        for block in opened(file, key, context):
            sink.write(block)


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise OSError(9, "no pipe was made")
    return end


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _give(qmp: QMPClient, descriptor: int) -> None:
    """Hand QEMU an open file, known to it as `memory`."""
    qmp.send_fd_scm(descriptor)
    await qmp.execute("getfd", {"fdname": "memory"})


async def _loaded(qmp: QMPClient) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        try:
            status: Any = await qmp.execute("query-status")
        except Exception as error:
            raise Damaged("QEMU cannot load it") from error
        if status["status"] != "inmigrate":
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise Damaged("it is not loaded in time")


async def _until(qmp: QMPClient, ends: tuple[str, ...], beside: Beside[Any] | None = None) -> None:
    """Wait for a migration to end. Raises `OSError` when it fails, or what is done beside does."""
    until = time.monotonic() + _SECONDS
    while True:
        told: Any = await qmp.execute("query-migrate")
        status = told.get("status", "none")
        if status in ends:
            return
        if beside is not None and beside.failed:
            await beside.result()
        if status in ("failed", "cancelled"):
            raise OSError(5, f"QEMU could not write the memory: {told.get('error-desc', status)}")
        if time.monotonic() > until:
            raise OSError(110, "the memory is not written in time")
        await asyncio.sleep(_LOOK_SECONDS)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_Result = TypeVar("_Result")


class Beside(Generic[_Result]):
    """Something done in a thread of its own."""

    def __init__(self, act: Callable[[], _Result]) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[_Result] = self._loop.create_future()
        self.failed = False
        threading.Thread(target=self._run, args=(act,), daemon=True).start()

    async def result(self) -> _Result:
        """What came of it. Raises what it raised."""
        return await self._future

    def _run(self, act: Callable[[], _Result]) -> None:
        try:
            done = act()
        except BaseException as error:
            self.failed = True
            self._loop.call_soon_threadsafe(self._fail, error)
        else:
            self._loop.call_soon_threadsafe(self._future.set_result, done)

    def _fail(self, error: BaseException) -> None:
        self._future.set_exception(error)
        self._future.exception()  # it is told to whoever asks, and to nobody else
