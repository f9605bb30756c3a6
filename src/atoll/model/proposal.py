"""A contract's change waits for another person's review."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.record import Record


class ProposalState(StrEnum):
    """What became of a proposal; the last three are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ContractProposal(Record):
    """The text of a contract that somebody would put in force."""

    kind: ClassVar[str] = "contract_proposal"
    indexes: ClassVar[tuple[str, ...]] = ("dataset", "state")

    dataset: str
    #: The YAML as it is reviewed, byte for byte.
    text: str
    sha256: str
    #: Number of the version in force when it was proposed, which it would replace; 0 for a first one.
    replaces: int
    #: Why, for the reviewer.
    note: str = ""
    state: ProposalState = ProposalState.WAITING
    proposed_by: str
    #: Id of the person who proposed.
    proposer_id: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    #: Why it was decided so.
    reason: str = ""
    #: Number of the version that it became.
    published: int | None = None
