"""What a table's snapshots say of deliveries."""

from __future__ import annotations

from collections.abc import Iterator

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

DELIVERY = "atoll.delivery"
CONTRACT = "atoll.contract"
WITHDRAWN = "atoll.withdrawn"
REWRITTEN = "atoll.rewritten"


def newest_first(metadata: TableMetadata) -> Iterator[Snapshot]:
    """The snapshots that led to the table as it is, newest first."""
    # PyIceberg looks one up by going through them all.
    by_id = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}
    snapshot = by_id.get(metadata.current_snapshot_id) if metadata.current_snapshot_id is not None else None
    while snapshot is not None:
        yield snapshot
        parent = snapshot.parent_snapshot_id
        snapshot = by_id.get(parent) if parent is not None else None


def landed(metadata: TableMetadata, delivery_id: str) -> Snapshot | None:
    """The snapshot that committed the delivery; None when there is none, or it was withdrawn since."""
    for snapshot in newest_first(metadata):
        if told(snapshot, WITHDRAWN) == delivery_id:
            return None
        if told(snapshot, DELIVERY) == delivery_id:
            return snapshot
    return None


def rewritten(metadata: TableMetadata, job: str) -> Snapshot | None:
    """The snapshot in which the job took files out and put others in; None when there is none."""
    return next((snapshot for snapshot in newest_first(metadata) if told(snapshot, REWRITTEN) == job), None)


def told(snapshot: Snapshot, key: str) -> str | None:
    """A property of the snapshot's summary."""
    return snapshot.summary.additional_properties.get(key) if snapshot.summary else None


def total(snapshot: Snapshot, key: str) -> int:
    """A running total of the summary, such as `total-records`."""
    return int(told(snapshot, key) or 0)
