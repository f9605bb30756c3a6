"""What is in the lake: datasets and their versions. Names and counts only, no rows."""

from __future__ import annotations

from datetime import datetime

from atoll.errors import NotFound
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.grant import Grant
from atoll.model.person import Caller
from atoll.ports.records import every


def list_datasets(rooms: Rooms, caller: Caller) -> tuple[Dataset, ...]:
    """Every dataset, by name; what may be read of each is a matter of grants."""
    return tuple(every(rooms.records, Dataset))


def dataset(rooms: Rooms, caller: Caller, name: str) -> tuple[Dataset, DatasetVersion | None]:
    """A dataset and its newest version, None before the first commit. Raises `NotFound`."""
    found = rooms.records.get(Dataset, name)
    return found, latest_version(rooms, found)


def versions(rooms: Rooms, caller: Caller, name: str) -> tuple[DatasetVersion, ...]:
    """Every version of a dataset, newest first. Raises `NotFound` for an unknown dataset."""
    rooms.records.get(Dataset, name)
    found = every(rooms.records, DatasetVersion, {"dataset": name})
    return tuple(sorted(found, key=lambda v: -v.number))


def version(rooms: Rooms, caller: Caller, name: str, number: int | None = None) -> DatasetVersion:
    """A version by number, or the newest. Raises `NotFound`, also before the first commit."""
    found = rooms.records.get(Dataset, name)
    return rooms.records.get(DatasetVersion, f"{name}@{found.latest if number is None else number}")


def version_at(rooms: Rooms, caller: Caller, name: str, at: datetime) -> DatasetVersion:
    """The version that was the newest at a time. Raises `NotFound` when there was none yet."""
    for found in versions(rooms, caller, name):
        if found.committed_at <= at:
            return found
    raise NotFound("The dataset had no version at that time.", where=f"dataset/{name}", todo="Choose a later time.")


def latest_version(rooms: Rooms, dataset: Dataset) -> DatasetVersion | None:
    """The newest version of a dataset that was read, None before the first commit."""
    if dataset.latest == 0:
        return None
    return rooms.records.get(DatasetVersion, f"{dataset.id}@{dataset.latest}")


def granted_version(rooms: Rooms, grant: Grant) -> DatasetVersion | None:
    """The version that a grant shows: the one it is pinned to, or the newest.

    None before the first commit, and once the pinned one can be read no more: another is
    never shown in its place.
    """
    if grant.pinned is None:
        return latest_version(rooms, rooms.records.get(Dataset, grant.dataset))
    pinned = rooms.records.get(DatasetVersion, f"{grant.dataset}@{grant.pinned}")
    return pinned if pinned.live else None
