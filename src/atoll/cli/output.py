"""What a command prints: results to stdout, notes to stderr, colour on a terminal only."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from atoll.cli.view import Field, View
from atoll.cli.views import VIEWS
from atoll.errors import InvalidInput

#: Where no terminal sets a width, nothing is cut or folded.
_WIDE = 4096


def print_result(what: RenderableType) -> None:
    """Something to stdout; where no terminal is, lines end where their text ends."""
    if sys.stdout.isatty():
        Console(file=sys.stdout, highlight=False).print(what)
        return
    text = io.StringIO()
    Console(file=text, highlight=False, width=_WIDE, no_color=True).print(what)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))


def print_heading(text: str) -> None:
    """A line that heads what follows."""
    print_result(Text(text, style="bold"))


def note_console() -> Console:
    """Standard error."""
    return Console(file=sys.stderr, highlight=False, width=None if sys.stderr.isatty() else _WIDE)


def note(message: str) -> None:
    """A line for the person, beside the result."""
    note_console().print(escape(message))


def plain(value: object) -> Any:  # noqa: ANN401  JSON is what it is
    """Models as the JSON they stand for; everything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def print_json(value: object) -> None:
    """One JSON document to stdout."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def show_many(view: str, things: Iterable[object], *, as_json: bool) -> None:
    """A list of things, as a table or as a JSON array."""
    rows = [plain(thing) for thing in things]
    if as_json:
        print_json(rows)
        return
    print_result(_table(VIEWS[view].columns, rows))
    if not rows:
        note("There is nothing to show.")


def show_one(view: str, thing: object, *, as_json: bool) -> None:
    """One thing with its parts, or as a JSON object."""
    body = plain(thing)
    if as_json:
        print_json(body)
        return
    shape = VIEWS[view]
    print_result(_sheet(shape, body))
    for part in shape.parts:
        rows = find(body, part.key)
        if rows:
            print_heading(f"\n{part.title}")
            print_result(_table(VIEWS[part.view].columns, rows))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Bytes to a file, or `-` to stdout. Raises `InvalidInput` when it cannot be written."""
    if str(path) == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    try:
        with path.open("wb") as file:
            file.writelines(pieces)
    except OSError as problem:
        raise InvalidInput(f"The file cannot be written: {problem.strerror}.", where=str(path)) from None


def find(body: object, path: str) -> object:
    """The value at a dotted path, None where there is none."""
    for key in path.split("."):
        if not isinstance(body, Mapping):
            return None
        body = body.get(key)
    return body


def _sheet(shape: View, body: object) -> Table:
    sheet = Table(box=None, show_header=False, pad_edge=False)
    sheet.add_column(style="bold", no_wrap=True)
    sheet.add_column(overflow="fold")
    for field in shape.fields or shape.columns:
        sheet.add_row(field.title, Text(field.cell(find(body, field.key))))
    return sheet


def _table(columns: tuple[Field, ...], rows: object) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.title, overflow="fold", justify="right" if column.number else "left")
    for row in rows if isinstance(rows, list) else []:
        table.add_row(*(Text(column.cell(find(row, column.key))) for column in columns))
    return table
