"""Proposals: a contract's change and its review by another steward."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import (
    ContractAnswer,
    Decision,
    NewProposal,
    ProposalAnswer,
    Refusal,
    ReviewedProposal,
)
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import review_contract as story
from atoll.model.proposal import ProposalState

routes = Routes("contract-proposals")


@routes.post("/contract-proposals", scope=Scope.CONTRACTS_WRITE, status_code=201)
def propose_contract(rooms: RoomsHere, caller: CallerHere, body: NewProposal) -> ProposalAnswer:
    """Ask that a contract be put in force; another steward reviews it."""
    return ProposalAnswer.of(story.propose(rooms, caller, body.text, body.note))


@routes.get("/contract-proposals", scope=Scope.CONTRACTS_READ)
def list_contract_proposals(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: Annotated[str | None, Query(max_length=64, description="Those of this dataset.")] = None,
    state: Annotated[ProposalState | None, Query(description="Those in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[ProposalAnswer]:
    """Proposals, newest first."""
    page = story.list_proposals(rooms, caller, dataset=dataset, state=state, cursor=cursor, limit=limit)
    return Listing(items=tuple(map(ProposalAnswer.of, page.records)), cursor=page.cursor)


@routes.get("/contract-proposals/{id}", scope=Scope.CONTRACTS_READ)
def show_contract_proposal(rooms: RoomsHere, caller: CallerHere, id: str) -> ReviewedProposal:
    """A proposal, with how it differs from the version that it would replace."""
    proposal = story.show_proposal(rooms, caller, id)
    return ReviewedProposal.beside(proposal, story.compared(rooms, proposal))


@routes.post("/contract-proposals/{id}/approve", scope=Scope.CONTRACTS_WRITE)
def approve_contract_proposal(rooms: RoomsHere, caller: CallerHere, id: str, body: Decision) -> ContractAnswer:
    """Put a proposal of somebody else's in force; the next admission uses it."""
    return ContractAnswer.of(story.approve(rooms, caller, id, body.reason))


@routes.post("/contract-proposals/{id}/refuse", scope=Scope.CONTRACTS_WRITE)
def refuse_contract_proposal(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> ProposalAnswer:
    """Turn a proposal of somebody else's down."""
    return ProposalAnswer.of(story.refuse(rooms, caller, id, body.reason))


@routes.post("/contract-proposals/{id}/withdraw", scope=Scope.CONTRACTS_WRITE)
def withdraw_contract_proposal(rooms: RoomsHere, caller: CallerHere, id: str) -> ProposalAnswer:
    """Take one's own proposal back."""
    return ProposalAnswer.of(story.withdraw(rooms, caller, id))
