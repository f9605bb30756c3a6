"""Contracts as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Base64Bytes, Field

from atoll.deid import ContractChange
from atoll.flows.review_contract import Comparison
from atoll.model.contract import ContractVersion
from atoll.model.proposal import ContractProposal, ProposalState
from atoll.model.record import Frozen


class ContractText(Frozen):
    """The YAML of a contract."""

    text: Annotated[str, Field(max_length=2**20)]


class ContractChecked(Frozen):
    """The contract holds."""

    dataset: str
    tables: tuple[str, ...]


class ContractAnswer(Frozen):
    """A published contract, its text byte for byte as it was reviewed."""

    id: str
    dataset: str
    number: int
    text: str
    sha256: str
    #: Who proposed it and who reviewed it and put it in force.
    proposed_by: str
    published_by: str
    published_at: datetime

    @classmethod
    def of(cls, version: ContractVersion) -> Self:
        """The published contract."""
        return cls(
            id=version.id,
            dataset=version.dataset,
            number=version.number,
            text=version.text,
            sha256=version.sha256,
            proposed_by=version.proposed_by,
            published_by=version.published_by,
            published_at=version.published_at,
        )


class NewSample(Frozen):
    """A sample file: its name and the beginning of its content, in Base64."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    content: Base64Bytes


class NewDraft(Frozen):
    """Samples to draft a contract from."""

    dataset: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    files: Annotated[tuple[NewSample, ...], Field(min_length=1, max_length=200)]


class NewProposal(ContractText):
    """A contract to be put in force."""

    #: Why, for the reviewer.
    note: Annotated[str, Field(max_length=2000)] = ""


class Decision(Frozen):
    """Why it is decided so."""

    reason: Annotated[str, Field(max_length=2000)] = ""


class Refusal(Frozen):
    """Why it is turned down; whoever asked reads it."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ComparisonAnswer(Frozen):
    """How a contract differs from the version before."""

    #: In words, column by column. `opens`: more of the delivered value enters than before.
    changes: tuple[ContractChange, ...]
    #: The unified difference of both texts, line by line.
    lines: str

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """The comparison."""
        return cls(changes=comparison.changes, lines=comparison.lines)


class ProposalAnswer(Frozen):
    """A contract's change that waits for review, or what became of it."""

    id: str
    dataset: str
    text: str
    sha256: str
    #: Number of the version that it would replace, 0 for a first one.
    replaces: int
    note: str
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    #: Number of the version that it became.
    published: int | None

    @classmethod
    def of(cls, proposal: ContractProposal) -> Self:
        """The proposal."""
        return cls(**{name: getattr(proposal, name) for name in cls.model_fields})


class ReviewedProposal(ProposalAnswer):
    """A proposal with how it differs from the version that it would replace."""

    comparison: ComparisonAnswer

    @classmethod
    def beside(cls, proposal: ContractProposal, comparison: Comparison) -> Self:
        """The proposal and its comparison."""
        shown = {name: getattr(proposal, name) for name in ProposalAnswer.model_fields}
        return cls(**shown, comparison=ComparisonAnswer.of(comparison))
