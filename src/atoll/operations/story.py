"""What a story gives the runner, and what a step is given while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from atoll.model.operation import Failure, Operation


class StepContext(Protocol):
    """What a step may ask of the runner while it works."""

    @property
    def operation(self) -> Operation:
        """The operation as last written."""
        ...

    def output(self, step: str) -> Mapping[str, Any]:
        """What an earlier step returned."""
        ...

    def progress(self, fraction: float) -> None:
        """Tell how far the step is, 0 to 1. Also does `check`. Cheap: written once a second at most."""
        ...

    def say(self, message: str, **facts: object) -> None:
        """Add a line to the operation's log. Never identified values."""
        ...

    def check(self) -> None:
        """A safe point: raises when the work is to stop here (cancelled, lease lost,
        past its deadline, platform stopping). Steps let that pass through."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep, waking early (and raising, like `check`) when the work is to stop."""
        ...

    def park(self, seconds: float, notes: Mapping[str, Any]) -> NoReturn:
        """Give the worker back for so long; the step is then run again from its start.

        For a wait that may be long, so that it holds nobody up. No attempt is used.
        `output` of this step is `notes` then. Steps let what this raises pass through.
        """
        ...


StepFunction = Callable[[StepContext], Mapping[str, Any]]


@dataclass(frozen=True)
class Story:
    """A kind of long work.

    Attributes:
        name: the word kept in `Operation.story`.
        steps: name and function of each step, in order. A step must be idempotent:
            it is run again from its start when the process died in it. What it
            returns is kept on record for later steps.
        abandon: cleans up after a failure for good; idempotent, run again until it
            returns, and only then is the operation ended.
    """

    name: str
    steps: tuple[tuple[str, StepFunction], ...]
    abandon: Callable[[StepContext, Failure], None]

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of the steps, in order."""
        return tuple(name for name, _ in self.steps)
