"""Datasets that need it are compacted, and old versions expired, without anybody asking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, NotFound, VersionConflict
from atoll.flows import compact_dataset, expire_versions, read_lake
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.operation import Operation
from atoll.model.person import PLATFORM, Caller
from atoll.model.record import Record
from atoll.ports.records import Put

_KINDS = ("compaction", "expiry")


class Maintained(Record):
    """When a dataset was last looked after. Its id is the dataset's name."""

    kind: ClassVar[str] = "maintained"

    #: Number of the newest version when it was last asked whether compaction pays.
    looked_at: int = 0
    swept_at: datetime | None = None
    #: Number of the newest version at that time.
    swept: int = 0


def maintain_lake(rooms: Rooms) -> int:
    """Queue what is due, and is not under way; how many operations."""
    return sum(_maintain(rooms, dataset) for dataset in read_lake.list_datasets(rooms, PLATFORM))


def operations(rooms: Rooms, caller: Caller, dataset: str, limit: int = 20) -> tuple[Operation, ...]:
    """The last operations that maintained a dataset, newest first. Raises `NotFound`."""
    permissions.require(caller, Scope.DATASETS_MAINTAIN)
    rooms.records.get(Dataset, dataset)
    found = [
        operation
        for kind in _KINDS
        for operation in rooms.operations.find(subject=f"dataset/{dataset}/{kind}", limit=limit).records
    ]
    return tuple(sorted(found, key=lambda operation: operation.id, reverse=True)[:limit])


def _maintain(rooms: Rooms, dataset: Dataset) -> int:
    newest = read_lake.latest_version(rooms, dataset)
    if newest is None:
        return 0
    try:
        mark = rooms.records.get(Maintained, dataset.id)
    except NotFound:
        # The first sweep is a whole period after the first commit.
        mark = Maintained(id=dataset.id, swept_at=rooms.clock.now(), swept=newest.number)
    done = mark
    count = 0
    if rooms.settings.compact_files and newest.number > mark.looked_at:
        done = done.but(looked_at=newest.number)
        count += _pays(rooms, newest) and _queued(lambda: compact_dataset.begin(rooms, PLATFORM, dataset.id))
    if _sweep_is_due(rooms, mark, newest):
        done = done.but(swept_at=rooms.clock.now(), swept=newest.number)
        count += _queued(lambda: expire_versions.begin(rooms, PLATFORM, dataset.id))
    if done != mark or mark.version == 0:
        try:
            rooms.records.transact([Put(done)])
        except VersionConflict:
            return count  # another process looked after it, too: an operation stands only once
    return count


def _sweep_is_due(rooms: Rooms, mark: Maintained, newest: DatasetVersion) -> bool:
    hours, most = rooms.settings.sweep_hours, rooms.settings.versions_most
    if not hours:
        return False
    late = mark.swept_at is None or rooms.clock.now() - mark.swept_at >= timedelta(hours=hours)
    # Many deliveries in a day would else make more versions than there should be.
    return late or (most > 0 and newest.number - mark.swept >= max(most // 2, 1))


def _pays(rooms: Rooms, newest: DatasetVersion) -> bool:
    return any(
        state.files >= rooms.settings.compact_files and compact_dataset.worth_it(rooms, newest, state)
        for state in newest.tables
    )


def _queued(begin: Callable[[], Operation]) -> int:
    try:
        begin()
    except AlreadyExists:
        return 0
    return 1
