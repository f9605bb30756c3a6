from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from atoll.cli import cells


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (500_000_000, "500.0 MB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_sizes(amount: int | None, written: str) -> None:
    assert cells.size(amount) == written


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", "0.0000 EUR"),
        ("12.5", "12.5000 EUR"),
        ("1234.56789", "1,234.5679 EUR"),
        ("0.0001", "0.0001 EUR"),
        ("0.00001234", "0.000012 EUR"),
        ("1E-9", "0.0000000010 EUR"),
        (None, "-"),
    ],
)
def test_money_never_reads_as_nothing(amount: str | None, written: str) -> None:
    assert cells.eur(amount) == written


def test_times_are_in_the_local_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    try:
        assert cells.local_time("2026-07-01T12:00:00Z") == "2026-07-01 14:00:00"
        assert cells.local_time(datetime(2026, 1, 1, 12, tzinfo=UTC)) == "2026-01-01 13:00:00"
        assert cells.local_time(None) == "-"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_texts() -> None:
    assert cells.text(True) == "yes"
    assert cells.text([]) == "-"
    assert cells.text(["a", "b"]) == "a, b"
    assert cells.text({"rows": 3, "keys": ["x"]}) == "rows: 3, keys: x"
    assert cells.count(1234567) == "1,234,567"
    assert cells.count("0.125") == "0.12"
    assert cells.percent(0.4167) == "42 %"


def test_grants_read_as_what_they_are() -> None:
    assert cells.granted(None) == "every table"
    assert (
        cells.granted(
            [
                {"table": "person", "columns": ["id", "born"], "row_filter": "born > 1950"},
                {"table": "visit", "columns": None, "row_filter": None},
            ]
        )
        == "person(id, born) where born > 1950; visit"
    )
    assert (cells.pinned(None), cells.pinned(3)) == ("newest", "3")
