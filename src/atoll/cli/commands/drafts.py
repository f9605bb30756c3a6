"""`contract draft`: a contract from sample files, to be read and mended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.options import AsJson
from atoll.cli.output import note, print_json
from atoll.cli.session import client
from atoll.errors import InvalidInput

#: Commands of `contract`.
draft = typer.Typer()

#: So much of a file of lines tells enough.
_SAMPLE_BYTES = 4 * 2**20
#: A SAS transport file is read whole: it does not say how many rows it has.
_WHOLE_BYTES = 32 * 2**20


@draft.command("draft")
def draft_(
    files: Annotated[list[Path], typer.Argument(help="Samples of the files, named as they will be delivered.")],
    dataset: Annotated[str, typer.Option(help="The dataset that the contract is for.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here; never over a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draft a contract: types are inferred, likely identifiers named, and all that is doubtful dropped."""
    if output is not None and output.exists():
        raise InvalidInput("The file is there already.", where=str(output), todo="Choose another name.")
    with client() as atoll:
        made = atoll.contracts.draft(dataset, [(path.name, _beginning(path)) for path in _each(files)])
    if as_json:
        print_json(made)
    elif output is not None:
        output.write_text(made["text"])
    else:
        typer.echo(made["text"], nl=False)
    doubtful = sum(column["doubtful"] for column in made["columns"])
    note(f"{len(made['columns'])} columns, {doubtful} of them dropped for want of certainty, marked with (?).")
    for finding in made["findings"]:
        note(f"To be mended: {finding}")
    note("Read every line, then: atoll contract explain FILE, atoll contract propose FILE.")


def _each(paths: list[Path]) -> list[Path]:
    """The files, those of directories in order."""
    found: list[Path] = []
    for path in paths:
        found += sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    return found


def _beginning(path: Path) -> bytes:
    """What is sent of a file. Raises `InvalidInput`."""
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE_BYTES)
            if start.startswith(b"HEADER RECORD*******"):
                start += file.read(_WHOLE_BYTES - _SAMPLE_BYTES)
                if file.read(1):
                    raise InvalidInput("The SAS transport file is too large for a sample.", where=path.name)
                return start
            whole = not file.read(1)
    except OSError as problem:
        raise InvalidInput(f"The file cannot be read: {problem.strerror}.", where=str(path)) from None
    # A line that is cut off would be taken for a row.
    return start if whole else start[: start.rfind(b"\n") + 1]
