"""Encrypted values, opened by two persons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atoll.client.connection import Connection, Json, segment


class Openings:
    """What was asked to be opened, and the values once they are approved."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(
        self,
        dataset: str,
        table: str,
        reason: str,
        *,
        columns: Sequence[str] = (),
        subjects: Sequence[str] = (),
        values: Sequence[str] = (),
        whole: bool = False,
        recipient: str | None = None,
        hours: int = 24,
    ) -> Json:
        """Ask that values of subjects, named values or a whole table be opened; another steward decides."""
        body = {
            "dataset": dataset,
            "table": table,
            "reason": reason,
            "columns": list(columns),
            "subjects": list(subjects),
            "values": list(values),
            "whole": whole,
            "recipient": recipient,
            "hours": hours,
        }
        return self._connection.post("/openings", body)

    def list(self, *, dataset: str | None = None, at_most: int | None = None) -> Iterator[Json]:
        """What was asked, newest first."""
        return self._connection.items("/openings", at_most=at_most, dataset=dataset)

    def show(self, opening_id: str) -> Json:
        """One; never a value."""
        return self._connection.get(f"/openings/{segment(opening_id)}")

    def decide(self, opening_id: str, *, approve: bool, reason: str) -> Json:
        """Approve what another person asked, or refuse it."""
        verb = "approve" if approve else "refuse"
        return self._connection.post(f"/openings/{segment(opening_id)}/{verb}", {"reason": reason})

    def withdraw(self, opening_id: str) -> Json:
        """Take back what one asked."""
        return self._connection.delete(f"/openings/{segment(opening_id)}")

    def take(self, opening_id: str) -> Json:
        """The values, once."""
        return self._connection.post(f"/openings/{segment(opening_id)}/take")
