"""What is in the lake: datasets and their versions. Names and counts only, no rows."""

from __future__ import annotations

from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
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


def latest_version(rooms: Rooms, dataset: Dataset) -> DatasetVersion | None:
    """The newest version of a dataset that was read, None before the first commit."""
    if dataset.latest == 0:
        return None
    return rooms.records.get(DatasetVersion, f"{dataset.id}@{dataset.latest}")
