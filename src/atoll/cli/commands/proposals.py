"""`contract propose` and what follows: a change is proposed by one person and put in force by another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atoll.cli.explanation import print_comparison
from atoll.cli.options import AsJson, AtMost, read_text
from atoll.cli.output import note, print_json, show_many, show_one
from atoll.cli.session import client
from atoll.errors import NotFound
from atoll.model.proposal import ProposalState

if TYPE_CHECKING:
    from atoll.client import AtollClient

#: Commands of `contract`.
proposal = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE", help="The contract, YAML; - for stdin.")]
Id = Annotated[
    str,
    typer.Argument(metavar="PROPOSAL", help="The proposal's id, or the dataset whose one proposal waits for review."),
]


@proposal.command("propose")
def propose(
    file: File,
    message: Annotated[str, typer.Option("--message", "-m", help="Why, for the reviewer.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask that a contract be put in force for its dataset; another steward reviews it."""
    with client() as atoll:
        made = atoll.contracts.propose(read_text(file), message)
    show_one("contract_proposal", made, as_json=as_json)
    note(f"Another steward reviews it: atoll contract review {made['dataset']}, then approve or refuse.")


@proposal.command("proposals")
def proposals(
    dataset: Annotated[str | None, typer.Option(help="Of this dataset.")] = None,
    state: Annotated[ProposalState | None, typer.Option(help="In this state.")] = None,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """Proposals, newest first."""
    with client() as atoll:
        found = atoll.contracts.proposals(dataset=dataset, state=state.value if state else None, at_most=limit)
        show_many("contract_proposal", found, as_json=as_json)


@proposal.command("review")
def review(proposal_id: Id, as_json: AsJson = False) -> None:
    """A proposal, with what it does otherwise than the version that it would replace."""
    with client() as atoll:
        found = atoll.contracts.proposal(_proposal(atoll, proposal_id))
    if as_json:
        print_json(found)
        return
    show_one("contract_proposal", found, as_json=False)
    print_comparison(found["comparison"])


@proposal.command("approve")
def approve(
    proposal_id: Id,
    reason: Annotated[str, typer.Option(help="What it was checked for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put somebody else's proposal in force; the next admission uses it."""
    with client() as atoll:
        show_one("contract", atoll.contracts.approve(_proposal(atoll, proposal_id), reason), as_json=as_json)


@proposal.command("refuse")
def refuse(
    proposal_id: Id,
    reason: Annotated[str, typer.Option(help="Why; its author reads it.")],
    as_json: AsJson = False,
) -> None:
    """Turn somebody else's proposal down."""
    with client() as atoll:
        show_one("contract_proposal", atoll.contracts.refuse(_proposal(atoll, proposal_id), reason), as_json=as_json)


@proposal.command("withdraw")
def withdraw(proposal_id: Id, as_json: AsJson = False) -> None:
    """Take your own proposal back."""
    with client() as atoll:
        show_one("contract_proposal", atoll.contracts.withdraw(_proposal(atoll, proposal_id)), as_json=as_json)


def _proposal(atoll: AtollClient, word: str) -> str:
    """The id itself, or that of the one proposal that waits for the dataset. Raises `NotFound`."""
    if word.startswith("prp_"):
        return word
    waiting = list(atoll.contracts.proposals(dataset=word, state=ProposalState.WAITING.value, at_most=2))
    if len(waiting) != 1:
        many = "Several proposals wait" if waiting else "No proposal waits"
        raise NotFound(f"{many} for the dataset.", where=word, todo="Name one: `atoll contract proposals` lists them.")
    return str(waiting[0]["id"])
