"""Which versions of a dataset may expire, and why the others may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from atoll.access import grants
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.mount import DatasetMount
from atoll.model.query import QueryRecord
from atoll.ports.records import every

#: A query that began on a version when it was the newest has ended by then: no query may take
#: half as long. What takes longer (laying data out for machines) is protected by its own record.
_LEAST_GRACE = timedelta(hours=1)


class Protection(StrEnum):
    """Why a version does not expire."""

    NEWEST = "newest"
    KEPT = "kept"
    PINNED = "pinned"
    MOUNTED = "mounted"
    RECENT = "recent"
    READ = "read"
    NUMBER = "number"
    AGE = "age"


@dataclass(frozen=True)
class Standing:
    """A live version, and what protects it (None: nothing)."""

    version: DatasetVersion
    protection: Protection | None


def standings(rooms: Rooms, name: str, *, kept: int | None = None, days: float | None = None) -> tuple[Standing, ...]:
    """Every live version of the dataset, newest first, as the settings or these limits say. Raises `NotFound`."""
    dataset = rooms.records.get(Dataset, name)
    return tuple(_standings(rooms, dataset, kept=kept, days=days))


def _standings(rooms: Rooms, dataset: Dataset, *, kept: int | None, days: float | None) -> Iterator[Standing]:
    settings = rooms.settings
    number = settings.versions_kept if kept is None else kept
    most = settings.versions_most
    age = timedelta(days=settings.versions_days if days is None else days)
    grace = max(_LEAST_GRACE, timedelta(seconds=2 * settings.query_seconds))
    now = rooms.clock.now()
    versions = sorted(every(rooms.records, DatasetVersion, {"dataset": dataset.id}), key=lambda v: -v.number)
    # After the versions: a query that begins meanwhile has written to the one it reads.
    read = _read_now(rooms, now - grace)
    mounted = {mount.dataset_version for mount in every(rooms.records, DatasetMount, {"dataset": dataset.id})}
    pinned = grants.pinned_versions(rooms.records, dataset.id, now)
    superseded_at = None
    place = 0
    for version in versions:
        if version.live:
            protection: Protection | None = None
            if superseded_at is None:
                protection = Protection.NEWEST
            elif version.keep is not None:
                protection = Protection.KEPT
            elif version.number in pinned:
                protection = Protection.PINNED
            elif version.id in mounted:
                protection = Protection.MOUNTED
            elif now - superseded_at < grace:
                protection = Protection.RECENT
            elif version.id in read:
                protection = Protection.READ
            elif place < number:
                protection = Protection.NUMBER
            elif now - superseded_at < age and (not most or place < most):
                protection = Protection.AGE
            yield Standing(version, protection)
            place += 1
        superseded_at = version.committed_at


def _read_now(rooms: Rooms, since: datetime) -> frozenset[str]:
    """Versions that queries read which began later than that; one that is older was lost with its process."""
    running = every(rooms.records, QueryRecord, {"reads": "now"})
    return frozenset(version for query in running if query.started_at > since for version in query.versions)
