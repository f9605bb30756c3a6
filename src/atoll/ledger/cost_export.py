"""Usage records as CSV: in Atoll's own columns, or in those of FOCUS.

FOCUS is the FinOps Open Cost and Usage Specification, https://focus.finops.org; column names
and meanings are of its version 1.2. A cell that a spreadsheet would take for a formula gets an
apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from atoll.ledger.months import first_of, next_month
from atoll.model.ledger import Metric, UsageRecord

OWN = (
    "id",
    "at",
    "metric",
    "quantity",
    "unit_price_eur",
    "amount_eur",
    "price_book",
    "user",
    "project",
    "dataset",
    "product",
    "workspace",
    "since",
    "until",
    "because",
    "corrects",
    "reason",
)

FOCUS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
)

_NAME = "Atoll"
#: Unit, service category of FOCUS, service.
_KINDS: Mapping[Metric, tuple[str, str, str]] = {
    Metric.ADMISSION_SECONDS: ("Seconds", "Analytics", "Admission"),
    Metric.QUERY_SECONDS: ("Seconds", "Analytics", "Governed SQL"),
    Metric.SCANNED_BYTES: ("Bytes", "Analytics", "Governed SQL"),
    Metric.STORED_BYTE_DAYS: ("Byte-Days", "Storage", "Lake"),
    Metric.MACHINE_SECONDS: ("Seconds", "Compute", "Machines"),
    Metric.MACHINE_STORED_BYTE_DAYS: ("Byte-Days", "Storage", "Machines"),
    Metric.RELEASED_BYTES: ("Bytes", "Security", "Airlock"),
}
_PIECE_ROWS = 500


def own_csv(records: Iterable[UsageRecord]) -> Iterator[bytes]:
    """The records as they are, a line each, with a heading."""
    return _csv(OWN, ([_text(getattr(record, name)) for name in OWN] for record in records))


def focus_csv(records: Iterable[UsageRecord], month: str) -> Iterator[bytes]:
    """The records of the month in the columns of FOCUS, a line each, with a heading."""
    start = first_of(month)
    end = next_month(start)
    return _csv(FOCUS, ([_text(value) for value in _focus(r, start, end).values()] for r in records))


def _focus(record: UsageRecord, start: date, end: date) -> dict[str, object]:
    unit, category, service = _KINDS[record.metric]
    since, until = _charged(record)
    amount, price = record.amount_eur, record.unit_price_eur
    tags = {
        name: value
        for name, value in {"user": record.user, "dataset": record.dataset, "because": record.because}.items()
        if value
    }
    resource = record.workspace or record.dataset
    told: dict[str, object] = {
        "BilledCost": amount,
        "BillingAccountId": "atoll",
        "BillingAccountName": _NAME,
        "BillingCurrency": "EUR",
        "BillingPeriodEnd": f"{end}T00:00:00Z",
        "BillingPeriodStart": f"{start}T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "Correction" if record.corrects else None,
        "ChargeDescription": f"{service}: {record.metric.value.replace('_', ' ')}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _time(until),
        "ChargePeriodStart": _time(since),
        "ConsumedQuantity": record.quantity,
        "ConsumedUnit": unit,
        "ContractedCost": amount,
        "ContractedUnitPrice": price,
        "EffectiveCost": amount,
        "InvoiceIssuerName": _NAME,
        "ListCost": amount,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingQuantity": record.quantity,
        "PricingUnit": unit,
        "ProviderName": _NAME,
        "PublisherName": _NAME,
        "ResourceId": resource,
        "ResourceType": None if resource is None else "Workspace" if record.workspace else "Dataset",
        "ServiceCategory": category,
        "ServiceName": service,
        "SkuId": record.product or record.metric.value,
        "SubAccountId": record.project,
        "SubAccountName": record.project,
        "Tags": json.dumps(tags, sort_keys=True),
    }
    return {name: told[name] for name in FOCUS}


def _charged(record: UsageRecord) -> tuple[datetime, datetime]:
    """When it was used; what takes no time, within the hour of its record."""
    if record.since is not None and record.until is not None:
        return record.since, record.until
    hour = record.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour, hour + timedelta(hours=1)


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: Any) -> str:  # noqa: ANN401  a cell of any kind
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if hasattr(value, "normalize"):
        return f"{value:f}"
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _csv(heading: tuple[str, ...], rows: Iterable[list[str]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heading)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _PIECE_ROWS == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
