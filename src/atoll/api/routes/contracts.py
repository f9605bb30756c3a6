"""Contracts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import ContractAnswer, ContractChecked, ContractText
from atoll.api.schemas.listing import Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.deid import Explanation
from atoll.flows import publish_contract as story

routes = Routes("contracts")

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


@routes.post("/contracts", scope=Scope.CONTRACTS_WRITE, status_code=201)
def publish_contract(rooms: RoomsHere, caller: CallerHere, body: ContractText) -> ContractAnswer:
    """Put a contract in force for its dataset."""
    return ContractAnswer.of(story.publish(rooms, caller, body.text))


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
