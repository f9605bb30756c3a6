"""Options that many commands share."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from atoll.errors import InvalidInput

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else there.")]
AtMost = Annotated[int | None, typer.Option("--limit", min=1, help="Show so many at most; without it all.")]
PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="WHEN", help="A date or time (ISO 8601, local zone), or in so long: 12h, 90d."),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help="From this date or time on (ISO 8601, local zone).")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Before this date or time (ISO 8601, local zone).")
]
_SPANS = {"h": "hours", "d": "days", "w": "weeks"}


def read_password(from_stdin: bool, *, confirm: bool = False) -> str:
    """A password, from stdin or asked for on the terminal. It is never an argument: those are seen by all."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True))


def read_text(path: Path) -> str:
    """A text file, `-` for stdin. Raises `InvalidInput`."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as problem:
        raise InvalidInput(f"The file cannot be read: {problem.strerror}.", where=str(path)) from None
    except UnicodeDecodeError:
        raise InvalidInput("The file is not UTF-8 text.", where=str(path)) from None


def parse_time(text: str | None, option: str) -> datetime | None:
    """The time that an option names, with its zone. Raises `InvalidInput`."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise InvalidInput(
            "This is no time.", where=f"{option} {text}", todo="Write 2027-06-30 or 2027-06-30T18:00."
        ) from None


def parse_expiry(text: str | None) -> datetime | None:
    """The time that `--expires` names, with its zone. Raises `InvalidInput`."""
    if text is None:
        return None
    now = datetime.now().astimezone()
    span = _SPANS.get(text[-1:])
    if span and text[:-1].isdecimal():
        return now + timedelta(**{span: int(text[:-1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise InvalidInput(
            "This is no time.", where=f"--expires {text}", todo="Write 2027-06-30, 2027-06-30T18:00, 12h or 90d."
        ) from None


def parse_day(text: str) -> date | None:
    """The day that an option names, None for `none`. Raises `InvalidInput`."""
    if text == "none":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("This is no day.", where=text, todo="Write 2027-06-30, or none.") from None
