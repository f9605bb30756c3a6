"""What moved, who did what, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.client.connection import Connection, Json
from atoll.client.shapes import shaped
from atoll.model.ledger import AuditEntry, ChainCheck, CostReport


class Ledger:
    """Flows, audit and costs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def flows(self, dataset: str, limit: int = 100) -> tuple[Json, ...]:
        """The last OpenLineage events that touch a dataset, 1000 at most."""
        return tuple(self._connection.get("/flows", dataset=dataset, limit=limit)["items"])

    def audit_tail(self, limit: int = 20) -> tuple[AuditEntry, ...]:
        """The last entries of the audit chain, oldest first."""
        page = self._connection.get("/audit", tail=True, limit=limit)
        return tuple(shaped(AuditEntry, item) for item in page["items"])

    def audit(self, after: int = 0) -> Iterator[AuditEntry]:
        """Entries of the audit chain numbered above `after`."""
        while True:
            page = self._connection.get("/audit", after=after, limit=500)
            entries = [shaped(AuditEntry, item) for item in page["items"]]
            yield from entries
            if not entries:
                return
            after = entries[-1].number

    def verify_audit(self) -> ChainCheck:
        """Whether the whole audit chain holds."""
        return shaped(ChainCheck, self._connection.get("/audit/verification"))

    def costs(self, month: str, by: str = "project") -> CostReport:
        """Sums of a month (`YYYY-MM`), by user, project, dataset, metric, product or workspace."""
        return shaped(CostReport, self._connection.get("/costs", month=month, by=by))
