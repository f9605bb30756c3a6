"""`workspace prove`, `workspace proofs`: attempts to break out of machines, kept as evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.bars import progress_bars
from atoll.cli.exit_codes import ExitCode
from atoll.cli.launching import find
from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, print_json, show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput

_Which = Annotated[
    str | None, typer.Argument(metavar="[ID|NAME]", help="The workspace; without it a machine is made for the proof.")
]


def prove(
    which: _Which = None,
    product: Annotated[str | None, typer.Option(help="For a machine made for the proof: of this product.")] = None,
    bombs: Annotated[
        bool, typer.Option("--bombs", help="Also use up processes, memory and disk; this disturbs the machine.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write the proof to this file, as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try to break out of a machine from inside, in every known way, and keep what came of it.

    Ends with 11 when an attempt came through.
    """
    if which is not None and product is not None:
        raise InvalidInput("A workspace has its product already.", where="--product")
    with client() as atoll:
        if which is None:
            proof = atoll.proofs.prove_fresh(product=product, bombs=bombs)
        else:
            proof = atoll.proofs.prove(find(atoll, which), bombs=bombs)
        with progress_bars() as on_progress:
            proof = atoll.proofs.wait(proof["id"], on_progress)
    if output is not None:
        output.write_text(json.dumps(proof, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(proof)
    else:
        show_one("proof", proof, as_json=False)
    if not proof["passed"]:
        note(f"{proof['came_through']} of {proof['attempts']} attempts came through.")
        raise typer.Exit(ExitCode.ISOLATION)


def proofs(which: _Which = None, limit: AtMost = None, as_json: AsJson = False) -> None:
    """Proofs of a workspace, or those that you may see; newest first."""
    with client() as atoll:
        workspace = None if which is None else find(atoll, which)
        show_many("proof", atoll.proofs.list(workspace, at_most=limit), as_json=as_json)
