"""Deliveries: announced, uploaded, submitted, looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from atoll.client.connection import Connection, Json, segment
from atoll.client.shapes import shaped
from atoll.model.delivery import ManifestFile, QuarantinedRow


class Deliveries:
    """Files handed over together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, source: str, dataset: str, files: Iterable[ManifestFile]) -> Json:
        """Announce a delivery; the same manifest again gives the same delivery."""
        body = {"source": source, "dataset": dataset, "files": [file.model_dump() for file in files]}
        return self._connection.post("/deliveries", body, repeatable=True)

    def upload(self, delivery_id: str, index: int, chunks: Callable[[], Iterator[bytes]], size_bytes: int) -> None:
        """Send file `index` of the manifest. Raises `DeliveryRefused` when it is not what was announced."""
        self._connection.upload(f"/deliveries/{segment(delivery_id)}/files/{index}", chunks, size_bytes)

    def append(self, delivery_id: str, index: int, part: bytes, offset: int) -> Json:
        """Send a part of file `index` that begins at `offset`. Raises `Conflict` when it must begin elsewhere."""
        return self._connection.append(f"/deliveries/{segment(delivery_id)}/files/{index}", part, offset)

    def submit(self, delivery_id: str) -> Json:
        """Hand over for admission; again changes nothing."""
        return self._connection.post(f"/deliveries/{segment(delivery_id)}/submit", repeatable=True)

    def replay(self, delivery_id: str) -> Json:
        """Admit what is held, under the contract in force now."""
        return self._connection.post(f"/deliveries/{segment(delivery_id)}/replay")

    def reject(self, delivery_id: str, reason: str) -> Json:
        """Decide that nothing more of it enters."""
        return self._connection.post(f"/deliveries/{segment(delivery_id)}/reject", {"reason": reason})

    def list(
        self,
        *,
        source: str | None = None,
        dataset: str | None = None,
        state: str | None = None,
        at_most: int | None = None,
    ) -> Iterator[Json]:
        """Those that the caller may see."""
        return self._connection.items("/deliveries", source=source, dataset=dataset, state=state, at_most=at_most)

    def show(self, delivery_id: str) -> Json:
        """One delivery: state, files received, operation, outcome."""
        return self._connection.get(f"/deliveries/{segment(delivery_id)}")

    def quarantine(self, delivery_id: str, *, limit: int = 100, offset: int = 0) -> tuple[QuarantinedRow, ...]:
        """Rejected rows, masked: `limit` of them, after `offset`."""
        page = self._connection.get(f"/deliveries/{segment(delivery_id)}/quarantine", limit=limit, offset=offset)
        return tuple(shaped(QuarantinedRow, item) for item in page["items"])
