"""`contract`: checked, explained, read; `commands/proposals.py` puts them in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.cells import counted
from atoll.cli.exit_codes import ExitCode
from atoll.cli.explanation import print_comparison, print_explanation
from atoll.cli.options import AsJson, read_text
from atoll.cli.output import note, print_json, show_many
from atoll.cli.session import client
from atoll.errors import ContractInvalid

contract = typer.Typer(no_args_is_help=True, help="What files look like and what is done to every column.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The contract, YAML; - for stdin.")]
Number = Annotated[int | None, typer.Option("--number", min=1, help="This version; without it the one in force.")]


@contract.command("check")
def check(file: File, as_json: AsJson = False) -> None:
    """Check a contract; every finding is told, with its line."""
    try:
        with client() as atoll:
            holds = atoll.contracts.check(read_text(file))
    except ContractInvalid as broken:
        _tell_findings(file, broken, as_json=as_json)
        raise typer.Exit(ExitCode.INVALID) from None
    if as_json:
        print_json({"holds": True, **holds, "findings": []})
    note(f"The contract of {holds['dataset']} holds: {len(holds['tables'])} tables.")


@contract.command("explain")
def explain(
    contract_or_dataset: Annotated[
        str, typer.Argument(metavar="FILE|DATASET", help="A contract's file, or a dataset for what is published.")
    ],
    number: Number = None,
    table: Annotated[str | None, typer.Option("--table", help="Only this table.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the compiled plan of each table too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what will be done to each column, in words."""
    path = Path(contract_or_dataset)
    with client() as atoll:
        if contract_or_dataset == "-" or path.is_file():
            explanation = atoll.contracts.explain(read_text(path))
        else:
            explanation = atoll.contracts.explain_published(contract_or_dataset, number)
    if as_json:
        print_json(explanation)
    else:
        print_explanation(explanation, table=table, plan=plan)


@contract.command("list")
def list_(as_json: AsJson = False) -> None:
    """Published contracts."""
    with client() as atoll:
        show_many("contract", atoll.contracts.list(), as_json=as_json)


@contract.command("show")
def show(
    dataset: Annotated[str, typer.Argument(help="The dataset.")], number: Number = None, as_json: AsJson = False
) -> None:
    """The contract's text, as it was reviewed."""
    with client() as atoll:
        found = atoll.contracts.show(dataset, number)
    if as_json:
        print_json(found)
        return
    note(f"{found['dataset']}@{found['number']}, published by {found['published_by']}")
    typer.echo(found["text"], nl=not found["text"].endswith("\n"))


@contract.command("versions")
def versions(dataset: Annotated[str, typer.Argument(help="The dataset.")], as_json: AsJson = False) -> None:
    """Every published version, newest first."""
    with client() as atoll:
        show_many("contract", atoll.contracts.versions(dataset), as_json=as_json)


@contract.command("diff")
def diff(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    before: Annotated[int, typer.Argument(min=1, help="Number of the earlier version.")],
    after: Annotated[int, typer.Argument(min=1, help="Number of the later version.")],
    as_json: AsJson = False,
) -> None:
    """What the later version does otherwise, in words and line by line."""
    with client() as atoll:
        found = atoll.contracts.compare(dataset, before, after)
    if as_json:
        print_json(found)
    else:
        print_comparison(found)


def _tell_findings(file: Path, broken: ContractInvalid, *, as_json: bool) -> None:
    if as_json:
        print_json({"holds": False, "findings": list(broken.findings)})
    else:
        for finding in broken.findings:
            typer.echo(f"{file}: {finding}")
    note(f"{broken.what} ({counted(len(broken.findings), 'finding')})")
