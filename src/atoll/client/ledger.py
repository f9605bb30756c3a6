"""What moved, who did what, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from atoll.client.connection import Connection, Json, segment
from atoll.client.shapes import shaped
from atoll.model.cost import Correction, CostMonth, CostSeries
from atoll.model.ledger import AuditCheckpoint, AuditEntry, ChainCheck, CostReport, UsageRecord


class Ledger:
    """Flows, audit and costs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def flows(
        self,
        dataset: str | None = None,
        limit: int = 100,
        *,
        person: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Json, ...]:
        """The last OpenLineage events that touch a dataset, of a person, of a time; 1000 at most."""
        times = {"since": _iso(since), "until": _iso(until)}
        return tuple(self._connection.get("/flows", dataset=dataset, person=person, limit=limit, **times)["items"])

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

    def find_audit(
        self,
        *,
        person: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        at_most: int = 20,
    ) -> tuple[AuditEntry, ...]:
        """The last entries of all that is asked, oldest first."""
        asked = {"person": person, "action": action, "target": target, "since": _iso(since), "until": _iso(until)}
        found: list[AuditEntry] = []
        before: int | None = None
        while len(found) < at_most:
            limit = min(500, at_most - len(found))
            page = self._connection.get("/audit", newest_first=True, before=before, limit=limit, **asked)
            found += (shaped(AuditEntry, item) for item in page["items"])
            if page["cursor"] is None:
                break
            before = int(page["cursor"])
        return tuple(reversed(found))

    @contextmanager
    def export_audit(self, after: int = 0) -> Iterator[Iterator[bytes]]:
        """Entries as they are chained, one JSON object a line."""
        with self._connection.download(f"/audit/export?after={after}") as pieces:
            yield pieces

    def checkpoints(self) -> tuple[AuditCheckpoint, ...]:
        """The signed checkpoints, oldest first."""
        items = self._connection.get("/audit/checkpoints")["items"]
        return tuple(shaped(AuditCheckpoint, item) for item in items)

    def verify_audit(self) -> ChainCheck:
        """Whether the whole audit chain holds."""
        return shaped(ChainCheck, self._connection.get("/audit/verification"))

    def costs(self, month: str, by: str = "project") -> CostReport:
        """Sums of a month (`YYYY-MM`), by user, project, dataset, metric, product or workspace."""
        return shaped(CostReport, self._connection.get("/costs", month=month, by=by))

    def cost_series(
        self, by: str = "project", *, since: date | None = None, until: date | None = None, step: str = "day"
    ) -> CostSeries:
        """Costs for each day or month, the dearest key first."""
        days: dict[str, str | None] = {
            "from": None if since is None else since.isoformat(),
            "to": None if until is None else until.isoformat(),
        }
        return shaped(CostSeries, self._connection.get("/costs/series", by=by, step=step, **days))

    @contextmanager
    def export_costs(self, month: str, kind: str = "csv") -> Iterator[Iterator[bytes]]:
        """Every usage record of a month as CSV, `focus` in the columns of FOCUS."""
        with self._connection.download(f"/costs/export?month={segment(month)}&format={segment(kind)}") as pieces:
            yield pieces

    def correct_usage(self, correction: Correction) -> UsageRecord:
        """Put right a usage record, by a record of the difference."""
        return shaped(UsageRecord, self._connection.post("/costs/corrections", correction.model_dump(mode="json")))

    def months(self) -> tuple[CostMonth, ...]:
        """Months in which anything was used, newest first."""
        return tuple(shaped(CostMonth, item) for item in self._connection.get("/costs/months")["items"])

    def close_month(self, month: str) -> CostMonth:
        """Freeze a month that is over."""
        return shaped(CostMonth, self._connection.post(f"/costs/months/{segment(month)}/close"))


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
