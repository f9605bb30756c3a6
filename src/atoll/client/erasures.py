"""Erasures of persons."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json, segment


class Erasures:
    """A person is taken out of every dataset, with a proof that does not say who it was."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Every erasure, newest first."""
        return self._connection.items("/erasures")

    def show(self, erasure_id: str) -> Json:
        """One erasure and its proof."""
        return self._connection.get(f"/erasures/{segment(erasure_id)}")

    def add(
        self,
        domain: str,
        *,
        reason: str,
        confirm: str,
        identifier: str | None = None,
        pseudonym: str | None = None,
    ) -> Json:
        """Erase whom the identifier, or the pseudonym, names. `confirm` repeats the domain."""
        body: Json = {"domain": domain, "reason": reason, "confirm": confirm}
        if identifier is not None:
            body["identifier"] = identifier
        if pseudonym is not None:
            body["pseudonym"] = pseudonym
        return self._connection.post("/erasures", body)
