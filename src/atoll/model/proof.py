"""Proofs of isolation: attempts to break out of a machine, kept as evidence."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class ProbeResult(Frozen):
    """One attempt."""

    #: What it is after: network, files, processes, kernel, bombs, neighbours.
    group: str
    #: What was tried, in words.
    name: Sentence
    #: What came of it, as the system said.
    outcome: Sentence
    #: Whether the machine held.
    passed: bool


class Evidence(Frozen):
    """What was tried where, whole: what a proof keeps and its hash is over."""

    #: When the attempts had been made, and by which machine.
    at: datetime
    workspace: str
    #: Whether the machine was made for the proof alone.
    fresh: bool
    #: Version of Atoll, name of the host, and its kernel.
    atoll: str
    host: str
    kernel: str
    backend: str
    #: What the backend says of its walls and limits on this host.
    isolation: Sentence
    limits: Sentence
    #: `<name>@<number>`, and the environment inside.
    product: str
    environment: str
    #: Whether attempts were among them that use up processes, memory and disk.
    bombs: bool
    probes: tuple[ProbeResult, ...]

    @property
    def passed(self) -> bool:
        """Whether the machine held against all."""
        return all(probe.passed for probe in self.probes)


class Proof(Record):
    """Asked for once; its evidence comes with the end of its operation. Id `prf_...`."""

    kind: ClassVar[str] = "proof"
    indexes: ClassVar[tuple[str, ...]] = ("workspace", "asked_by")

    #: Id of the workspace; None for a machine made for the proof alone, which has the proof's id.
    workspace: str | None
    #: Id and name of who asked.
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    product: str
    backend: str
    bombs: bool
    operation_id: str
    evidence: Evidence | None = None
    #: SHA-256 over the canonical JSON (keys sorted, no spaces, UTF-8) of the evidence.
    sha256: str | None = None

    @property
    def machine(self) -> str:
        """By what the backend knows the machine."""
        return self.workspace or self.id
