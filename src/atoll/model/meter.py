"""Where the metering of a workspace stands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from atoll.model.record import Frozen, Record


class Use(StrEnum):
    """What a state of a machine counts as."""

    #: The size and the home are paid.
    RUNNING = "running"
    #: Only the home is: hibernated, stopped, on its way up.
    KEPT = "kept"
    #: Nothing is.
    GONE = "gone"
    #: The backend could not tell; decided by what is seen next.
    UNKNOWN = "unknown"


class MeterPoint(Frozen):
    """The use that goes on, and from when on it is not metered yet."""

    use: Use = Use.GONE
    since: datetime
    #: When this use began.
    begun: datetime
    #: EUR for an hour of running, fixed while it lasts.
    eur_per_hour: Decimal = Field(ge=0)
    #: What was known before it became unknown.
    before: Use = Use.GONE


class MachineMeter(Record):
    """How far a workspace is metered. Its id is the workspace's."""

    kind: ClassVar[str] = "machine_meter"
    indexes: ClassVar[tuple[str, ...]] = ("open",)

    #: The last entry of the workspace's stream that is accounted for.
    number: int = 0
    point: MeterPoint
    #: Of the home, as last seen.
    home_bytes: int = 0
    #: What was charged for it so far.
    spent_eur: Decimal = Decimal(0)
    #: Whether the workspace is gone and everything is metered.
    closed: bool = False

    @property
    def open(self) -> str | None:
        """Index of meters that still run: `open`, or None."""
        return None if self.closed else "open"


class MeterPass(Record):
    """When the last whole metering pass began. There is one, `workspaces`."""

    kind: ClassVar[str] = "meter_pass"

    begun_at: datetime
