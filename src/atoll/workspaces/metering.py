"""From what was seen of a machine to what is paid: pure, and the same however often it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from atoll.model.meter import MeterPoint, Use

#: States in the stream of a workspace, as backends and people name them.
USES: Mapping[str, Use] = MappingProxyType(
    {
        "running": Use.RUNNING,
        # Its processes still run.
        "hibernating": Use.RUNNING,
        "stopping": Use.RUNNING,
        "frozen": Use.KEPT,
        "hibernated": Use.KEPT,
        "stopped": Use.KEPT,
        "starting": Use.KEPT,
        "waking": Use.KEPT,
        "provisioning": Use.KEPT,
        "failed": Use.KEPT,
        "terminating": Use.GONE,
        "terminated": Use.GONE,
        "absent": Use.GONE,
        "unknown": Use.UNKNOWN,
    }
)


@dataclass(frozen=True)
class Transition:
    """A machine was seen in another state.

    `eur_per_hour` is its price of running from then on.
    """

    at: datetime
    use: Use
    eur_per_hour: Decimal


@dataclass(frozen=True)
class Stretch:
    """A time of one use, at one price; `use` is running or kept."""

    use: Use
    since: datetime
    until: datetime
    eur_per_hour: Decimal

    @property
    def seconds(self) -> Decimal:
        """How long it took, exact to the microsecond."""
        lasted = self.until - self.since
        return Decimal(lasted.days * 86_400 + lasted.seconds) + Decimal(lasted.microseconds) / 1_000_000


def use_of(state: str) -> Use:
    """What a state counts as; a word that is not known counts as unknown."""
    return USES.get(state, Use.UNKNOWN)


def advance(point: MeterPoint, transition: Transition) -> tuple[MeterPoint, Stretch | None]:
    """The point after a transition, and what is to be paid up to it.

    A time of which nothing was known is paid as running only if the machine ran before
    and after it; if it stood before and stands after, its home is paid; else nothing is.
    """
    at = max(transition.at, point.since)
    if transition.use is Use.UNKNOWN:
        if point.use is Use.UNKNOWN:
            return point, None
        lost = MeterPoint(
            use=Use.UNKNOWN, since=at, begun=point.begun, eur_per_hour=point.eur_per_hour, before=point.use
        )
        return lost, _stretch(point.use, point, at)
    known = point.before if point.use is Use.UNKNOWN else point.use
    use = _resolved(known, transition.use) if point.use is Use.UNKNOWN else point.use
    begun = point.begun if transition.use is known else at
    moved = MeterPoint(use=transition.use, since=at, begun=begun, eur_per_hour=transition.eur_per_hour)
    return moved, _stretch(use, point, at)


def settle(point: MeterPoint, until: datetime, eur_per_hour: Decimal) -> tuple[MeterPoint, Stretch | None]:
    """Pay what goes on up to `until`; from then on it has the given price.

    What is unknown waits until it is known.
    """
    if point.use is Use.UNKNOWN or until <= point.since:
        return point, None
    moved = point.but(since=until, eur_per_hour=eur_per_hour)
    return moved, _stretch(point.use, point, until)


def total_seconds(stretches: Iterable[Stretch], use: Use) -> Decimal:
    """How long that use took in all."""
    return sum((stretch.seconds for stretch in stretches if stretch.use is use), Decimal(0))


def _resolved(before: Use, after: Use) -> Use:
    if before is after:
        return before
    return Use.GONE if Use.GONE in (before, after) else Use.KEPT


def _stretch(use: Use, point: MeterPoint, until: datetime) -> Stretch | None:
    if use in (Use.GONE, Use.UNKNOWN) or until <= point.since:
        return None
    return Stretch(use, point.since, until, point.eur_per_hour)
