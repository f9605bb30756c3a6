from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.ledger.conftest import SetClock

from atoll.errors import InvalidInput, NotFound
from atoll.ledger import UsageBook, load_price_books
from atoll.ledger import usage as usage_module
from atoll.model.ledger import Metric, Price, PriceBook
from atoll.ports.records import RecordStore
from atoll.providers.records import open_record_store

BOOK = """
valid_from: {date}
prices:
  - {{metric: admission_seconds, eur: 0.09, per: 3600}}
  - {{metric: query_seconds, eur: {query}, per: 3600}}
  - {{metric: scanned_bytes, eur: 5, per: 1000000000000}}
  - {{metric: stored_byte_days, eur: 0.022, per: 30000000000}}
  - {{metric: machine_stored_byte_days, eur: 0.11, per: 30000000000}}
"""


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    opened = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    yield opened
    opened.close()


@pytest.fixture
def usage(records: RecordStore, clock: SetClock) -> UsageBook:
    return UsageBook(records, clock, load_price_books())


def charge(usage: UsageBook, records: RecordStore, metric: Metric, quantity: str, **who: str | None) -> None:
    records.transact([usage.charge(metric=metric, quantity=Decimal(quantity), **{"user": "ada", **who})])  # type: ignore[arg-type]


# --- prices


def test_the_shipped_book() -> None:
    (book,) = load_price_books()
    assert book.valid_from == date(2026, 1, 1) and book.currency == "EUR"
    assert {p.metric: (p.eur, p.per) for p in book.prices} == {
        Metric.ADMISSION_SECONDS: (Decimal("0.09"), Decimal(3600)),
        Metric.QUERY_SECONDS: (Decimal("0.09"), Decimal(3600)),
        Metric.SCANNED_BYTES: (Decimal(5), Decimal(10**12)),
        Metric.STORED_BYTE_DAYS: (Decimal("0.022"), Decimal(30 * 10**9)),
        Metric.MACHINE_STORED_BYTE_DAYS: (Decimal("0.11"), Decimal(30 * 10**9)),
    }


def test_the_price_of_the_time(tmp_path: Path, records: RecordStore, clock: SetClock) -> None:
    for name, day, price in (("b", "2026-07-01", "0.36"), ("a", "2026-01-01", "0.09"), ("c", "2027-01-01", "3.6")):
        (tmp_path / f"{name}.yaml").write_text(BOOK.format(date=day, query=price))
    usage = UsageBook(records, clock, load_price_books(tmp_path))
    for at, valid_from in (
        ("2026-01-01T00:00:00+00:00", date(2026, 1, 1)),
        ("2026-06-30T23:59:59+00:00", date(2026, 1, 1)),
        ("2026-07-01T00:00:00+00:00", date(2026, 7, 1)),
        # Still June in UTC.
        ("2026-07-01T01:00:00+02:00", date(2026, 1, 1)),
        ("2040-01-01T00:00:00+00:00", date(2027, 1, 1)),
    ):
        assert usage.prices_at(datetime.fromisoformat(at)).valid_from == valid_from
    with pytest.raises(NotFound):
        usage.prices_at(datetime(2025, 12, 31, tzinfo=UTC))
    # What was charged keeps its price when a new book comes into force.
    clock.at = datetime(2026, 6, 30, 23, tzinfo=UTC)
    charge(usage, records, Metric.QUERY_SECONDS, "10")
    clock.move(hours=2)
    charge(usage, records, Metric.QUERY_SECONDS, "10")
    (june,) = usage.records_of("2026-06")
    (july,) = usage.records_of("2026-07")
    assert (june.amount_eur, june.price_book) == (Decimal("0.00025"), date(2026, 1, 1))
    assert (july.amount_eur, july.price_book) == (Decimal("0.001"), date(2026, 7, 1))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("valid_from: [", "cannot be read"),
        ("valid_from: someday\nprices: []", "valid_from"),
        ("valid_from: 2026-01-01\nprices: []", "has no price"),
        (BOOK.format(date="2026-01-01", query="-1"), "not negative"),
        (BOOK.format(date="2026-01-01", query="cheap"), "prices.1.eur"),
        (BOOK.format(date="2026-01-01", query="1").replace("per: 3600", "per: 0"), "per"),
        (BOOK.format(date="2026-01-01", query="1") + "  - {metric: query_seconds, eur: 1, per: 1}", "two prices"),
        (BOOK.format(date="2026-01-01", query="1") + "  - {metric: machine_seconds, eur: 1, per: 1}", "of the machine"),
        (BOOK.format(date="2026-01-01", query="1") + "currency: USD", "EUR"),
        (BOOK.format(date="2026-01-01", query="1") + "discount: 1", "discount"),
    ],
)
def test_a_book_that_does_not_hold_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "book.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=why) as refused:
        load_price_books(tmp_path)
    assert "book.yaml" in str(refused.value)


