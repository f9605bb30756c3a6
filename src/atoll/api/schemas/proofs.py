"""Proofs of isolation as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.api.schemas.deliveries import OperationAnswer
from atoll.flows.prove_isolation import ProofView
from atoll.model.proof import Evidence, Proof
from atoll.model.record import Frozen


class NewProof(Frozen):
    """How a workspace is tried."""

    #: Also use up processes and memory; for its owner.
    bombs: bool = False


class NewFreshProof(Frozen):
    """How a machine is tried that is made for the proof."""

    #: Name of a product, or `<name>@<number>`; left out, the first that needs no parameters.
    product: Annotated[str, Field(max_length=64)] | None = None
    #: Left out, the first that can.
    backend: Annotated[str, Field(max_length=40)] | None = None
    #: Also use up processes, memory and disk.
    bombs: bool = False


class ProofLine(Frozen):
    """A proof in a list."""

    id: str
    #: Null for a machine that was made for the proof alone.
    workspace: str | None
    asked_by: str
    asked_at: datetime
    product: str
    backend: str
    bombs: bool
    #: Whether the machine held against every attempt; null while they are made, or when they could not be.
    passed: bool | None
    #: How many attempts there were, and how many came through.
    attempts: int
    came_through: int
    sha256: str | None

    @classmethod
    def line(cls, proof: Proof) -> ProofLine:
        """The proof without its attempts."""
        return ProofLine.model_validate(_facts(proof))


class ProofAnswer(ProofLine):
    """A proof: every attempt, what came of it, and where it was made."""

    #: `sha256` is over its canonical JSON: keys sorted, no spaces, UTF-8.
    evidence: Evidence | None
    operation: OperationAnswer

    @classmethod
    def of(cls, view: ProofView) -> Self:
        """The proof whole."""
        whole = {"evidence": view.proof.evidence, "operation": OperationAnswer.of(view.operation)}
        return cls.model_validate({**_facts(view.proof), **whole})


def _facts(proof: Proof) -> dict[str, object]:
    probes = () if proof.evidence is None else proof.evidence.probes
    return {
        "id": proof.id,
        "workspace": proof.workspace,
        "asked_by": proof.asked_by_name,
        "asked_at": proof.asked_at,
        "product": proof.product,
        "backend": proof.backend,
        "bombs": proof.bombs,
        "passed": None if proof.evidence is None else proof.evidence.passed,
        "attempts": len(probes),
        "came_through": sum(not probe.passed for probe in probes),
        "sha256": proof.sha256,
    }
