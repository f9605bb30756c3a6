"""A contract's change is proposed by one steward and put in force by another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import unified_diff

from atoll.access import permissions, policies
from atoll.access.scopes import Scope
from atoll.deid import ContractChange, differences, parse_contract
from atoll.errors import Conflict, VersionConflict
from atoll.flows import publish_contract
from atoll.flows.rooms import Rooms
from atoll.model.contract import ContractVersion
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.proposal import ContractProposal, ProposalState
from atoll.model.record import new_id
from atoll.ports.records import Page, Put


@dataclass(frozen=True)
class Comparison:
    """How a text differs from the version before: in words, and line by line."""

    changes: tuple[ContractChange, ...]
    #: The unified difference of both texts.
    lines: str


def propose(rooms: Rooms, caller: Caller, text: str, note: str = "") -> ContractProposal:
    """Ask that the contract be put in force. Raises `ContractInvalid`, and `Conflict` for what is in force already."""
    permissions.require(caller, Scope.CONTRACTS_WRITE)
    contract = publish_contract.check_with_others(rooms, text)
    current = publish_contract.latest_or_none(rooms, contract.dataset)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if current is not None and current.sha256 == sha256:
        raise Conflict("This text is in force already.", where=current.id, todo="Nothing to propose.")
    proposal = ContractProposal(
        id=new_id("prp"),
        dataset=contract.dataset,
        text=text,
        sha256=sha256,
        replaces=0 if current is None else current.number,
        note=note,
        proposed_by=caller.name,
        proposer_id=caller.subject_id,
        proposed_at=rooms.clock.now(),
    )
    rooms.audit.record(_event("contract.propose", caller, proposal, {"sha256": sha256}), Put(proposal))
    return rooms.records.get(ContractProposal, proposal.id)


def list_proposals(
    rooms: Rooms,
    caller: Caller,
    *,
    dataset: str | None = None,
    state: ProposalState | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[ContractProposal]:
    """Proposals, newest first, of one dataset or state if given."""
    permissions.require(caller, Scope.CONTRACTS_READ)
    where = {"dataset": dataset, "state": state.value if state else None}
    asked = {name: value for name, value in where.items() if value is not None}
    return rooms.records.find(ContractProposal, where=asked, cursor=cursor, limit=limit, newest_first=True)


def show_proposal(rooms: Rooms, caller: Caller, proposal_id: str) -> ContractProposal:
    """One proposal. Raises `NotFound`."""
    permissions.require(caller, Scope.CONTRACTS_READ)
    return rooms.records.get(ContractProposal, proposal_id)


def compared(rooms: Rooms, proposal: ContractProposal) -> Comparison:
    """How the proposal differs from the version that it would replace."""
    before = publish_contract.numbered(rooms, proposal.dataset, proposal.replaces) if proposal.replaces else None
    return _comparison(before, proposal.text, f"proposal {proposal.id}")


def compare_versions(rooms: Rooms, caller: Caller, dataset: str, before: int, after: int) -> Comparison:
    """How two published versions differ. Raises `NotFound`."""
    permissions.require(caller, Scope.CONTRACTS_READ)
    new = publish_contract.numbered(rooms, dataset, after)
    return _comparison(publish_contract.numbered(rooms, dataset, before), new.text, new.id)


def approve(rooms: Rooms, caller: Caller, proposal_id: str, reason: str = "") -> ContractVersion:
    """Put the proposal in force; the next admission uses it.

    Raises `NotFound`, `NotPermitted` for one's own proposal, `Conflict` when it is
    decided already or another version came into force since it was proposed.
    """
    proposal = _to_review(rooms, caller, proposal_id)
    current = publish_contract.latest_or_none(rooms, proposal.dataset)
    policies.approve_proposal(proposal, 0 if current is None else current.number)
    number = proposal.replaces + 1
    approved = proposal.but(
        state=ProposalState.APPROVED,
        decided_by=caller.name,
        decided_at=rooms.clock.now(),
        reason=reason,
        published=number,
    )
    try:
        return publish_contract.put_in_force(rooms, caller, proposal.text, number, approved)
    except VersionConflict:
        raise _changed_meanwhile(proposal_id) from None


def refuse(rooms: Rooms, caller: Caller, proposal_id: str, reason: str) -> ContractProposal:
    """Turn the proposal down, with the reason. Raises as `approve`."""
    proposal = _to_review(rooms, caller, proposal_id)
    return _decide(rooms, caller, proposal, ProposalState.REFUSED, reason)


def withdraw(rooms: Rooms, caller: Caller, proposal_id: str) -> ContractProposal:
    """Take one's own proposal back. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.CONTRACTS_WRITE)
    proposal = rooms.records.get(ContractProposal, proposal_id)
    policies.withdraw_proposal(caller, proposal)
    return _decide(rooms, caller, proposal, ProposalState.WITHDRAWN, "")


def _to_review(rooms: Rooms, caller: Caller, proposal_id: str) -> ContractProposal:
    permissions.require(caller, Scope.CONTRACTS_WRITE)
    proposal = rooms.records.get(ContractProposal, proposal_id)
    policies.review_proposal(caller, proposal)
    return proposal


def _decide(
    rooms: Rooms, caller: Caller, proposal: ContractProposal, state: ProposalState, reason: str
) -> ContractProposal:
    decided = proposal.but(state=state, decided_by=caller.name, decided_at=rooms.clock.now(), reason=reason)
    verb = "refuse" if state is ProposalState.REFUSED else "withdraw"
    try:
        rooms.audit.record(_event(f"contract.{verb}", caller, proposal, {"reason": reason}), Put(decided))
    except VersionConflict:
        raise _changed_meanwhile(proposal.id) from None
    return rooms.records.get(ContractProposal, proposal.id)


def _comparison(before: ContractVersion | None, text: str, name: str) -> Comparison:
    old = "" if before is None else before.text
    lines = unified_diff(
        old.splitlines(), text.splitlines(), "nothing" if before is None else before.id, name, lineterm=""
    )
    parsed = None if before is None else parse_contract(before.text)
    return Comparison(differences(parsed, parse_contract(text)), "\n".join(lines))


def _event(action: str, caller: Caller, proposal: ContractProposal, details: dict[str, str]) -> AuditEvent:
    return AuditEvent(
        action=action,
        target=f"contract_proposal/{proposal.id}",
        caller=caller,
        details={"dataset": proposal.dataset, **details},
    )


def _changed_meanwhile(proposal_id: str) -> Conflict:
    return Conflict(
        "Somebody decided on the proposal, or published another version, at the same time.",
        where=proposal_id,
        todo="Look at it again.",
    )
