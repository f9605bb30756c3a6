"""Contracts: checked, explained, published."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json, segment


class Contracts:
    """What datasets' files look like and what is done to every column."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def check(self, text: str) -> Json:
        """The dataset and tables of a contract that holds. Raises `ContractInvalid` with every finding."""
        return self._connection.post("/contracts/check", {"text": text}, repeatable=True)

    def explain(self, text: str) -> Json:
        """What a contract would do to each column. Raises `ContractInvalid`."""
        return self._connection.post("/contracts/explain", {"text": text}, repeatable=True)

    def explain_published(self, dataset: str, number: int | None = None) -> Json:
        """What the contract in force (or one by number) does to each column."""
        return self._connection.get(f"/contracts/{segment(dataset)}/explain", number=number)

    def publish(self, text: str) -> Json:
        """Put a contract in force. Raises `ContractInvalid`."""
        return self._connection.post("/contracts", {"text": text})

    def list(self) -> Iterator[Json]:
        """Published contracts."""
        return self._connection.items("/contracts")

    def show(self, dataset: str, number: int | None = None) -> Json:
        """The contract in force, or one by number, its text as it was reviewed."""
        return self._connection.get(f"/contracts/{segment(dataset)}", number=number)
