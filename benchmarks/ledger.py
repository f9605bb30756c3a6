"""The ledger at size: audit verification, a month's cost report, flows of a dataset.

    python benchmarks/ledger.py [--entries 400000] [--usage 1000000] [--flows 100000]

Fills a record store (SQLite, in a temporary directory) and asks what auditors and finance ask.
Targets: verification at 200,000 entries a second or better; a report over a million usage
records in under 2 s, whatever it is summed by; the last flows of a dataset in under 0.2 s
among 100,000 events. What is asked the first time after a start is told beside
it: then kept sums and indexes are made; the platform makes them as the records come.
Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from atoll.ledger import AuditTrail, FlowLog, UsageBook, load_price_books, query_event
from atoll.ledger.chain import NOTHING_BEFORE, link
from atoll.ledger.series import series
from atoll.model.cost import CostFilter, CostStep
from atoll.model.ledger import AuditEvent, Metric, UsageRecord
from atoll.model.person import Caller, Role, SubjectKind
from atoll.model.query import QueryRecord, QueryStats, Relation
from atoll.ports.records import RecordStore
from atoll.providers.clock import SystemClock
from atoll.providers.records import open_record_store

RESULTS = Path(__file__).parent / "results" / "ledger.json"
VERIFY_PER_SECOND, REPORT_SECONDS, FLOWS_SECONDS = 200_000, 2.0, 0.2
MONTH = "2026-03"
START = datetime(2026, 3, 1, tzinfo=UTC)
CALLER = Caller(
    subject_kind=SubjectKind.PERSON,
    subject_id="per_01k9x4abcdefghjkmnpqrstvwx",
    name="ada.lovelace",
    roles=frozenset({Role.SCIENTIST}),
    token_id="tok_01k9x4abcdefghjkmnpqrstvwx",
    address="10.0.0.17",
    request_id="req_01k9x4abcdefghjkmnpqrstvwx",
)

Result = TypeVar("Result")


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--entries", type=int, default=400_000)
    asked.add_argument("--usage", type=int, default=1_000_000)
    asked.add_argument("--flows", type=int, default=100_000)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as place:
        file = Path(place) / "records.db"
        records = open_record_store(f"sqlite:///{file}")
        figures = {
            **_audit(records, file, given.entries),
            **_costs(records, file, given.usage),
            **_flows(records, file, given.flows),
        }
        records.close()
    missed = _missed(figures)
    _tell(figures, missed)
    facts = {"at": datetime.now(UTC).isoformat(), "cpus": os.cpu_count(), "python": platform.python_version()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**facts, **figures, "missed": missed}, indent=2) + "\n")
    return 1 if missed else 0


def _audit(records: RecordStore, file: Path, entries: int) -> dict[str, float]:
    def chained() -> Iterable[dict[str, Any]]:
        previous = NOTHING_BEFORE
        for number in range(1, entries + 1):
            event = AuditEvent(
                action="query.run",
                target="project/heart",
                caller=CALLER,
                because=f"query/qry_{number:026}",
                details={"versions": ["synthea@12", "trial@3"]},
            )
            entry = link(event, number=number, at=START + timedelta(seconds=number), previous=previous)
            previous = str(entry["hash"])
            yield entry

    _fill(file, "audit", chained())
    trail = AuditTrail(records, SystemClock())
    trail.read(0, 1000)
    check, seconds = _timed(trail.verify)
    assert check.intact
    assert check.entries == entries
    return {"audit_entries": entries, "audit_verify_per_second": round(entries / seconds)}


def _costs(records: RecordStore, file: Path, count: int) -> dict[str, float]:
    draw = random.Random(1)

    def used() -> Iterable[dict[str, Any]]:
        body = UsageRecord(
            id="use_0",
            at=START,
            metric=Metric.QUERY_SECONDS,
            quantity=Decimal("1.25"),
            unit_price_eur=Decimal("0.000025"),
            amount_eur=Decimal("0.000031250000"),
            price_book=date(2026, 1, 1),
            user="ada",
        ).model_dump(mode="json")
        for number in range(count):
            at = START + timedelta(seconds=number * 31 * 86_400 / count)
            yield {
                **body,
                "id": f"use_{number:026}",
                "at": at.isoformat(),
                "metric": draw.choice(["query_seconds", "scanned_bytes", "machine_seconds"]),
                "amount_eur": f"0.{draw.randrange(10**12):012}",
                # Sixty people, each in two of forty projects, which use three datasets each.
                "user": f"user{(person := draw.randrange(60))}",
                "project": f"project{(project := (person + draw.randrange(2)) % 40)}",
                "dataset": f"dataset{(project + draw.randrange(3)) % 12}",
            }

    _fill(file, f"usage/{MONTH}", used())
    book = UsageBook(records, SystemClock(), load_price_books())
    first, cold = _timed(lambda: book.report(MONTH, "project"))
    reports = {}
    for by in ("user", "project", "dataset", "metric"):
        report, reports[by] = _timed(lambda by=by: book.report(MONTH, by))
        assert report.total_eur == first.total_eur
        assert sum(line.records for line in report.lines) == count
    days, over_time = _timed(
        lambda: series(
            records,
            by="project",
            step=CostStep.DAY,
            since=date(2026, 3, 1),
            until=date(2026, 3, 31),
            asked=CostFilter(),
        )
    )
    assert days.total_eur == first.total_eur
    return {
        "usage_records": count,
        "report_first_seconds": round(cold, 2),
        "report_seconds": round(max(reports.values()), 2),
        "series_seconds": round(over_time, 2),
    }


def _flows(records: RecordStore, file: Path, count: int) -> dict[str, float]:
    def moved() -> Iterable[dict[str, Any]]:
        for number in range(count):
            # One in a hundred is of the dataset that is asked for.
            dataset = "rare" if number % 100 == 0 else f"dataset{number % 40}"
            relation = Relation(dataset=dataset, table="visits", snapshot_id=1, columns=(), row_filter=None, files=())
            at = START + timedelta(seconds=number)
            query = QueryRecord(
                id=f"qry_{number}",
                project="heart",
                person=f"per_{number % 50}",
                sql="",
                versions=(f"{dataset}@1",),
                started_at=at,
                stats=QueryStats(rows=1, seconds=0, scanned_bytes=0, relations=(f"{dataset}.visits",)),
            )
            yield json.loads(query_event(query, [relation], at=at).model_dump_json())

    _fill(file, "flows", moved())
    log = FlowLog(records, SystemClock())
    _, first = _timed(lambda: log.of_dataset("rare", 50))
    found, seconds = _timed(lambda: log.of_dataset("rare", 50))
    assert len(found) == 50
    old = START + timedelta(seconds=count // 10)
    some, by_person = _timed(lambda: log.find(dataset="rare", person="per_0", until=old, limit=200))
    assert len(some.events) == len([n for n in range(count // 10) if n % 100 == 0 and n % 50 == 0][-200:])
    return {
        "flow_events": count,
        "flows_first_seconds": round(first, 2),
        "flows_seconds": round(max(seconds, by_person), 3),
    }


def _fill(file: Path, stream: str, bodies: Iterable[dict[str, Any]]) -> None:
    """Into the store's own tables: a million transactions would take an hour."""
    with sqlite3.connect(file) as database:
        at = START.isoformat()
        rows = (
            (stream, number, at, json.dumps(body, ensure_ascii=False, separators=(",", ":")))
            for number, body in enumerate(bodies, start=1)
        )
        last = database.executemany(
            "INSERT INTO stream_entries (stream, number, at, body) VALUES (?, ?, ?, ?)", rows
        ).rowcount
        database.execute("INSERT INTO streams (stream, number) VALUES (?, ?)", (stream, last))


def _timed(run: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    result = run()
    return result, time.perf_counter() - began


def _missed(figures: dict[str, float]) -> list[str]:
    held = {
        "audit_verify_per_second": figures["audit_verify_per_second"] >= VERIFY_PER_SECOND,
        "report_seconds": figures["report_seconds"] < REPORT_SECONDS,
        "flows_seconds": figures["flows_seconds"] < FLOWS_SECONDS,
    }
    return [name for name, holds in held.items() if not holds]


def _tell(figures: dict[str, float], missed: list[str]) -> None:
    table = Table(box=None)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,}", "missed" if name in missed else "")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
