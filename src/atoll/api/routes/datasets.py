"""Datasets and their versions."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.datasets import DatasetAnswer, DatasetVersionAnswer
from atoll.api.schemas.listing import Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import read_lake

routes = Routes("datasets")


@routes.get("/datasets", scope=Scope.DATASETS_READ)
def list_datasets(rooms: RoomsHere, caller: CallerHere) -> Listing[DatasetAnswer]:
    """Every dataset."""
    return Listing(items=tuple(map(DatasetAnswer.of, read_lake.list_datasets(rooms, caller))))


@routes.get("/datasets/{name}", scope=Scope.DATASETS_READ)
def show_dataset(rooms: RoomsHere, caller: CallerHere, name: str) -> DatasetAnswer:
    """A dataset with its newest version: tables, columns, rows."""
    dataset, newest = read_lake.dataset(rooms, caller, name)
    return DatasetAnswer.of(dataset, newest)


@routes.get("/datasets/{name}/versions", scope=Scope.DATASETS_READ)
def list_versions(rooms: RoomsHere, caller: CallerHere, name: str) -> Listing[DatasetVersionAnswer]:
    """Every version of a dataset, newest first."""
    return Listing(items=tuple(map(DatasetVersionAnswer.of, read_lake.versions(rooms, caller, name))))
