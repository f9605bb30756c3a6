"""Who waits for room, in which order, and who may start now. Pure.

First come, first served by each quota: what a quota has no room for holds up whoever
comes later and needs of the same quota, however little, so that a large machine is not
overtaken for ever; whoever needs nothing of that quota passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from atoll.errors import LimitExceeded
from atoll.workspaces.quotas import Amount, Quota, check


@dataclass(frozen=True)
class Waiting:
    """One that waits.

    Attributes:
        id: of the workspace.
        asked: what it takes once it starts.
        quotas: those it counts in, with what is taken of them by machines that do not wait.
        barred: why it may not start though there be room; empty when it may. It holds up nobody.
    """

    id: str
    asked: Amount
    quotas: tuple[Quota, ...]
    barred: str = ""


@dataclass(frozen=True)
class Place:
    """Where one stands.

    Attributes:
        number: 1 when nobody before it holds it up; 0 for one that may start.
        reason: why it waits, in a sentence; empty for one that may start.
    """

    id: str
    number: int
    reason: str

    @property
    def starts(self) -> bool:
        """Whether there is room for it."""
        return self.number == 0


def line_up(waiting: Iterable[Waiting]) -> tuple[Place, ...]:
    """The place of each, in their order of coming."""
    added: dict[str, Amount] = {}
    holding: list[frozenset[str]] = []
    places = []
    for one in waiting:
        mine = {quota.whose for quota in one.quotas}
        before = sum(1 for held in holding if held & mine)
        full = _full(one, added)
        if one.barred:
            places.append(Place(one.id, before + 1, one.barred))
        elif full or before:
            blocked = sorted(frozenset().union(*holding) & mine)
            reason = next(iter(full.values()), None) or f"Others came before it for room of {', '.join(blocked)}."
            holding.append(frozenset(full) or frozenset(blocked))
            places.append(Place(one.id, before + 1, reason))
        else:
            for whose in mine:
                added[whose] = added.get(whose, Amount()) + one.asked
            places.append(Place(one.id, 0, ""))
    return tuple(places)


def _full(one: Waiting, added: Mapping[str, Amount]) -> dict[str, str]:
    """Quotas that have no room for it, each with the sentence that says so."""
    found = {}
    for quota in one.quotas:
        try:
            check(one.asked, [replace(quota, taken=quota.taken + added.get(quota.whose, Amount()))])
        except LimitExceeded as error:
            found[quota.whose] = error.what
    return found
