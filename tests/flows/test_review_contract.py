"""A contract's change is proposed by one steward and put in force by another."""

from __future__ import annotations

import threading

import pytest
from tests.flows.trial import AUTHOR, CONTRACT, LAB, REVIEWER, put_in_force

from atoll.errors import AtollError, Conflict, ContractInvalid, NotPermitted
from atoll.flows import publish_contract, review_contract
from atoll.model.proposal import ProposalState

WIDER = CONTRACT.replace("NAME: {treat: drop, reason: name}", "NAME: {treat: keep}")


def test_what_waits_is_not_in_force(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER, "names are needed")
    assert proposal.state is ProposalState.WAITING
    assert publish_contract.latest(trial, "trial").number == 1


def test_nobody_reviews_their_own(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    for decide in (review_contract.approve, review_contract.refuse):
        with pytest.raises(NotPermitted, match="own proposal"):
            decide(trial, AUTHOR, proposal.id, "mine")
    assert publish_contract.latest(trial, "trial").number == 1


def test_only_stewards_propose_and_review(trial):
    with pytest.raises(NotPermitted):
        review_contract.propose(trial, LAB, WIDER)
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    with pytest.raises(NotPermitted):
        review_contract.approve(trial, LAB, proposal.id)


def test_an_approved_text_is_in_force_under_both_names(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    version = review_contract.approve(trial, REVIEWER, proposal.id, "read")
    assert (version.number, version.proposed_by, version.published_by) == (2, "author", "reviewer")
    assert publish_contract.latest(trial, "trial") == version
    assert [v.number for v in publish_contract.versions(trial, "trial")] == [2, 1]
    decided = review_contract.show_proposal(trial, REVIEWER, proposal.id)
    assert (decided.state, decided.published, decided.reason) == (ProposalState.APPROVED, 2, "read")
    entry = [e.event for e in trial.audit.read(0, 1000) if e.event.action == "contract.publish"][-1]
    assert entry.because == f"contract_proposal/{proposal.id}"


def test_a_proposal_is_decided_once(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    refused = review_contract.refuse(trial, REVIEWER, proposal.id, "a name identifies")
    assert (refused.state, refused.reason) == (ProposalState.REFUSED, "a name identifies")
    for decide in (review_contract.approve, review_contract.refuse):
        with pytest.raises(Conflict, match="refused already"):
            decide(trial, REVIEWER, proposal.id, "again")
    with pytest.raises(Conflict):
        review_contract.withdraw(trial, AUTHOR, proposal.id)


def test_its_author_alone_withdraws(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    with pytest.raises(NotPermitted):
        review_contract.withdraw(trial, REVIEWER, proposal.id)
    assert review_contract.withdraw(trial, AUTHOR, proposal.id).state is ProposalState.WITHDRAWN


def test_a_proposal_against_a_version_that_was_replaced_is_not_approved(trial):
    stale = review_contract.propose(trial, AUTHOR, WIDER)
    put_in_force(trial, CONTRACT + "# a comment\n")
    with pytest.raises(Conflict, match="in force now"):
        review_contract.approve(trial, REVIEWER, stale.id)
    assert publish_contract.latest(trial, "trial").number == 2


def test_the_text_in_force_is_not_proposed_again(trial):
    with pytest.raises(Conflict, match="in force already"):
        review_contract.propose(trial, AUTHOR, CONTRACT)


def test_a_broken_text_is_not_proposed(trial):
    with pytest.raises(ContractInvalid):
        review_contract.propose(trial, AUTHOR, CONTRACT.replace("treat: drop", "treat: dorp"))
    assert not review_contract.list_proposals(trial, AUTHOR, state=ProposalState.WAITING).records


def test_two_reviewers_at_once_put_one_version_in_force(trial):
    proposals = [review_contract.propose(trial, AUTHOR, CONTRACT + f"# {n}\n") for n in range(4)]
    outcomes: list[object] = []

    def approve(proposal):
        try:
            outcomes.append(review_contract.approve(trial, REVIEWER, proposal.id))
        except AtollError as refused:
            outcomes.append(type(refused))

    threads = [threading.Thread(target=approve, args=(p,)) for p in proposals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(publish_contract.versions(trial, "trial")) == 2
    assert outcomes.count(Conflict) == 3


def test_what_opens_is_marked(trial):
    proposal = review_contract.propose(trial, AUTHOR, WIDER)
    comparison = review_contract.compared(trial, proposal)
    (change,) = comparison.changes
    assert (change.table, change.column, change.kind, change.opens) == ("subjects", "NAME", "changed", True)
    assert "Does not enter" in change.before
    assert "Enters as it is" in change.after
    assert "+      NAME: {treat: keep}" in comparison.lines


@pytest.mark.parametrize(
    ("old", "new", "opens"),
    [
        ("treat: pseudonymize, domain: person, as: subject_id, required: true", "treat: drop", False),
        ("AGE: {treat: keep, type: integer, min: 0, max: 120}", "AGE: {treat: keep, type: integer}", True),
        (
            "AGE: {treat: keep, type: integer, min: 0, max: 120}",
            "AGE: {treat: generalize, to: bins, width: 10, type: integer, min: 0, max: 120}",
            False,
        ),
        ("SEEN: {treat: shift_date, type: date}", "SEEN: {treat: keep, type: date}", True),
        ("      NAME: {treat: drop, reason: name}\n", "", False),
    ],
)
def test_less_is_told_from_more(trial, old, new, opens):
    before, after = CONTRACT, CONTRACT.replace(old, new, 1)
    assert before != after
    if "treat: drop" in new:
        after = after.replace("    subject: ID\n", "", 1).replace(
            "      SEEN: {treat: shift_date, type: date}\n", "", 1
        )
    proposal = review_contract.propose(trial, AUTHOR, after)
    changes = [c for c in review_contract.compared(trial, proposal).changes if c.column]
    assert changes
    assert any(c.opens for c in changes) is opens


def test_a_first_contract_is_all_new(rooms):
    proposal = review_contract.propose(rooms, AUTHOR, CONTRACT)
    assert proposal.replaces == 0
    assert {c.kind for c in review_contract.compared(rooms, proposal).changes} == {"added"}
