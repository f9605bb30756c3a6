"""Weekly hours and the end of life of a workspace. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from atoll.model.schedule import WeeklyHours
from atoll.model.workspace import LifetimeRule

#: Where a rule warns of nothing, an expired workspace still rests this long before it goes.
_LEAST_GRACE_DAYS = 1


class Stage(StrEnum):
    """Where a workspace stands in its life."""

    STANDING = "standing"
    #: Its end is near, its owner is warned.
    WARNED = "warned"
    #: Its time is over: it rests, and can still be extended.
    EXPIRED = "expired"
    #: It goes.
    OVER = "over"


def within(hours: WeeklyHours, now: datetime) -> bool:
    """Whether `now` is within the hours; their start is, their end is not."""
    return any(start <= now < end for start, end in _spans(hours, now))


def last_start(hours: WeeklyHours, now: datetime) -> datetime | None:
    """When the hours that go on now began (UTC), None outside them.

    Spans that meet or overlap are one.
    """
    begun: datetime | None = None
    over = datetime.min.replace(tzinfo=UTC)
    for start, end in sorted(_spans(hours, now)):
        if start > now:
            break
        if begun is None or start > over:
            begun = start
        over = max(over, end)
    return begun if now < over else None


def next_start(hours: WeeklyHours, now: datetime) -> datetime:
    """When hours begin next (UTC)."""
    return min(start for start, _ in _spans(hours, now) if start > now)


def stage(expires_at: datetime, rule: LifetimeRule, now: datetime) -> Stage:
    """Where a workspace stands in its life."""
    if now >= ends_at(expires_at, rule):
        return Stage.OVER
    if now >= expires_at:
        return Stage.EXPIRED
    return Stage.WARNED if now >= expires_at - timedelta(days=rule.warn_days) else Stage.STANDING


def ends_at(expires_at: datetime, rule: LifetimeRule) -> datetime:
    """When an expired workspace is terminated, if nobody extends it: as long after as was warned before."""
    return expires_at + timedelta(days=max(rule.warn_days, _LEAST_GRACE_DAYS))


def _spans(hours: WeeklyHours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans of the days around, from ten days before to eight after; local times as the zone has them then."""
    zone = ZoneInfo(hours.zone)
    today = now.astimezone(zone).date()
    for offset in range(-10, 9):
        day = today + timedelta(days=offset)
        for span in hours.hours:
            if day.isoweekday() in span.weekdays:
                last = day + timedelta(days=1) if span.end == time() else day
                start, end = (datetime.combine(d, t, tzinfo=zone) for d, t in ((day, span.start), (last, span.end)))
                yield start.astimezone(UTC), end.astimezone(UTC)
