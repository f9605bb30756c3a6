"""`sql`: governed SQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.table import Table
from rich.text import Text

from atoll.cli import cells
from atoll.cli.options import AsJson, read_text
from atoll.cli.output import note, print_result
from atoll.cli.session import client
from atoll.errors import AtollError, InvalidInput

if TYPE_CHECKING:
    import pyarrow as pa

    from atoll.client import AtollClient


class ResultFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"
    PARQUET = "parquet"


_BINARY = {ResultFormat.ARROW, ResultFormat.PARQUET}


def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT over dataset.table; - reads it from stdin.")],
    project: Annotated[str, typer.Option(help="Under this project's grants.")],
    format: Annotated[
        ResultFormat | None, typer.Option(help="Without it by the name of the output, or a table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to this file.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="A table shows so many rows; files and pipes get all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ask SQL under a project's grants."""
    text = read_text(Path("-")) if statement == "-" else statement
    chosen = _format(format, output, as_json=as_json)
    with client() as atoll:
        if chosen is ResultFormat.TABLE:
            query_id = _show_table(atoll, project, text, rows)
        else:
            with target(output) as out:
                query_id = atoll.sql(project, text, chosen.value, out)
        _note_use(atoll, query_id)


def _format(format: ResultFormat | None, output: Path | None, *, as_json: bool) -> ResultFormat:
    """The format asked for. Raises `InvalidInput` where it would end on a terminal or is not clear."""
    if as_json and format not in (None, ResultFormat.JSON):
        raise InvalidInput(f"--json and --format {format} contradict each other.", todo="Give one of them.")
    if as_json:
        return ResultFormat.JSON
    by_name = output.suffix.lstrip(".").lower() if output else ""
    if format is None:
        format = ResultFormat(by_name) if by_name in list(ResultFormat) else ResultFormat.TABLE
    if output is not None and format is ResultFormat.TABLE:
        raise InvalidInput(
            "A table is for the eye, a file needs another format.",
            where=str(output),
            todo="Add --format csv, json, arrow or parquet.",
        )
    if output is None and format in _BINARY and sys.stdout.isatty():
        raise InvalidInput(f"{format} is binary, not for a terminal.", todo="Add -o FILE, or pipe it.")
    return format


@contextmanager
def target(output: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that stands under its name only once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as problem:
        raise InvalidInput(f"The file cannot be written: {problem.strerror}.", where=str(output)) from None
    finally:
        part.unlink(missing_ok=True)
    note(f"Written to {output}, {cells.size(output.stat().st_size)}.")


def _show_table(atoll: AtollClient, project: str, text: str, at_most: int) -> str:
    with atoll.queries.batches(project, text) as (query_id, reader):
        table = Table(box=None, pad_edge=False, header_style="bold")
        for field in reader.schema:
            table.add_column(Text(field.name), overflow="fold", justify="right" if _is_number(field) else "left")
        total = 0
        for batch in reader:
            for row in batch.slice(0, max(0, at_most - total)).to_pylist():
                table.add_row(*(Text(_cell(value)) for value in row.values()))
            total += batch.num_rows
    print_result(table)
    if total > at_most:
        note(f"The first {at_most} of {total} rows; --rows shows more, --format csv all.")
    return query_id


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value)


def _is_number(field: pa.Field) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type))


def _note_use(atoll: AtollClient, query_id: str) -> None:
    """What the query used, beside the result; a courtesy that never fails a command."""
    try:
        stats = atoll.queries.show(query_id).get("stats")
    except AtollError:
        return
    if stats:
        rows = "1 row" if stats["rows"] == 1 else f"{cells.count(stats['rows'])} rows"
        seconds, scanned = cells.seconds(stats["seconds"]), cells.size(stats["scanned_bytes"])
        note(f"{rows} in {seconds}, {scanned} scanned, query {query_id}.")
