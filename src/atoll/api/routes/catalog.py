"""The data catalog: search, descriptions, profiles, quality, and how versions differ."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.datasets import DatasetVersionAnswer
from atoll.api.schemas.listing import Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import assess_risk, read_lake, read_lake_catalog, read_lake_profile
from atoll.model.catalog import CatalogEntry, DatasetDescription, DatasetDifference, DatasetProfile, DatasetQuality
from atoll.model.risk import DatasetRisk

routes = Routes("catalog")

_Offset = Annotated[str | None, Query(pattern=r"^\d{1,6}$", description="`cursor` of the page before.")]
_Number = Annotated[int, Query(ge=1, description="Number of a version.")]


@routes.get("/catalog/search", scope=Scope.DATASETS_READ)
def search_catalog(
    rooms: RoomsHere,
    caller: CallerHere,
    q: Annotated[str, Query(max_length=200, description="Words; without any, every dataset.")] = "",
    cursor: _Offset = None,
    limit: Limit = 50,
) -> Listing[CatalogEntry]:
    """Datasets, tables and columns in whose names and descriptions the words stand, the nearest first."""
    offset = int(cursor or 0)
    found = read_lake_catalog.search(rooms, caller, q, offset=offset, limit=limit)
    return Listing(items=found, cursor=str(offset + limit) if len(found) == limit else None)


@routes.get("/datasets/{name}/description", scope=Scope.DATASETS_READ)
def describe_dataset(rooms: RoomsHere, caller: CallerHere, name: str) -> DatasetDescription:
    """All that is known of a dataset but its values: columns with what was done to them, sources, a sample query."""
    return read_lake_catalog.describe(rooms, caller, name)


@routes.get("/datasets/{name}/profile", scope=Scope.DATASETS_READ)
def show_dataset_profile(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    version: Annotated[int | None, Query(ge=1, description="Number of the version; left out, the newest.")] = None,
) -> DatasetProfile:
    """Safe figures of every column of a version; those not computed yet are named, and come soon."""
    return read_lake_profile.show_profile(rooms, caller, name, version)


@routes.get("/datasets/{name}/risk", scope=Scope.DATASETS_READ)
def show_dataset_risk(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    version: Annotated[int | None, Query(ge=1, description="Number of the version; left out, the newest.")] = None,
) -> DatasetRisk:
    """How likely it is that somebody is recognised in a version: k-anonymity, l-diversity, uniqueness; no value."""
    return assess_risk.show_risk(rooms, caller, name, version)


@routes.get("/datasets/{name}/quality", scope=Scope.DATASETS_READ)
def show_dataset_quality(rooms: RoomsHere, caller: CallerHere, name: str, limit: Limit = 20) -> DatasetQuality:
    """What became of the last deliveries, in counts that add up."""
    return read_lake_catalog.quality(rooms, caller, name, limit)


@routes.get("/datasets/{name}/diff", scope=Scope.DATASETS_READ)
def compare_dataset_versions(
    rooms: RoomsHere, caller: CallerHere, name: str, before: _Number, after: _Number
) -> DatasetDifference:
    """How two versions differ: rows and bytes that came and went, and columns."""
    return read_lake_catalog.difference(rooms, caller, name, before, after)


@routes.get("/datasets/{name}/version", scope=Scope.DATASETS_READ)
def show_dataset_version(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    number: Annotated[int | None, Query(ge=1, description="By number; left out, the newest.")] = None,
    at: Annotated[AwareDatetime | None, Query(description="That which was the newest at this time.")] = None,
) -> DatasetVersionAnswer:
    """One version, by number or by time."""
    if at is not None:
        return DatasetVersionAnswer.of(read_lake.version_at(rooms, caller, name, at))
    return DatasetVersionAnswer.of(read_lake.version(rooms, caller, name, number))
