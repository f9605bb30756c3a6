"""The usage book: what was used, at the price of the time, and reports over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal, cast, get_args

from atoll.errors import InvalidInput, NotFound
from atoll.model.ledger import CostLine, CostReport, Metric, PriceBook, UsageRecord
from atoll.model.record import new_id
from atoll.ports.clock import Clock
from atoll.ports.records import Append, RecordStore

By = Literal["user", "project", "dataset", "metric", "product", "workspace"]
#: The key of usage that belongs to no project, dataset, product or workspace.
NOBODY = "-"
BATCH = 1000

# 60 digits: sums of amounts below stay exact for any bill.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
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
        return Append(_stream(f"{now.astimezone(UTC):%Y-%m}"), (record.model_dump(mode="json"),))

    def records_of(self, month: str) -> Iterator[UsageRecord]:
        """Every usage record of the month `YYYY-MM`, oldest first. Raises `InvalidInput`."""
        stream = _stream(month)
        after = 0
        while batch := self._records.read(stream, after=after, limit=BATCH):
            yield from (UsageRecord.model_validate(stored.body) for stored in batch)
            after = batch[-1].number

    def report(self, month: str, by: str, *, user: str | None = None) -> CostReport:
        """Sums of the month `YYYY-MM` by `user`, `project`, `dataset`, `metric`, `product` or `workspace`.

        A line for each key and metric, in their order; what has no such key
        stands under `-`; with `user`, of that user's records only. The total is the exact sum of the records' amounts.
        Raises `InvalidInput` for another month or key.
        """
        if by not in get_args(By):
            raise InvalidInput(f"Costs are reported by {', '.join(get_args(By))}.", where="by")
        lines: dict[tuple[str, Metric], CostLine] = {}
        total = Decimal(0)
        for record in self.records_of(month):
            if user is not None and record.user != user:
                continue
            key = (_key(record, cast("By", by)), record.metric)
            lines[key] = _added(lines.get(key), record, key[0])
            total = _EXACT.add(total, record.amount_eur)
        ordered = tuple(lines[key] for key in sorted(lines))
        return CostReport(month=month, by=by, lines=ordered, total_eur=total)


def _unit_price(book: PriceBook, metric: Metric) -> Decimal:
    price = next((p for p in book.prices if p.metric is metric), None)
    if price is None:
        raise ValueError(f"the price of {metric} is not in the book, it is given with the charge")
    return _EXACT.divide(price.eur, price.per)


def _stream(month: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month, re.ASCII):
        raise InvalidInput("A month is written YYYY-MM.", where="month")
    return f"usage/{month}"


def _key(record: UsageRecord, by: By) -> str:
    return str(getattr(record, by) or NOBODY)


def _added(line: CostLine | None, record: UsageRecord, key: str) -> CostLine:
    if line is None:
        line = CostLine(key=key, metric=record.metric, quantity=Decimal(0), amount_eur=Decimal(0), records=0)
    return line.model_copy(
        update={
            "quantity": _EXACT.add(line.quantity, record.quantity),
            "amount_eur": _EXACT.add(line.amount_eur, record.amount_eur),
            "records": line.records + 1,
        }
    )
