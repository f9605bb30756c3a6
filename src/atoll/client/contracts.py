"""Contracts: checked, explained, published."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator

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

    def draft(self, dataset: str, samples: Iterable[tuple[str, bytes]]) -> Json:
        """A contract drafted from samples: names, and beginnings of files. Raises `InvalidInput`."""
        files = [{"name": name, "content": b64encode(content).decode()} for name, content in samples]
        return self._connection.post("/contract-drafts", {"dataset": dataset, "files": files}, repeatable=True)

    def propose(self, text: str, note: str = "") -> Json:
        """Ask that a contract be put in force. Raises `ContractInvalid`."""
        return self._connection.post("/contract-proposals", {"text": text, "note": note})

    def proposals(
        self, *, dataset: str | None = None, state: str | None = None, at_most: int | None = None
    ) -> Iterator[Json]:
        """Proposals, newest first."""
        return self._connection.items("/contract-proposals", dataset=dataset, state=state, at_most=at_most)

    def proposal(self, proposal_id: str) -> Json:
        """A proposal, with how it differs from the version that it would replace."""
        return self._connection.get(f"/contract-proposals/{segment(proposal_id)}")

    def approve(self, proposal_id: str, reason: str = "") -> Json:
        """Put somebody else's proposal in force; the version it became."""
        return self._connection.post(f"/contract-proposals/{segment(proposal_id)}/approve", {"reason": reason})

    def refuse(self, proposal_id: str, reason: str) -> Json:
        """Turn somebody else's proposal down."""
        return self._connection.post(f"/contract-proposals/{segment(proposal_id)}/refuse", {"reason": reason})

    def withdraw(self, proposal_id: str) -> Json:
        """Take one's own proposal back."""
        return self._connection.post(f"/contract-proposals/{segment(proposal_id)}/withdraw")

    def versions(self, dataset: str) -> Iterator[Json]:
        """Every published version, newest first."""
        return self._connection.items(f"/contracts/{segment(dataset)}/versions")

    def compare(self, dataset: str, before: int, after: int) -> Json:
        """How two published versions differ."""
        return self._connection.get(f"/contracts/{segment(dataset)}/comparison", before=before, after=after)

    def list(self) -> Iterator[Json]:
        """Published contracts."""
        return self._connection.items("/contracts")

    def show(self, dataset: str, number: int | None = None) -> Json:
        """The contract in force, or one by number, its text as it was reviewed."""
        return self._connection.get(f"/contracts/{segment(dataset)}", number=number)
