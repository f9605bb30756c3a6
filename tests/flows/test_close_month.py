"""Costs over time, corrections, closed months: what is told is the sum of the records."""

from __future__ import annotations

import csv
import dataclasses
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound, NotPermitted
from atoll.flows import close_month, read_costs
from atoll.ledger import UsageBook, load_price_books, rollup
from atoll.model.cost import Correction, CostFilter, CostStep
from atoll.model.ledger import Metric
from atoll.model.person import Caller, Role, SubjectKind
from atoll.ports.records import Append

ADMIN, AUDITOR, ADA = (
    Caller(subject_kind=SubjectKind.PERSON, subject_id=f"per_{name}", name=name, roles=frozenset({role}))
    for name, role in (("root", Role.ADMIN), ("audit", Role.AUDITOR), ("ada", Role.SCIENTIST))
)


class SetClock:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


@pytest.fixture
def house(rooms, monkeypatch):
    """Rooms at the end of March, with 250 usage records of February and March; runs of 20."""
    monkeypatch.setattr(rollup, "CHUNK", 20)
    clock = SetClock(datetime(2026, 2, 1, tzinfo=UTC))
    book = UsageBook(rooms.records, clock, load_price_books())
    made = dataclasses.replace(rooms, clock=clock, usage=book)
    draw = random.Random(3)
    for _ in range(250):
        charge = book.charge(
            metric=draw.choice([Metric.QUERY_SECONDS, Metric.SCANNED_BYTES]),
            quantity=Decimal(draw.randrange(1, 10**9)) / 7,
            user=draw.choice(["ada", "ben"]),
            project=draw.choice([None, "heart", "lung"]),
            dataset=draw.choice([None, "trial"]),
            because="test",
        )
        rooms.records.transact([charge])
        clock.at += timedelta(hours=5)
    return made


def summed(records):
    return sum((record.amount_eur for record in records), Decimal(0))


def test_a_report_is_the_sum_of_the_records_however_it_is_asked(house):
    for month in ("2026-02", "2026-03"):
        records = list(house.usage.records_of(month))
        for _ in range(2):  # the second time from kept sums
            for by in ("user", "project", "dataset", "metric", "product", "workspace"):
                report = house.usage.report(month, by)
                assert report.total_eur == summed(records) == sum((li.amount_eur for li in report.lines), Decimal(0))
                assert sum(line.records for line in report.lines) == len(records)
        asked = CostFilter(project="heart", metric=Metric.QUERY_SECONDS)
        some = [r for r in records if r.project == "heart" and r.metric is Metric.QUERY_SECONDS]
        assert house.usage.report(month, "user", asked=asked).total_eur == summed(some) > 0


