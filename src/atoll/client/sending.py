"""The story of a delivery from the sender's side: hash, announce, upload what is missing, submit, wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from atoll.client.connection import Json
from atoll.client.deliveries import Deliveries
from atoll.client.local_files import LocalFile, find_files, hash_files, read_chunks, read_part
from atoll.client.progress import OnProgress, Progress, Stage
from atoll.errors import Conflict, DeliveryRefused, Unavailable
from atoll.model.delivery import DeliveryState

#: States that nothing but the caller changes any more.
SETTLED = frozenset({DeliveryState.COMMITTED, DeliveryState.REJECTED, DeliveryState.HELD, DeliveryState.FAILED})

#: States in which admission has it, or has finished it well or unwell, with the files kept.
_HANDED_OVER = frozenset({DeliveryState.WAITING, DeliveryState.ADMITTING, DeliveryState.COMMITTED})

#: Files above this are sent in parts of this size, each with its checksum.
PART_BYTES = 64 * 2**20
#: How long to wait before a part is sent again after the connection broke.
_RETRY_SECONDS = (0.5, 1, 2, 5, 10, 20, 30)

_POLL_SECONDS = (0.1, 0.2, 0.4, 0.8)
_POLL_AT_MOST_SECONDS = 1.5


class Sender:
    """Delivers files, and waits until they are admitted."""

    def __init__(
        self, deliveries: Deliveries, sleep: Callable[[float], None] = time.sleep, part_bytes: int = PART_BYTES
    ) -> None:
        self._deliveries = deliveries
        self._sleep = sleep
        self._part_bytes = part_bytes

    def deliver(self, source: str, dataset: str, paths: Sequence[Path], on_progress: OnProgress) -> Json:
        """Hand files over; gives the delivery as it stands after submission.

        Delivering the same files again goes on where it was broken off: files that are
        there already are not sent again, and a delivery that was committed stays as it is.
        """
        files = hash_files(find_files(paths), on_progress)
        opened = self._deliveries.open(source, dataset, [file.manifest for file in files])
        if DeliveryState(opened["state"]) in _HANDED_OVER:
            return opened
        self._upload_missing(opened, files, on_progress)
        return self._deliveries.submit(opened["id"])

    def wait(
        self, delivery_id: str, on_progress: OnProgress, *, patience_seconds: float, timeout_seconds: float | None
    ) -> Json:
        """Wait until a delivery is settled; gives it as it stands then.

        The server may be away for `patience_seconds` at a stretch (a restart resumes the
        admission). Raises `Unavailable` after that, and when `timeout_seconds` are over.
        """
        started = last_seen = time.monotonic()
        for wait_seconds in _polls():
            now = time.monotonic()
            try:
                delivery = self._deliveries.show(delivery_id)
                last_seen = now
                on_progress(_admission(delivery))
                if DeliveryState(delivery["state"]) in SETTLED:
                    return delivery
            except Unavailable:
                if now - last_seen > patience_seconds:
                    raise
            if timeout_seconds is not None and now - started > timeout_seconds:
                break
            self._sleep(wait_seconds)
        raise Unavailable(
            f"The delivery is not settled after {timeout_seconds:.0f} seconds; its admission goes on.",
            where=delivery_id,
            todo=f"Look again with `atoll delivery show {delivery_id}`.",
        )

    def _upload_missing(self, opened: Json, files: Sequence[LocalFile], on_progress: OnProgress) -> None:
        by_name = {file.manifest.name: file for file in files}
        missing = [
            (index, by_name[announced["name"]], int(announced["arrived_bytes"]))
            for index, announced in enumerate(opened["files"])
            if not announced["received"]
        ]
        total_bytes = sum(file.manifest.size_bytes for _, file, _ in missing)
        done_bytes = 0
        for index, file, arrived_bytes in missing:
            try:
                if file.manifest.size_bytes > self._part_bytes:
                    going = partial(_going, file, done_bytes, total_bytes, on_progress)
                    self._send_parts(opened["id"], index, file, arrived_bytes, going)
                else:
                    chunks = _counted(file, done_bytes, total_bytes, on_progress)
                    self._deliveries.upload(opened["id"], index, chunks, file.manifest.size_bytes)
            except DeliveryRefused as refused:
                raise DeliveryRefused(refused.what, where=str(file.path), todo=refused.todo) from None
            done_bytes += file.manifest.size_bytes
            on_progress(Progress(Stage.UPLOAD, done_bytes, total_bytes, file.path.name))

    def _send_parts(
        self, delivery_id: str, index: int, file: LocalFile, offset: int, going: Callable[[int], None]
    ) -> None:
        """Send a large file from `offset` on; after a broken connection it goes on from what is there."""
        waits = iter(_RETRY_SECONDS)
        while offset < file.manifest.size_bytes:
            going(offset)
            part = read_part(file.path, offset, self._part_bytes)
            if not part:
                raise DeliveryRefused("The file has become shorter since it was hashed.", todo="Deliver it anew.")
            try:
                offset = self._deliveries.append(delivery_id, index, part, offset)["arrived_bytes"]
                waits = iter(_RETRY_SECONDS)
            except (Unavailable, Conflict):
                wait_seconds = next(waits, None)
                if wait_seconds is None:
                    raise
                self._sleep(wait_seconds)
                offset = int(self._deliveries.show(delivery_id)["files"][index]["arrived_bytes"])


def _going(file: LocalFile, before_bytes: int, total_bytes: int, on_progress: OnProgress, offset: int) -> None:
    on_progress(Progress(Stage.UPLOAD, min(before_bytes + offset, total_bytes), total_bytes, file.path.name))


def _admission(delivery: Json) -> Progress:
    """How far the admission is: its steps, each weighing the same."""
    state = DeliveryState(delivery["state"])
    if state in SETTLED:
        return Progress(Stage.ADMIT, 1, 1, state.value)
    operation = delivery.get("operation") or {}
    step = next((s["name"] for s in operation.get("steps", ()) if not s["done"]), state.value)
    return Progress(Stage.ADMIT, float(operation.get("progress", 0)), 1, str(step))


def _counted(
    file: LocalFile, before_bytes: int, total_bytes: int, on_progress: OnProgress
) -> Callable[[], Iterator[bytes]]:
    """The file's content, anew on each call, telling how much of it has gone out."""

    def chunks() -> Iterator[bytes]:
        done_bytes = before_bytes
        for chunk in read_chunks(file.path):
            yield chunk
            done_bytes += len(chunk)
            on_progress(Progress(Stage.UPLOAD, min(done_bytes, total_bytes), total_bytes, file.path.name))

    return chunks


def _polls() -> Iterator[float]:
    yield from _POLL_SECONDS
    while True:
        yield _POLL_AT_MOST_SECONDS
