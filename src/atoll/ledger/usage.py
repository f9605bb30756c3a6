"""The usage book: what was used, at the price of the time, and reports over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

from atoll.errors import InvalidInput, NotFound
from atoll.ledger.rollup import EXACT as _EXACT
from atoll.ledger.rollup import Sums, cells_of, frozen_at
from atoll.model.cost import NOBODY, CostFilter
from atoll.model.ledger import CostLine, CostReport, Metric, PriceBook, UsageRecord
from atoll.model.record import new_id
from atoll.ports.clock import Clock
from atoll.ports.records import Append, RecordStore

By = Literal["user", "project", "dataset", "metric", "product", "workspace"]
BATCH = 1000

# A price for one byte-day is 7.3e-13 EUR and may be periodic; rounded here, even the amount
# for an exabyte-day comes out right to the last digit kept.
_UNIT_PRICE_STEP = Decimal("1e-36")
_AMOUNT_STEP = Decimal("1e-12")


class UsageBook:
    """Charges usage and reports its cost. Amounts are EUR, Decimal throughout."""

    def __init__(self, records: RecordStore, clock: Clock, price_books: Sequence[PriceBook]) -> None:
        """Keep usage in a stream for each month, `usage/YYYY-MM` (UTC)."""
        self._records = records
        self._clock = clock
        self._books = sorted(price_books, key=lambda book: book.valid_from)

    @property
    def price_books(self) -> tuple[PriceBook, ...]:
        """Every book, oldest first: those of the past, the one in force, those to come."""
        return tuple(self._books)

    def prices_at(self, when: datetime) -> PriceBook:
        """The book in force: the latest that is valid from a day not after `when` (UTC).

        Raises `NotFound` when `when` is before the first book.
        """
        day = when.astimezone(UTC).date()
        in_force = [book for book in self._books if book.valid_from <= day]
        if not in_force:
            raise NotFound(
                f"No price book is in force on {day.isoformat()}.", todo="Add one that is valid from an earlier date."
            )
        return in_force[-1]

    def charge(
        self,
        *,
        metric: Metric,
        quantity: Decimal,
        user: str,
        project: str | None = None,
        dataset: str | None = None,
        product: str | None = None,
        workspace: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        unit_price_eur: Decimal | None = None,
        because: str = "",
    ) -> Append:
        """The write that adds a usage record at the price of now, to join a transaction.

        `quantity` is in the metric's unit, not negative (`ValueError`). The amount is
        quantity times unit price, rounded half even to 1e-12 EUR. The unit price is the
        book's, or the one given for a metric that the book has no price of.
        """
        if not quantity.is_finite() or quantity < 0:
            raise ValueError("a quantity is a number, not negative")
        now = self._clock.now()
        book = self.prices_at(now)
        asked = _unit_price(book, metric) if unit_price_eur is None else unit_price_eur
        unit_price = _EXACT.quantize(asked, _UNIT_PRICE_STEP)
        record = UsageRecord(
            id=new_id("use"),
            at=now,
            metric=metric,
            quantity=quantity,
            unit_price_eur=unit_price.normalize(_EXACT),
            amount_eur=_EXACT.quantize(_EXACT.multiply(quantity, unit_price), _AMOUNT_STEP),
            price_book=book.valid_from,
            user=user,
            project=project,
            dataset=dataset,
            product=product,
            workspace=workspace,
            since=since,
            until=until,
            because=because,
        )
        return Append(stream_of(f"{now.astimezone(UTC):%Y-%m}"), (record.model_dump(mode="json"),))

    def correction(self, wrong: UsageRecord, by: Decimal, *, reason: str, because: str) -> tuple[Append, UsageRecord]:
        """The write that changes what `wrong` was charged for by a quantity (negative: less), and its record.

        At the price of the corrected record, which it names; it is of this month.
        """
        now = self._clock.now()
        record = wrong.but(
            id=new_id("use"),
            at=now,
            quantity=by,
            amount_eur=_EXACT.quantize(_EXACT.multiply(by, wrong.unit_price_eur), _AMOUNT_STEP),
            because=because,
            corrects=wrong.id,
            reason=reason,
        )
        return Append(stream_of(f"{now.astimezone(UTC):%Y-%m}"), (record.model_dump(mode="json"),)), record

    def numbered(self, month: str, after: int = 0) -> Iterator[tuple[int, UsageRecord]]:
        """Every usage record of the month `YYYY-MM` with its number, oldest first, behind `after`.

        Of a closed month those that it was closed with. Raises `InvalidInput`.
        """
        stream, last = stream_of(month), frozen_at(self._records, month)
        while last is None or after < last:
            batch = self._records.read(stream, after=after, limit=BATCH if last is None else min(BATCH, last - after))
            if not batch:
                return
            for stored in batch:
                yield stored.number, UsageRecord.model_validate(stored.body)
            after = batch[-1].number

    def records_of(self, month: str) -> Iterator[UsageRecord]:
        """Every usage record of the month `YYYY-MM`, oldest first. Raises `InvalidInput`."""
        return (record for _, record in self.numbered(month))

    def report(self, month: str, by: str, *, user: str | None = None, asked: CostFilter | None = None) -> CostReport:
        """Sums of the month `YYYY-MM` by `user`, `project`, `dataset`, `metric`, `product` or `workspace`.

        A line for each key and metric, in their order; what has no such key
        stands under `-`; with `user` or `asked`, of such records only. The total is the exact sum of the
        records' amounts. Raises `InvalidInput` for another month or key.
        """
        if by not in get_args(By):
            raise InvalidInput(f"Costs are reported by {', '.join(get_args(By))}.", where="by")
        stream_of(month)
        asked = asked or CostFilter(user=user)
        lines: dict[tuple[str, str], Sums] = {}
        total = Decimal(0)
        for cell in cells_of(self._records, month, asked, to=frozen_at(self._records, month)):
            key = (str(getattr(cell, by) or NOBODY), cell.metric)
            lines.setdefault(key, Sums()).add(cell.quantity, cell.amount_eur, cell.records)
            total = _EXACT.add(total, cell.amount_eur)
        ordered = tuple(
            CostLine(key=key, metric=Metric(metric), quantity=s.quantity, amount_eur=s.amount_eur, records=s.records)
            for (key, metric), s in sorted(lines.items())
        )
        return CostReport(month=month, by=by, lines=ordered, total_eur=total)


def _unit_price(book: PriceBook, metric: Metric) -> Decimal:
    price = next((p for p in book.prices if p.metric is metric), None)
    if price is None:
        raise ValueError(f"the price of {metric} is not in the book, it is given with the charge")
    return _EXACT.divide(price.eur, price.per)


def stream_of(month: str) -> str:
    """The stream of a month's usage. Raises `InvalidInput` for what is no month."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month, re.ASCII):
        raise InvalidInput("A month is written YYYY-MM.", where="month")
    return f"usage/{month}"