def test_no_book_and_two_of_one_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no price book"):
        load_price_books(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(BOOK.format(date="2026-01-01", query="1"))
    with pytest.raises(InvalidInput, match="2026-01-01"):
        load_price_books(tmp_path)


# --- charging


@pytest.mark.parametrize(
    ("metric", "quantity", "amount"),
    [
        (Metric.SCANNED_BYTES, "1000000000000", "5"),
        (Metric.SCANNED_BYTES, "1", "0.000000000005"),
        (Metric.QUERY_SECONDS, "3600", "0.09"),
        (Metric.ADMISSION_SECONDS, "0.5", "0.0000125"),
        (Metric.STORED_BYTE_DAYS, "30000000000", "0.022"),
        (Metric.STORED_BYTE_DAYS, "1000000000", "0.000733333333"),
        # An exabyte for a day.
        (Metric.STORED_BYTE_DAYS, "1000000000000000000", "733333.333333333333"),
        (Metric.QUERY_SECONDS, "0", "0"),
    ],
)
def test_amounts(usage: UsageBook, records: RecordStore, metric: Metric, quantity: str, amount: str) -> None:
    charge(usage, records, metric, quantity, project="p", dataset="d", because="query/qry_1")
    (record,) = usage.records_of("2026-03")
    assert (record.quantity, record.amount_eur) == (Decimal(quantity), Decimal(amount))
    assert (record.user, record.project, record.dataset, record.because) == ("ada", "p", "d", "query/qry_1")
    # A reader can check the bill from the record alone.
    assert abs(record.quantity * record.unit_price_eur - record.amount_eur) <= Decimal("1e-12")


@pytest.mark.parametrize("quantity", ["-1", "NaN", "Infinity"])
def test_a_quantity_is_a_number_not_negative(usage: UsageBook, quantity: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        usage.charge(metric=Metric.QUERY_SECONDS, quantity=Decimal(quantity), user="ada")


def test_a_charge_joins_a_transaction(usage: UsageBook, records: RecordStore) -> None:
    priced = [m for m in Metric if m not in (Metric.MACHINE_SECONDS, Metric.RELEASED_BYTES)]
    charges = [usage.charge(metric=m, quantity=Decimal(1), user="ada") for m in priced]
    records.transact(charges)
    assert [r.metric for r in usage.records_of("2026-03")] == priced


def test_the_price_of_a_machine_is_given_with_the_charge(usage: UsageBook, records: RecordStore) -> None:
    with pytest.raises(ValueError, match="machine_seconds"):
        usage.charge(metric=Metric.MACHINE_SECONDS, quantity=Decimal(1), user="ada")
    price = Decimal("0.35") / 3600
    for quantity in ("3600", "0.5"):
        charged = usage.charge(
            metric=Metric.MACHINE_SECONDS,
            quantity=Decimal(quantity),
            user="ada",
            product="jupyter@1",
            workspace="wsp_1",
            unit_price_eur=price,
        )
        records.transact([charged])
    hour, half = usage.records_of("2026-03")
    assert round(hour.amount_eur, 9) == Decimal("0.35")
    assert half.amount_eur == Decimal("0.000048611111")
    for by, key in (("product", "jupyter@1"), ("workspace", "wsp_1")):
        (line,) = usage.report("2026-03", by).lines
        assert (line.key, line.quantity) == (key, Decimal("3600.5"))


# --- reports


def test_a_report_equals_the_sum_of_the_records(
    usage: UsageBook, records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_module, "BATCH", 7)
    for index in range(60):
        who = {"user": f"u{index % 3}", "project": None if index % 5 == 0 else f"p{index % 2}"}
        metric = list(Metric)[index % 4]
        charge(usage, records, metric, f"{index * 7919 + 1}.{index:03d}", dataset=f"d{index % 2}", **who)
    all_records = list(usage.records_of("2026-03"))
    total = sum((r.amount_eur for r in all_records), Decimal(0))
    assert len(all_records) == 60 and total > 0
    for by in ("user", "project", "dataset", "metric", "product"):
        report = usage.report("2026-03", by)
        assert (report.month, report.by, report.currency) == ("2026-03", by, "EUR")
        assert report.total_eur == total == sum((line.amount_eur for line in report.lines), Decimal(0))
        assert sum(line.records for line in report.lines) == 60
        for line in report.lines:
            mine = [r for r in all_records if (getattr(r, by) or "-") == line.key and r.metric is line.metric]
            assert line.quantity == sum((r.quantity for r in mine), Decimal(0)) and line.records == len(mine)
            assert line.amount_eur == sum((r.amount_eur for r in mine), Decimal(0))
        keys = [(line.key, line.metric) for line in report.lines]
        assert keys == sorted(keys) and len(keys) == len(set(keys))
    assert {line.key for line in usage.report("2026-03", "project").lines} == {"-", "p0", "p1"}


def test_cents_of_a_million_records_add_up_exactly(usage: UsageBook) -> None:
    # Sums past 28 digits, where Decimal rounds by default.
    assert usage_module._EXACT.add(Decimal("123456789012345678.9"), Decimal("1e-12")) == Decimal(
        "123456789012345678.900000000001"
    )


def test_months_are_apart_and_an_empty_one_is_nothing(usage: UsageBook, records: RecordStore, clock: SetClock) -> None:
    clock.at = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    charge(usage, records, Metric.QUERY_SECONDS, "3600")
    clock.move(microseconds=1)
    charge(usage, records, Metric.QUERY_SECONDS, "7200")
    assert usage.report("2026-01", "user").total_eur == Decimal("0.09")
    assert usage.report("2026-02", "user").total_eur == Decimal("0.18")
    assert (usage.report("2026-03", "user").lines, usage.report("2026-03", "user").total_eur) == ((), Decimal(0))


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-1", "2026-01-01", "٢٠٢٦-٠١"])
def test_what_is_no_month_is_refused(usage: UsageBook, month: str) -> None:
    with pytest.raises(InvalidInput):
        usage.report(month, "user")


@pytest.mark.parametrize("by", ["", "id", "amount_eur", "because"])
def test_what_is_no_key_is_refused(usage: UsageBook, by: str) -> None:
    with pytest.raises(InvalidInput):
        usage.report("2026-01", by)


def test_a_price_of_zero_is_free(records: RecordStore, clock: SetClock) -> None:
    prices = tuple(Price(metric=m, eur=Decimal(0), per=Decimal(1)) for m in Metric)
    usage = UsageBook(records, clock, [PriceBook(valid_from=date(2026, 1, 1), prices=prices)])
    charge(usage, records, Metric.QUERY_SECONDS, "10")
    assert usage.report("2026-03", "user").total_eur == 0
