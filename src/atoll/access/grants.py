"""Grants on record: found, and those in force."""

from __future__ import annotations

from datetime import datetime

from atoll.errors import NotFound
from atoll.model.grant import Grant
from atoll.ports.records import Put, RecordStore, Write, every


def standing(records: RecordStore, project: str, dataset: str) -> Grant | None:
    """The one grant of the project to the dataset that is not revoked; it may have expired."""
    found = records.find(Grant, where={"standing": f"{project}/{dataset}"}, limit=1).records
    return found[0] if found else None


def in_force(records: RecordStore, project: str, now: datetime) -> tuple[Grant, ...]:
    """Every grant of the project that holds at `now`, in order of dataset."""
    held = (grant for grant in every(records, Grant, {"project": project}) if grant.holds(now))
    return tuple(sorted(held, key=lambda grant: grant.dataset))


def holds(records: RecordStore, grant_id: str, now: datetime) -> bool:
    """Whether the grant is there and in force at `now`."""
    try:
        return records.get(Grant, grant_id).holds(now)
    except NotFound:
        return False


def pinned_versions(records: RecordStore, dataset: str, now: datetime) -> frozenset[int]:
    """Numbers of the dataset's versions that grants in force at `now` are pinned to."""
    given = every(records, Grant, {"dataset": dataset})
    return frozenset(grant.pinned for grant in given if grant.pinned is not None and grant.holds(now))


def replacement(expired: Grant | None, grant: Grant) -> tuple[Write, ...]:
    """The writes that add `grant`, closing the expired one that still stands.

    The closing comes first: the store lets one grant stand for a project and dataset.
    """
    if expired is None:
        return (Put(grant),)
    return (Put(expired.but(revoked_at=grant.granted_at)), Put(grant))
