"""Every day, what each dataset stores is metered once."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from atoll.errors import VersionConflict
from atoll.flows import read_lake
from atoll.flows.rooms import Rooms
from atoll.model.ledger import Metric
from atoll.model.person import PLATFORM
from atoll.model.record import Record
from atoll.ports.records import Put


class StorageReading(Record):
    """The mark that a dataset was metered on a day. Id `<dataset>/<YYYY-MM-DD>`."""

    kind: ClassVar[str] = "storage_reading"

    bytes: int


def meter_storage(rooms: Rooms) -> int:
    """Meter today's stored bytes of every dataset not metered yet today (UTC); how many.

    The bytes are those of the data files of the newest version. A day counts whole from
    the first reading on.
    """
    day = rooms.clock.now().date().isoformat()
    count = 0
    for dataset in read_lake.list_datasets(rooms, PLATFORM):
        version = read_lake.latest_version(rooms, dataset)
        if version is None:
            continue
        size_bytes = sum(table.size_bytes for table in version.tables)
        charge = rooms.usage.charge(
            metric=Metric.STORED_BYTE_DAYS,
            quantity=Decimal(size_bytes),
            user=PLATFORM.name,
            project=None,
            dataset=dataset.id,
            because=f"dataset/{version.id}",
        )
        try:
            rooms.records.transact([Put(StorageReading(id=f"{dataset.id}/{day}", bytes=size_bytes)), charge])
        except VersionConflict:
            continue
        count += 1
    return count
