"""`workspace hours`: when a machine is to run, and why it is kept alive."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from atoll.cli.commands.workspaces import Which
from atoll.cli.launching import find
from atoll.cli.options import AsJson
from atoll.cli.output import show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput
from atoll.model.schedule import WeeklyHours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def hours(
    which: Which,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", metavar="DAYS=FROM-TO", help="Run then: mon-fri=08:00-18:00, sat=10:00-24:00; several."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the hours, like Europe/Berlin.")] = "UTC",
    none: Annotated[bool, typer.Option("--none", help="Take the hours away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or set weekly hours: woken when they begin, at rest outside them once nothing runs."""
    if on and none:
        raise InvalidInput("Hours are set or taken away, not both.", where="--on, --none")
    with client() as atoll:
        found = find(atoll, which)
        if on or none:
            shown = atoll.hours.set(found, weekly_hours(on, zone) if on else None)
        else:
            shown = atoll.hours.show(found)
    show_one("hours", shown, as_json=as_json)


def weekly_hours(texts: list[str], zone: str) -> WeeklyHours:
    """The hours that texts like `mon-fri=08:00-18:00` tell. Raises `InvalidInput`."""
    try:
        return WeeklyHours.model_validate({"zone": zone, "hours": [_span(text) for text in texts]})
    except (ValidationError, ValueError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "they cannot be read"
        raise InvalidInput(
            f"The hours do not hold: {why}.", where="--on", todo="Write them like mon-fri=08:00-18:00."
        ) from None


def _span(text: str) -> dict[str, object]:
    days, _, times = text.partition("=")
    first, _, last = days.partition("-")
    start, _, end = times.partition("-")
    begin, stop = _DAYS.index(first), _DAYS.index(last or first)
    weekdays = [n % 7 + 1 for n in range(begin, stop + 1 if stop >= begin else stop + 8)]
    return {"weekdays": weekdays, "start": start, "end": "00:00" if end == "24:00" else end}
