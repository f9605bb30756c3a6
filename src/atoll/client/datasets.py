"""Datasets, their versions, and the grants to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from atoll.client.connection import Connection, Json, segment
from atoll.model.grant import TableGrant


class Datasets:
    """Lake tables under one name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Those that the caller may know of."""
        return self._connection.items("/datasets")

    def show(self, name: str) -> Json:
        """One dataset with its newest version."""
        return self._connection.get(f"/datasets/{segment(name)}")

    def versions(self, name: str) -> Iterator[Json]:
        """Every version of a dataset."""
        return self._connection.items(f"/datasets/{segment(name)}/versions")

    def version(self, name: str, number: int | None = None, at: datetime | None = None) -> Json:
        """One version: by number, by the time at which it was the newest, or the newest."""
        when = None if at is None else at.isoformat()
        return self._connection.get(f"/datasets/{segment(name)}/version", number=number, at=when)

    def search(self, words: str, *, at_most: int | None = None) -> Iterator[Json]:
        """Datasets, tables and columns in whose names and descriptions the words stand, the nearest first."""
        return self._connection.items("/catalog/search", at_most=at_most, q=words)

    def describe(self, name: str) -> Json:
        """All that is known of a dataset but its values."""
        return self._connection.get(f"/datasets/{segment(name)}/description")

    def profile(self, name: str, number: int | None = None) -> Json:
        """Safe figures of every column of a version."""
        return self._connection.get(f"/datasets/{segment(name)}/profile", version=number)

    def risk(self, name: str, number: int | None = None) -> Json:
        """How likely it is that somebody is recognised in a version."""
        return self._connection.get(f"/datasets/{segment(name)}/risk", version=number)

    def quality(self, name: str, limit: int = 20) -> Json:
        """What became of the last deliveries."""
        return self._connection.get(f"/datasets/{segment(name)}/quality", limit=limit)

    def diff(self, name: str, before: int, after: int) -> Json:
        """How two versions differ."""
        return self._connection.get(f"/datasets/{segment(name)}/diff", before=before, after=after)

    def lineage(self, name: str, limit: int = 200) -> Json:
        """The graph of what came in and where it went."""
        return self._connection.get(f"/datasets/{segment(name)}/lineage", limit=limit)

    def maintenance(self, name: str, limit: int = 20) -> Iterator[Json]:
        """The last operations that maintained a dataset, newest first."""
        return self._connection.items(f"/datasets/{segment(name)}/maintenance", at_most=limit)

    def compact(self, name: str, *, whole: bool = False) -> Json:
        """Have small files made into large ones; gives the operation."""
        return self._connection.post(f"/datasets/{segment(name)}/compaction", {"whole": whole})

    def retention(self, name: str, *, kept: int | None = None, days: float | None = None) -> Iterator[Json]:
        """Versions that can be read, and what keeps each from expiring."""
        return self._connection.items(f"/datasets/{segment(name)}/retention", kept=kept, days=days)

    def expire(self, name: str, *, kept: int | None = None, days: float | None = None) -> Json:
        """Have old versions expire, and what nothing refers to removed; gives the operation."""
        return self._connection.post(f"/datasets/{segment(name)}/expiry", {"kept": kept, "days": days})

    def keep(self, name: str, number: int, reason: str) -> Json:
        """See that a version does not expire."""
        return self._connection.put(f"/datasets/{segment(name)}/versions/{number}/keep", {"reason": reason})

    def unkeep(self, name: str, number: int) -> Json:
        """The version expires like any other."""
        return self._connection.delete(f"/datasets/{segment(name)}/versions/{number}/keep")


class Grants:
    """Projects' rights to datasets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, project: str | None = None, dataset: str | None = None) -> Iterator[Json]:
        """Those that the caller may see."""
        return self._connection.items("/grants", project=project, dataset=dataset)

    def add(
        self,
        project: str,
        dataset: str,
        *,
        reason: str,
        tables: Sequence[TableGrant] | None = None,
        version: int | None = None,
        expires_at: datetime | None = None,
    ) -> Json:
        """Grant a dataset, whole or these parts of it, at a version or the newest, until revoked or expired."""
        body: Json = {"project": project, "dataset": dataset, "reason": reason}
        if tables is not None:
            body["tables"] = [table.model_dump(mode="json") for table in tables]
        if version is not None:
            body["version"] = version
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._connection.post("/grants", body)

    def request(
        self,
        project: str,
        dataset: str,
        *,
        purpose: str,
        tables: Sequence[TableGrant] | None = None,
        version: int | None = None,
        expires_at: datetime | None = None,
    ) -> Json:
        """Ask that the project may read a dataset, whole or these parts of it, at a version or the newest."""
        body: Json = {"project": project, "dataset": dataset, "purpose": purpose}
        if tables is not None:
            body["tables"] = [table.model_dump(mode="json") for table in tables]
        if version is not None:
            body["version"] = version
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._connection.post("/grant-requests", body)

    def requests(
        self,
        *,
        project: str | None = None,
        dataset: str | None = None,
        waiting: bool = False,
        at_most: int | None = None,
    ) -> Iterator[Json]:
        """Requests for grants that the caller may see, newest first."""
        return self._connection.items(
            "/grant-requests", at_most=at_most, project=project, dataset=dataset, waiting=waiting
        )

    def show_request(self, request_id: str) -> Json:
        """One request."""
        return self._connection.get(f"/grant-requests/{segment(request_id)}")

    def decide(self, request_id: str, *, approve: bool, reason: str) -> Json:
        """Give what was asked, or refuse it."""
        verb = "approve" if approve else "refuse"
        return self._connection.post(f"/grant-requests/{segment(request_id)}/{verb}", {"reason": reason})

    def withdraw(self, request_id: str) -> Json:
        """Take one's own request back."""
        return self._connection.delete(f"/grant-requests/{segment(request_id)}")

    def show(self, grant_id: str) -> Json:
        """One grant."""
        return self._connection.get(f"/grants/{segment(grant_id)}")

    def revoke(self, grant_id: str) -> Json:
        """The grant holds no longer."""
        return self._connection.delete(f"/grants/{segment(grant_id)}")
