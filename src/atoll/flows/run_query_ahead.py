"""What a project may name in SQL, and what a statement would read and cost before it is run."""

from __future__ import annotations

from decimal import Decimal

from atoll.access import grants, permissions
from atoll.access.directory import project_by_name
from atoll.flows import read_lake
from atoll.flows.governed_relations import governed_relations, part_of
from atoll.flows.rooms import Rooms
from atoll.flows.run_query import limits_of, price_of
from atoll.model.person import Caller
from atoll.model.query import QueryEstimate
from atoll.model.record import Frozen
from atoll.model.table import Column


class NamedRelation(Frozen):
    """A table that a project may read, with the columns it may read of it."""

    dataset: str
    table: str
    description: str
    columns: tuple[Column, ...]


class PricedEstimate(Frozen):
    """What a statement would read, and what that costs by the price book of today."""

    estimate: QueryEstimate
    price_eur: Decimal
    #: Whether it may be run at that price.
    allowed: bool


def relations(rooms: Rooms, caller: Caller, project: str) -> tuple[NamedRelation, ...]:
    """Every table that the project's standing grants let its members read, at the granted versions; from records alone.

    Who may: those who may query under the project. Raises `NotFound` for another.
    """
    permissions.query_under(caller, project_by_name(rooms.records, project))
    found: list[NamedRelation] = []
    for grant in grants.in_force(rooms.records, project, rooms.clock.now()):
        version = read_lake.granted_version(rooms, grant)
        for state in version.tables if version else ():
            part = part_of(grant, state.table)
            if part is not None:
                given = tuple(c for c in state.columns if part.columns is None or c.name in part.columns)
                found.append(
                    NamedRelation(
                        dataset=grant.dataset, table=state.table, description=state.description, columns=given
                    )
                )
    return tuple(found)


def estimate(rooms: Rooms, caller: Caller, project: str, sql: str) -> PricedEstimate:
    """Plan a statement and price what it would read; nothing is run, read, charged or kept.

    Raises `NotFound` for a project one is not in, `StatementRefused` as a run would.
    """
    permissions.query_under(caller, project_by_name(rooms.records, project))
    governed = governed_relations(rooms, project, sql)
    found = rooms.engine.explain(sql, governed.relations, limits_of(rooms), governed.names)
    price = price_of(rooms, found.scanned_bytes)
    return PricedEstimate(estimate=found, price_eur=price, allowed=price <= Decimal(str(rooms.settings.query_max_eur)))
