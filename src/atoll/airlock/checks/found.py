"""The findings of one file, as they come."""

from __future__ import annotations

from collections import Counter

from atoll.airlock.checks.rules import RULES
from atoll.model.airlock import AirlockFinding, Direction

#: Of one check; more of the same tell nothing new.
MOST_OF_A_KIND = 20


class Found:
    """Takes findings with the weight that their check has for the direction."""

    def __init__(self, file: int, direction: Direction) -> None:
        self._file = file
        self._direction = direction
        self._findings: list[AirlockFinding] = []
        self._count: Counter[str] = Counter()

    def add(self, check: str, message: str, *, where: str = "", todo: str = "") -> None:
        """A finding; one that this direction does not look for is left out. No value of the file in any text."""
        rule = RULES[check]
        severity = rule.out if self._direction is Direction.OUT else rule.into
        self._count[check] += 1
        if severity is None or self._count[check] > MOST_OF_A_KIND:
            return
        self._findings.append(
            AirlockFinding(
                check=check, severity=severity, file=self._file, where=where[:200], message=message, todo=todo
            )
        )

    @property
    def findings(self) -> tuple[AirlockFinding, ...]:
        """In the order found, the worst first."""
        order = {"refuse": 0, "warn": 1, "info": 2}
        return tuple(sorted(self._findings, key=lambda finding: order[finding.severity.value]))
