"""Months of the ledger: UTC, written `YYYY-MM`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta


def first_of(month: str) -> date:
    """The first day of the month `YYYY-MM`."""
    return date.fromisoformat(f"{month}-01")


def next_month(first: date) -> date:
    """The first day of the month after that of `first`, a first day."""
    return (first + timedelta(days=31)).replace(day=1)


def month_before(first: date) -> date:
    """The first day of the month before that of `first`, a first day."""
    return (first - timedelta(days=1)).replace(day=1)


def firsts(since: date, until: date) -> Iterator[date]:
    """The first day of each month of the time, both days counted."""
    month = since.replace(day=1)
    while month <= until:
        yield month
        month = next_month(month)
