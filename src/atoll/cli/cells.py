"""How one value is written: times in the local zone, sizes, money, counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

Cell = Callable[[object], str]

NOTHING = "-"
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MONEY_DECIMALS = 4


def text(value: object) -> str:
    """Anything, plainly; several things in a row."""
    if value is None or value in ("", [], ()):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(text(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text(item)}" for key, item in value.items()) or NOTHING
    return str(value)


def drift(value: object) -> str:
    """`new SITE, reordered AGE`, from how a file's columns differ from its contract's."""
    differences = value if isinstance(value, list) else []
    return text([f"{one['kind']} {one['column']}" for one in differences])


def short(value: object) -> str:
    """The first twelve characters: enough of a hash to compare by eye."""
    return text(value)[:12]


def local_time(value: object) -> str:
    """`2026-03-01 14:05:09` in the zone of this machine, from ISO 8601 or a datetime."""
    if not value:
        return NOTHING
    when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(value: object) -> str:
    """Bytes in decimal units: `1.5 GB`."""
    if value is None:
        return NOTHING
    amount = Decimal(str(value))
    unit = 0
    while amount >= 1000 and unit < len(_SIZE_UNITS) - 1:
        amount /= 1000
        unit += 1
    return f"{amount:.0f} B" if unit == 0 else f"{amount:.1f} {_SIZE_UNITS[unit]}"


def memory(value: object) -> str:
    """Bytes of memory in binary units, as sizes of machines are told: `32 GiB`."""
    if value is None:
        return NOTHING
    gib = Decimal(str(value)) / 2**30
    return f"{gib.normalize():f} GiB"


def price_range(value: object) -> str:
    """The lowest and the highest price for an hour of the sizes."""
    prices = sorted(Decimal(str(size["eur_per_hour"])) for size in value) if isinstance(value, list) else []
    if not prices:
        return NOTHING
    return eur(prices[0]) if prices[0] == prices[-1] else f"{prices[0]:f} to {eur(prices[-1])}"


def count(value: object) -> str:
    """`1,234,567`; fractions keep two digits."""
    if value is None:
        return NOTHING
    number = Decimal(str(value))
    return f"{number:,.0f}" if number == number.to_integral_value() else f"{number:,.2f}"


def eur(value: object) -> str:
    """Money with four decimals, with more where it would read as nothing: `0.000012 EUR`."""
    if value is None:
        return NOTHING
    amount = Decimal(str(value))
    decimals = _MONEY_DECIMALS
    if amount and abs(amount) < Decimal(1).scaleb(-_MONEY_DECIMALS):
        decimals = 1 - amount.adjusted()
    return f"{amount:,.{decimals}f} EUR"


def percent(value: object) -> str:
    """A part of one: `42 %`."""
    return NOTHING if value is None else f"{Decimal(str(value)) * 100:.0f} %"


def seconds(value: object) -> str:
    """A duration: `0.12 s`."""
    return NOTHING if value is None else f"{Decimal(str(value)):.2f} s"


def duration(value: object) -> str:
    """A long time in its two largest units: `3 h 20 min`."""
    if value is None:
        return NOTHING
    minutes, rest = divmod(int(Decimal(str(value))), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount) or "0 s"


def counted(number: int, one: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def sentences(value: object) -> str:
    """Whole sentences, one after another."""
    return " ".join(map(str, value)) or NOTHING if isinstance(value, list | tuple) else text(value)


def facts(value: object) -> str:
    """What a line of a log tells beside its message."""
    if not isinstance(value, Mapping):
        return NOTHING
    return text({key: item for key, item in value.items() if key != "message"})


def names(value: object) -> str:
    """The names of OpenLineage inputs or outputs."""
    if not isinstance(value, list | tuple):
        return NOTHING
    return text([item.get("name", "") for item in value if isinstance(item, Mapping)])


def refs(value: object) -> str:
    """What became of each ref of a push."""
    if not isinstance(value, list):
        return NOTHING
    return text([f"{ref['ref']}{'' if ref['accepted'] else ' (refused)'}" for ref in value])


def decisions(value: object) -> str:
    """A review: what it says of each file, and why."""
    if not isinstance(value, list):
        return text(value)
    return "; ".join(f"{d['index']} {'approved' if d['approve'] else 'refused'}: {d['reason']}" for d in value)


def granted(value: object) -> str:
    """The part of a dataset that is granted."""
    if not isinstance(value, list):
        return "every table"
    parts = []
    for table in value:
        listed = f"({', '.join(table['columns'])})" if table.get("columns") is not None else ""
        where = f" where {table['row_filter']}" if table.get("row_filter") else ""
        parts.append(f"{table['table']}{listed}{where}")
    return "; ".join(parts)


def pinned(value: object) -> str:
    """The dataset version that is read."""
    return "newest" if value is None else text(value)


def frequent(value: object) -> str:
    """Values with the number of their rows."""
    if not isinstance(value, list):
        return NOTHING
    return text([f"{one['value']} ({one['rows']})" for one in value])


def every_project(value: object) -> str:
    """The projects that may launch a product."""
    return "every project" if value is None else text(value)


def weekly(value: object) -> str:
    """Spans of the week: `Mon Tue 08:00 to 18:00`."""
    if not isinstance(value, list):
        return NOTHING
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    spans = []
    for span in value:
        days = " ".join(names[day - 1] for day in sorted(span["weekdays"]))
        spans.append(f"{days} {str(span['start'])[:5]} to {str(span['end'])[:5]}")
    return "; ".join(spans)


def columns(value: object) -> str:
    """Names and types of a table's columns."""
    if not isinstance(value, list):
        return NOTHING
    return ", ".join(f"{column['name']} {column['type']}" for column in value)
