"""What the operations for one wish of a workspace came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.model.operation import Operation, OperationState

#: Trying again changes nothing in these: somebody must change the wish or the world first.
_HOPELESS = frozenset({"limit_exceeded", "budget_exceeded", "not_permitted", "not_found", "invalid_input", "cancelled"})


@dataclass(frozen=True)
class Tries:
    """Operations for one generation.

    Attributes:
        failed: how many failed in a row, last.
        last_failed_at: when the last of them ended.
        hopeless: whether trying again can help.
        message: why the last of them failed.
        starts: starts within the last hour that went well.
    """

    failed: int = 0
    last_failed_at: datetime | None = None
    hopeless: bool = False
    message: str = ""
    starts: int = 0


def given_way(operation: Operation) -> bool:
    """Whether the operation stopped by itself because the wish or the machine had changed: no failure."""
    return operation.state is OperationState.CANCELLED and not operation.cancel_requested


def tries(newest_first: Sequence[Operation], generation: int, now: datetime) -> Tries:
    """What a workspace's operations say of its generation `generation`."""
    failures: list[Operation] = []
    starts = 0
    in_a_row = True
    for operation in newest_first:
        if operation.params.get("generation") != generation:
            break
        if operation.finished_at is None or given_way(operation):
            continue
        if operation.failure is not None:
            if in_a_row:
                failures.append(operation)
            continue
        in_a_row = False
        if operation.story == "start_workspace" and not _taken_over(operation):
            starts += int(now - operation.finished_at < timedelta(hours=1))
    if not failures:
        return Tries(starts=starts)
    failure = failures[0].failure
    return Tries(
        failed=len(failures),
        last_failed_at=failures[0].finished_at,
        hopeless=failure is not None and failure.error_code in _HOPELESS,
        message=failure.message if failure is not None else "",
        starts=starts,
    )


def _taken_over(operation: Operation) -> bool:
    """Whether the machine ran already, so that nothing was started."""
    return any(step.output.get("taken_over") for step in operation.steps)
