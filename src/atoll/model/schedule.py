"""When a workspace is to run: weekly hours, and what was done about them."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from atoll.model.record import Frozen, Record


class Hours(Frozen):
    """A span of some days of the week; `end` 00:00 is the midnight that ends the day."""

    #: ISO weekdays, 1 is Monday.
    weekdays: frozenset[int] = Field(min_length=1)
    start: time
    end: time

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if not self.weekdays <= set(range(1, 8)):
            raise ValueError("weekdays are 1 (Monday) to 7")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("the zone is that of the week")
        if self.end != time() and self.end <= self.start:
            raise ValueError("hours end after they start")
        return self


class WeeklyHours(Frozen):
    """The hours of a week in which a workspace is to run."""

    #: IANA name, e.g. `Europe/Berlin`.
    zone: str = "UTC"
    hours: tuple[Hours, ...] = Field(min_length=1, max_length=20)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no such time zone") from None
        return zone


class WorkspaceSchedule(Record):
    """The hours of a workspace, and what was done last. Its id is the workspace's."""

    kind: ClassVar[str] = "workspace_schedule"

    hours: WeeklyHours | None = None
    #: The start of hours that was acted upon.
    started_for: datetime | None = None
    #: The end of life that was warned of; after an extension it is warned again.
    warned_of: datetime | None = None
    #: The end of life for which it was put to rest.
    rested_for: datetime | None = None


class IdleWatch(Record):
    """What the idle rule last found of a running workspace. Its id is the workspace's."""

    kind: ClassVar[str] = "idle_watch"

    at: datetime
    #: `kept alive because ...` or `hibernated because ...`.
    sentence: str = ""
    #: When that was found, the last sign of use it saw, and since when there is none (None: it is in use).
    judged_at: datetime | None = None
    last_seen_at: datetime | None = None
    idle_since: datetime | None = None
    #: CPU seconds of the machine at that time, None when it could not tell.
    cpu_seconds: float | None = None
    #: When its CPU was last seen busy.
    busy_at: datetime | None = None
