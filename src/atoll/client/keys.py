"""Keys of domains, by id, and what is done to them by two persons."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json, segment


class Keys:
    """Never a key itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Every domain with the id of its key."""
        return self._connection.items("/keys")

    def meaning(self, domain: str, act: str) -> Json:
        """What it would mean to `rotate` or `destroy` the domain's key."""
        return self._connection.get(f"/keys/{segment(domain)}/meaning", act=act)

    def ask(self, domain: str, act: str, reason: str) -> Json:
        """Ask it; another steward decides."""
        return self._connection.post("/key-changes", {"domain": domain, "act": act, "reason": reason})

    def changes(self, *, domain: str | None = None, at_most: int | None = None) -> Iterator[Json]:
        """What was asked, newest first."""
        return self._connection.items("/key-changes", at_most=at_most, domain=domain)

    def show(self, change_id: str) -> Json:
        """One, with what it means."""
        return self._connection.get(f"/key-changes/{segment(change_id)}")

    def decide(self, change_id: str, *, approve: bool, reason: str) -> Json:
        """Do what another person asked, or refuse it."""
        verb = "approve" if approve else "refuse"
        return self._connection.post(f"/key-changes/{segment(change_id)}/{verb}", {"reason": reason})

    def withdraw(self, change_id: str) -> Json:
        """Take back what one asked."""
        return self._connection.delete(f"/key-changes/{segment(change_id)}")
