"""Long work: operations, their leases, the runner that drives them, and dataset locks."""

from atoll.operations.locks import Locks
from atoll.operations.operations import Operations
from atoll.operations.reconcilers import DutyBoard, DutyStanding, Reconciler, Reconcilers
from atoll.operations.runner import Runner
from atoll.operations.story import StepContext, Story

__all__ = [
    "DutyBoard",
    "DutyStanding",
    "Locks",
    "Operations",
    "Reconciler",
    "Reconcilers",
    "Runner",
    "StepContext",
    "Story",
]
