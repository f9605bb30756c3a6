"""Price books: YAML files that say what each metric costs, from a date on."""

from __future__ import annotations

from pathlib import Path

import pydantic
import yaml

from atoll.errors import InvalidInput
from atoll.model.ledger import Metric, PriceBook

#: The books that ship with Atoll.
SHIPPED = Path(__file__).parent / "prices"
#: Machines have the price of their size; what leaves by the airlock has none.
_UNPRICED = frozenset({Metric.MACHINE_SECONDS, Metric.RELEASED_BYTES})


def load_price_books(directory: Path | None = None) -> tuple[PriceBook, ...]:
    """Every `*.yaml` in the directory (None: the shipped ones), oldest first.

    Raises `InvalidInput` when there is none, when one does not read as a book, leaves
    a metric without a price, or two are valid from the same date.
    """
    directory = directory or SHIPPED
    books = sorted((_load(path) for path in directory.glob("*.yaml")), key=lambda book: book.valid_from)
    if not books:
        raise InvalidInput("There is no price book.", where=str(directory), todo="Put at least one YAML file there.")
    dates = [book.valid_from for book in books]
    twice = sorted({date.isoformat() for date in dates if dates.count(date) > 1})
    if twice:
        raise InvalidInput(f"Two price books are valid from {twice[0]}.", where=str(directory), todo="Keep one.")
    return tuple(books)


def _load(path: Path) -> PriceBook:
    try:
        # BaseLoader leaves numbers as text, so that 0.022 becomes a Decimal and never a float.
        book = PriceBook.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader))  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(path, f"it cannot be read ({type(error).__name__})") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise _refused(path, f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None
    metrics = [price.metric for price in book.prices]
    if len(metrics) != len(set(metrics)):
        raise _refused(path, "a metric has two prices")
    missing = [str(metric) for metric in Metric if metric not in metrics and metric not in _UNPRICED]
    if Metric.MACHINE_SECONDS in metrics:
        raise _refused(path, "machine_seconds has the price of the machine's size, which is not in a book")
    if missing:
        raise _refused(path, f"{', '.join(missing)} has no price; write 0 for what is free")
    if any(price.eur < 0 for price in book.prices) or book.currency != "EUR":
        raise _refused(path, "prices are EUR and not negative")
    return book


def _refused(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"The price book does not hold: {why}.", where=str(path), todo="Mend the file and start again.")
