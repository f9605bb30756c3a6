"""`opening`: encrypted values, opened by two persons and handed once."""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput

opening = typer.Typer(no_args_is_help=True, help="Encrypted values, opened by two persons and handed over once.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The opening's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


@opening.command("list")
def list_(
    dataset: Annotated[str | None, typer.Option(help="Of this dataset.")] = None,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """What was asked to be opened, newest first."""
    with client() as atoll:
        show_many("opening", atoll.openings.list(dataset=dataset, at_most=limit), as_json=as_json)


@opening.command("show")
def show(opening_id: Id, as_json: AsJson = False) -> None:
    """One: which values, for whom, why, and what became of it."""
    with client() as atoll:
        show_one("opening", atoll.openings.show(opening_id), as_json=as_json)


@opening.command("ask")
def ask(
    table: Annotated[str, typer.Argument(metavar="DATASET.TABLE", help="Where the encrypted values stand.")],
    reason: Reason,
    column: Annotated[list[str] | None, typer.Option(help="An encrypted column; without it all of them.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="A subject, by pseudonym.")] = None,
    value: Annotated[list[str] | None, typer.Option(help="An encrypted value, as the lake shows it.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Every encrypted value of the table.")] = False,
    to: Annotated[str | None, typer.Option(help="Login of who gets them; without it you.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=168, help="For how long they may be taken once approved.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Ask that values be opened. Another steward decides, who is not the one to get them."""
    dataset, _, name = table.partition(".")
    if not name:
        raise InvalidInput("Write the table as DATASET.TABLE.", where=table)
    with client() as atoll:
        made = atoll.openings.ask(
            dataset,
            name,
            reason,
            columns=column or (),
            subjects=subject or (),
            values=value or (),
            whole=whole,
            recipient=to,
            hours=hours,
        )
    show_one("opening", made, as_json=as_json)
    note(f"Nothing is opened yet. Another steward decides: atoll opening approve {made['id']} --reason ...")


@opening.command("approve")
def approve(opening_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Let the person named have the values, once."""
    with client() as atoll:
        show_one("opening", atoll.openings.decide(opening_id, approve=True, reason=reason), as_json=as_json)


@opening.command("refuse")
def refuse(opening_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Turn it down."""
    with client() as atoll:
        show_one("opening", atoll.openings.decide(opening_id, approve=False, reason=reason), as_json=as_json)


@opening.command("withdraw")
def withdraw(opening_id: Id, as_json: AsJson = False) -> None:
    """Take back what you asked."""
    with client() as atoll:
        show_one("opening", atoll.openings.withdraw(opening_id), as_json=as_json)


@opening.command("take")
def take(
    opening_id: Id,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write, readable by you alone; - for the screen.")],
) -> None:
    """The values, once: they are not handed a second time. Columns subject, column, encrypted, value."""
    # The place is made first: what cannot be written must not be asked for.
    target = None if str(out) == "-" else _made(out)
    try:
        with client() as atoll:
            items = atoll.openings.take(opening_id)["items"]
        text = io.StringIO()
        lines = csv.DictWriter(text, ["subject", "column", "encrypted", "value"], lineterminator="\n")
        lines.writeheader()
        lines.writerows(items)
        if target is None:
            sys.stdout.write(text.getvalue())
        else:
            os.write(target, text.getvalue().encode())
            note(f"{len(items)} values are in {out}. Remove the file when you are done with it.")
    except BaseException:
        if target is not None:
            out.unlink(missing_ok=True)
        raise
    finally:
        if target is not None:
            os.close(target)


def _made(out: Path) -> int:
    try:
        return os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise InvalidInput(
            f"The file cannot be made: {problem.strerror}.", where=str(out), todo="Name one that is not there yet."
        ) from None
