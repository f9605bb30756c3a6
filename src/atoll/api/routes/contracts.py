"""Contracts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import ComparisonAnswer, ContractAnswer, ContractChecked, ContractText, NewDraft
from atoll.api.schemas.listing import Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.deid import Explanation
from atoll.deid.draft import Draft
from atoll.flows import draft_contract as drafting
from atoll.flows import publish_contract as story
from atoll.flows import review_contract

routes = Routes("contracts")

#: Samples travel in Base64, a third larger than they are.
DRAFT_BODY_BYTES = 96 * 2**20

_Number = Annotated[int | None, Query(ge=1, description="Number of the version; left out, the one in force.")]


@routes.post("/contracts/check", scope=Scope.CONTRACTS_READ)
def check_contract(body: ContractText) -> ContractChecked:
    """Check a contract without publishing it; an error lists every finding."""
    contract = story.check(body.text)
    return ContractChecked(dataset=contract.dataset, tables=tuple(contract.tables))


@routes.post("/contracts/explain", scope=Scope.CONTRACTS_READ)
def explain_text(body: ContractText) -> Explanation:
    """What a contract would do to each column, in words and as the plan."""
    return story.explain_text(body.text)


@routes.post("/contract-drafts", scope=Scope.CONTRACTS_WRITE, max_body_size=DRAFT_BODY_BYTES)
def draft_contract(rooms: RoomsHere, caller: CallerHere, body: NewDraft) -> Draft:
    """Draft a contract from samples, which are looked at once and not kept."""
    return drafting.draft(rooms, caller, body.dataset, [(file.name, file.content) for file in body.files])


@routes.get("/contracts", scope=Scope.CONTRACTS_READ)
def list_contracts(rooms: RoomsHere) -> Listing[ContractAnswer]:
    """The contract in force of every dataset that has one."""
    return Listing(items=tuple(map(ContractAnswer.of, story.list_latest(rooms))))


@routes.get("/contracts/{dataset}", scope=Scope.CONTRACTS_READ)
def show_contract(rooms: RoomsHere, dataset: str, number: _Number = None) -> ContractAnswer:
    """A published contract."""
    found = story.latest(rooms, dataset) if number is None else story.numbered(rooms, dataset, number)
    return ContractAnswer.of(found)


@routes.get("/contracts/{dataset}/explain", scope=Scope.CONTRACTS_READ)
def explain_contract(rooms: RoomsHere, dataset: str, number: _Number = None) -> Explanation:
    """What a published contract does to each column, in words and as the plan."""
    found = story.latest(rooms, dataset) if number is None else story.numbered(rooms, dataset, number)
    return story.explain_text(found.text)


@routes.get("/contracts/{dataset}/versions", scope=Scope.CONTRACTS_READ)
def list_contract_versions(rooms: RoomsHere, dataset: str) -> Listing[ContractAnswer]:
    """Every published version of the dataset's contract, newest first."""
    return Listing(items=tuple(map(ContractAnswer.of, story.versions(rooms, dataset))))


@routes.get("/contracts/{dataset}/comparison", scope=Scope.CONTRACTS_READ)
def compare_contract_versions(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: str,
    before: Annotated[int, Query(ge=1, description="Number of the earlier version.")],
    after: Annotated[int, Query(ge=1, description="Number of the later version.")],
) -> ComparisonAnswer:
    """How two published versions differ, in words and line by line."""
    return ComparisonAnswer.of(review_contract.compare_versions(rooms, caller, dataset, before, after))
