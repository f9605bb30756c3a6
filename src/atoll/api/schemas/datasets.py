"""Datasets as the API shows them: names and counts, no rows."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from atoll.model.dataset import Dataset, DatasetVersion, Keep, MadeBy, TableState
from atoll.model.record import Frozen


class DatasetVersionAnswer(Frozen):
    """A version: a snapshot of each table, bound together."""

    id: str
    dataset: str
    number: int
    #: The delivery that made it, empty where another thing did.
    delivery: str
    #: Number of the replay that made it, 0 for the delivery's first admission.
    replay: int
    contract: str
    tables: tuple[TableState, ...]
    committed_at: datetime
    rows_added: int
    bytes_added: int
    made_by: MadeBy
    #: The operation that made it, where no delivery did.
    operation: str
    #: Why it does not expire, where somebody said so.
    keep: Keep | None
    #: When its rows ceased to be readable, and what saw to it.
    expired_at: datetime | None
    expired_by: str

    @classmethod
    def of(cls, version: DatasetVersion) -> Self:
        """The version."""
        return cls(**version.model_dump(exclude={"version", "tables"}), tables=version.tables)


class DatasetAnswer(Frozen):
    """A dataset, and with one asked for by name, its newest version."""

    name: str
    title: str
    description: str
    owner: str
    #: Number of the newest version, 0 before the first commit.
    latest: int
    created_at: datetime
    newest: DatasetVersionAnswer | None = None

    @classmethod
    def of(cls, dataset: Dataset, newest: DatasetVersion | None = None) -> Self:
        """The dataset."""
        return cls(
            name=dataset.id,
            title=dataset.title,
            description=dataset.description,
            owner=dataset.owner,
            latest=dataset.latest,
            created_at=dataset.created_at,
            newest=None if newest is None else DatasetVersionAnswer.of(newest),
        )
