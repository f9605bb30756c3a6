"""What a machine costs, told and confirmed before it is launched."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from atoll.errors import Conflict
from atoll.model.workspace import Size

#: 52 weeks of 40 hours, a twelfth of them.
WORKING_HOURS_A_MONTH = Decimal("173.33")
_CENT = Decimal("0.01")


def working_month_eur(size: Size) -> Decimal:
    """EUR for a month in which it runs in working hours only (40 a week), to the cent."""
    return (size.eur_per_hour * WORKING_HOURS_A_MONTH).quantize(_CENT, ROUND_HALF_UP)


def confirm(size: Size, eur_per_hour: Decimal | None) -> None:
    """Raise `Conflict`, which tells the price in force, unless exactly this price was confirmed."""
    if eur_per_hour == size.eur_per_hour:
        return
    if eur_per_hour is None:
        what = f"The price is not confirmed: {size.name} costs {size.eur_per_hour} EUR an hour."
    else:
        what = f"The price is another now: {size.name} costs {size.eur_per_hour} EUR an hour, not {eur_per_hour}."
    raise Conflict(what, where="confirm_eur_per_hour", todo=f"Confirm {size.eur_per_hour} if you agree.")
