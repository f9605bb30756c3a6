"""Maintenance of datasets: compaction, versions that expire or are kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.datasets import DatasetVersionAnswer
from atoll.api.schemas.deliveries import OperationAnswer
from atoll.api.schemas.listing import Limit, Listing
from atoll.api.schemas.maintenance import NewCompaction, NewExpiry, NewKeep, RetentionAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import compact_dataset as compaction
from atoll.flows import expire_versions, maintain_lake, version_retention

routes = Routes("maintenance")


@routes.get("/datasets/{name}/maintenance", scope=Scope.DATASETS_MAINTAIN)
def list_maintenance(rooms: RoomsHere, caller: CallerHere, name: str, limit: Limit = 20) -> Listing[OperationAnswer]:
    """The last operations that maintained a dataset, newest first."""
    return Listing(items=tuple(map(OperationAnswer.of, maintain_lake.operations(rooms, caller, name, limit))))


@routes.post("/datasets/{name}/compaction", scope=Scope.DATASETS_MAINTAIN, status_code=202)
def compact_dataset(rooms: RoomsHere, caller: CallerHere, name: str, body: NewCompaction) -> OperationAnswer:
    """Have small files of a dataset's tables made into large ones, laid out as its contract says."""
    return OperationAnswer.of(compaction.ask(rooms, caller, name, whole=body.whole))


@routes.get("/datasets/{name}/retention", scope=Scope.DATASETS_READ)
def list_retention(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    kept: Annotated[int | None, Query(ge=1, description="As if so many of the newest stayed.")] = None,
    days: Annotated[float | None, Query(ge=0, description="As if they stayed so many days.")] = None,
) -> Listing[RetentionAnswer]:
    """Versions that can be read, newest first, and what keeps each from expiring."""
    found = version_retention.standings(rooms, name, kept=kept, days=days)
    return Listing(items=tuple(map(RetentionAnswer.of, found)))


@routes.post("/datasets/{name}/expiry", scope=Scope.DATASETS_MAINTAIN, status_code=202)
def expire_dataset_versions(rooms: RoomsHere, caller: CallerHere, name: str, body: NewExpiry) -> OperationAnswer:
    """Have old versions of a dataset expire, and files removed that nothing refers to any more."""
    return OperationAnswer.of(expire_versions.ask(rooms, caller, name, kept=body.kept, days=body.days))


@routes.put("/datasets/{name}/versions/{number}/keep", scope=Scope.DATASETS_MAINTAIN)
def keep_dataset_version(
    rooms: RoomsHere, caller: CallerHere, name: str, number: int, body: NewKeep
) -> DatasetVersionAnswer:
    """See that a version does not expire."""
    return DatasetVersionAnswer.of(expire_versions.keep(rooms, caller, name, number, body.reason))


@routes.delete("/datasets/{name}/versions/{number}/keep", scope=Scope.DATASETS_MAINTAIN)
def unkeep_dataset_version(rooms: RoomsHere, caller: CallerHere, name: str, number: int) -> DatasetVersionAnswer:
    """A version expires like any other again."""
    return DatasetVersionAnswer.of(expire_versions.unkeep(rooms, caller, name, number))
