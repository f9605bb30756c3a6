"""A machine that could not be resized keeps its size on record, at its price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.workspaces.test_convergence import brought_to, live_rows, shown

from atoll.errors import LimitExceeded
from atoll.model.workspace import Desired


@pytest.mark.parametrize(("agreed", "price"), [(Decimal("0.05"), "0.05"), (None, "0.0875")])
def test_the_size_it_has_comes_back_with_its_price_and_the_reason(world, monkeypatch, agreed, price):
    id = brought_to(world, Desired.RUNNING)

    def no_room(workspace, *, vcpu, memory_bytes):
        raise LimitExceeded("The host has no room.")

    with monkeypatch.context() as full:
        full.setattr(world.backend, "resize", no_room)
        before = {} if agreed is None else {"size_before": "m5.large", "eur_per_hour_before": agreed}
        world.wish(id, Desired.RUNNING, size="m5.xlarge", eur_per_hour=Decimal("0.175"), **before)
        world.rounds_until(lambda: world.quiet() and world.get(id).size == "m5.large")
    kept = world.get(id)
    assert (str(kept.eur_per_hour), kept.observed_generation) == (price, kept.generation)
    assert [row.size for row in live_rows(world)] == ["m5.large"]
    state = shown(world, id)
    assert (state.word, state.reason) == ("running", "It could not be resized to m5.xlarge: The host has no room.")
    assert [e.event.details["wanted"] for e in world.rooms.audit.tail(100) if e.event.action == "workspace.keep_size"]
    # Asked for again, and there is room: it is resized.
    world.wish(id, Desired.RUNNING, size="m5.xlarge")
    world.rounds_until(world.quiet)
    assert [row.size for row in live_rows(world)] == ["m5.xlarge"]
