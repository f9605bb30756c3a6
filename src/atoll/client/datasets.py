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
        expires_at: datetime | None = None,
    ) -> Json:
        """Grant a dataset, whole or these parts of it, until revoked or expired."""
        body: Json = {"project": project, "dataset": dataset, "reason": reason}
        if tables is not None:
            body["tables"] = [table.model_dump(mode="json") for table in tables]
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._connection.post("/grants", body)

    def show(self, grant_id: str) -> Json:
        """One grant."""
        return self._connection.get(f"/grants/{segment(grant_id)}")

    def revoke(self, grant_id: str) -> Json:
        """The grant holds no longer."""
        return self._connection.delete(f"/grants/{segment(grant_id)}")