def test_a_series_is_the_sum_of_the_records(house):
    records = [r for month in ("2026-02", "2026-03") for r in house.usage.records_of(month)]
    since, until = date(2026, 2, 10), date(2026, 3, 12)
    told = read_costs.over_time(
        house, AUDITOR, by="project", step=CostStep.DAY, since=since, until=until, asked=CostFilter()
    )
    inside = [r for r in records if since <= r.at.date() <= until]
    assert told.total_eur == summed(inside)
    assert len(told.periods) == 31
    for line in told.lines:
        for point in line.points:
            same = [r for r in inside if (r.project or "-") == line.key and r.at.date() == point.period]
            assert (point.amount_eur, point.records) == (summed(same), len(same))
    assert [line.total_eur for line in told.lines] == sorted((line.total_eur for line in told.lines), reverse=True)
    months = read_costs.over_time(
        house,
        AUDITOR,
        by="user",
        step=CostStep.MONTH,
        since=date(2026, 1, 15),
        until=date(2026, 3, 31),
        asked=CostFilter(),
    )
    assert months.periods == (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
    assert months.total_eur == summed(records)


def test_who_sees_own_costs_only_gets_no_others(house):
    own = read_costs.report(house, ADA, "2026-02", "user", CostFilter())
    assert {line.key for line in own.lines} == {"ada"}
    with pytest.raises(InvalidInput):
        read_costs.report(house, ADA, "2026-02", "user", CostFilter(user="ben"))
    page = read_costs.records_page(house, ADA, "2026-02", CostFilter(), limit=5)
    assert {r.user for r in page.items} == {"ada"}
    exported = b"".join(read_costs.export(house, ADA, "2026-02", "csv", CostFilter())).decode()
    assert "ben" not in exported


def test_what_belongs_to_nothing_can_be_asked_for(house):
    none = CostFilter(project="-")
    page = read_costs.records_page(house, AUDITOR, "2026-02", none, limit=200)
    assert page.items
    assert {record.project for record in page.items} == {None}
    report = read_costs.report(house, AUDITOR, "2026-02", "user", none)
    assert report.total_eur == summed(page.items)
    line = [line for line in house.usage.report("2026-02", "project").lines if line.key == "-"]
    assert report.total_eur == sum((one.amount_eur for one in line), Decimal(0))


def test_records_come_page_by_page(house):
    found, cursor = [], 0
    while cursor is not None:
        page = read_costs.records_page(house, AUDITOR, "2026-02", CostFilter(user="ada"), after=int(cursor), limit=7)
        found += page.items
        cursor = page.cursor
    assert found == [r for r in house.usage.records_of("2026-02") if r.user == "ada"]


def test_exports_hold_every_record_to_the_last_digit(house):
    records = list(house.usage.records_of("2026-02"))
    own = list(
        csv.DictReader(
            io.StringIO(b"".join(read_costs.export(house, AUDITOR, "2026-02", "csv", CostFilter())).decode())
        )
    )
    assert [row["id"] for row in own] == [r.id for r in records]
    assert sum((Decimal(row["amount_eur"]) for row in own), Decimal(0)) == summed(records)
    focus = list(
        csv.DictReader(
            io.StringIO(b"".join(read_costs.export(house, AUDITOR, "2026-02", "focus", CostFilter())).decode())
        )
    )
    assert sum((Decimal(row["BilledCost"]) for row in focus), Decimal(0)) == summed(records)
    for row in focus:
        assert row["BillingPeriodStart"] == "2026-02-01T00:00:00Z"
        assert row["BillingPeriodEnd"] == "2026-03-01T00:00:00Z"
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert all(
            row[name] for name in ("BillingCurrency", "ChargeCategory", "ServiceCategory", "ServiceName", "Tags")
        )


def test_a_spreadsheet_meets_no_formula(house):
    charge = house.usage.charge(metric=Metric.QUERY_SECONDS, quantity=Decimal(1), user="=cmd()", because="+1")
    house.records.transact([charge])
    text = b"".join(read_costs.export(house, AUDITOR, "2026-03", "csv", CostFilter(user="=cmd()"))).decode()
    assert ",'=cmd()," in text
    assert ",'+1," in text


def test_a_closed_month_is_frozen(house):
    before = house.usage.report("2026-02", "user")
    closed = close_month.close_month(house, ADMIN, "2026-02")
    assert (closed.state, closed.total_eur, closed.closed_by) == ("closed", before.total_eur, "root")
    # Whatever is written into its stream afterwards counts no more.
    late = next(iter(house.usage.records_of("2026-02"))).model_dump(mode="json")
    house.records.transact([Append("usage/2026-02", (late,))])
    assert house.usage.report("2026-02", "user") == before
    assert len(list(house.usage.records_of("2026-02"))) == closed.records
    days = {"since": date(2026, 2, 1), "until": date(2026, 2, 28)}
    told = read_costs.over_time(house, AUDITOR, by="user", step=CostStep.DAY, asked=CostFilter(), **days)
    assert told.total_eur == before.total_eur
    with pytest.raises(AlreadyExists):
        close_month.close_month(house, ADMIN, "2026-02")
    event = [e.event for e in house.audit.tail(100) if e.event.action == "month.close"][-1]
    assert event.details["total_eur"] == str(before.total_eur)
    assert {m.month: m.state for m in read_costs.list_months(house, AUDITOR)} == {
        "2026-03": "open",
        "2026-02": "closed",
    }


def test_who_may_close_and_when(house):
    for caller in (AUDITOR, ADA):
        with pytest.raises(NotPermitted):
            close_month.close_month(house, caller, "2026-02")
    with pytest.raises(Conflict, match="not over"):
        close_month.close_month(house, ADMIN, "2026-03")
    with pytest.raises(InvalidInput):
        close_month.close_month(house, ADMIN, "2026-13")


def test_a_correction_is_a_new_record(house):
    wrong = next(r for r in house.usage.records_of("2026-02") if r.metric is Metric.QUERY_SECONDS)
    close_month.close_month(house, ADMIN, "2026-02")
    february, march = (house.usage.report(month, "user").total_eur for month in ("2026-02", "2026-03"))
    half = wrong.quantity / 2
    made = close_month.correct(
        house, ADMIN, Correction(month="2026-02", record=wrong.id, quantity=half, reason="counted twice")
    )
    assert (made.corrects, made.reason, made.user, made.project) == (
        wrong.id,
        "counted twice",
        wrong.user,
        wrong.project,
    )
    assert made.quantity == half - wrong.quantity
    assert made.amount_eur < 0
    assert house.usage.report("2026-02", "user").total_eur == february
    assert house.usage.report("2026-03", "user").total_eur == march + made.amount_eur
    with pytest.raises(Conflict):
        close_month.correct(house, ADMIN, Correction(month="2026-02", record=wrong.id, quantity=half, reason="again"))
    back = close_month.correct(
        house, ADMIN, Correction(month="2026-02", record=wrong.id, quantity=wrong.quantity, reason="it was right")
    )
    assert back.quantity == -made.quantity
    with pytest.raises(InvalidInput, match="is a correction"):
        close_month.correct(house, ADMIN, Correction(month="2026-03", record=made.id, quantity=Decimal(1), reason="no"))
    with pytest.raises(NotFound):
        close_month.correct(house, ADMIN, Correction(month="2026-02", record="use_absent", quantity=half, reason="no"))
    with pytest.raises(NotPermitted):
        close_month.correct(house, AUDITOR, Correction(month="2026-02", record=wrong.id, quantity=half, reason="no"))
