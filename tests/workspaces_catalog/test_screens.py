"""Screens that are streamed: who may do what at them, as the proxy is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from atoll.errors import Conflict, NotFound, NotPermitted
from atoll.flows import manage_products, manage_projects, open_workspace, share_workspace
from atoll.flows.open_workspace import Launch
from atoll.flows.visit_workspace import VisitDesk, issue_ticket
from atoll.model.visit import Stream

SCREEN = """\
name: screen
title: A screen
environment: jupyter
service: desktop
sizes: [t3.small]
needs: [mount, desktop]
idle: {action: stop}
paste: PASTE
"""


@pytest.fixture
def desk(house):
    """`desk(paste=False)`: ada's running screen, and what `stream(caller)` is told of who comes to it."""

    def launch(*, paste=True):
        manage_products.publish_product(house.rooms, house.admin, SCREEN.replace("PASTE", str(paste).lower()))
        _, made = open_workspace.create(house.rooms, house.ada, Launch("screen", "heart"), Decimal("0.0369"))
        house.seen(made, "running")
        house.screen = made
        return made

    def stream(caller):
        ticket = issue_ticket(house.rooms, caller, house.screen.id)
        return VisitDesk(house.rooms).admit(ticket.secret, house.screen.id, "10.0.0.1").visit.stream

    house.launch, house.stream = launch, stream
    return house


def test_its_owner_moves_and_types(desk):
    screen = desk.launch()
    assert desk.stream(desk.ada) == Stream(title=screen.name, owner="ada", control=True, paste=True)


def test_a_colleague_looks_on_until_more_is_shared(desk):
    screen = desk.launch()
    shared = share_workspace.share(desk.rooms, desk.ada, screen.id, "bob", look_on=True)
    assert (shared.shared_with, shared.looks_on) == ({"bob"}, {"bob"})
    assert desk.stream(desk.bob) == Stream(title=screen.name, owner="ada", control=False, paste=True)
    shared = share_workspace.share(desk.rooms, desk.ada, screen.id, "bob")
    assert (shared.shared_with, shared.looks_on) == ({"bob"}, frozenset())
    assert desk.stream(desk.bob).control
    share_workspace.share(desk.rooms, desk.ada, screen.id, "bob", look_on=True)
    ended = share_workspace.unshare(desk.rooms, desk.ada, screen.id, "bob")
    assert (ended.shared_with, ended.looks_on) == (frozenset(), frozenset())
    with pytest.raises(NotFound):
        desk.stream(desk.bob)
    ways = [event.details["look_on"] for event in desk.audited("workspace.share")]
    assert sorted(ways) == [False, True, True]


def test_a_change_of_the_share_is_told_to_who_is_there(desk):
    screen = desk.launch()
    share_workspace.share(desk.rooms, desk.ada, screen.id, "bob")
    ticket = issue_ticket(desk.rooms, desk.bob, screen.id)
    here = VisitDesk(desk.rooms)
    secret = here.admit(ticket.secret, screen.id, "").secret
    assert here.authorise(secret, screen.id).stream.control
    share_workspace.share(desk.rooms, desk.ada, screen.id, "bob", look_on=True)
    assert not here.authorise(secret, screen.id).stream.control


def test_only_at_a_screen_can_somebody_look_on(desk):
    _, notebook = open_workspace.create(desk.rooms, desk.ada, Launch("small", "heart"), Decimal("0.0369"))
    with pytest.raises(Conflict, match="look on"):
        share_workspace.share(desk.rooms, desk.ada, notebook.id, "bob", look_on=True)


@pytest.mark.parametrize(("product", "project", "may"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)])
def test_text_goes_in_where_product_and_project_allow_it(desk, product, project, may):
    desk.launch(paste=bool(product))
    manage_projects.set_paste(desk.rooms, desk.admin, "heart", bool(project))
    assert desk.stream(desk.ada).paste is may


def test_who_may_not_change_the_project_does_not_allow_it(desk):
    with pytest.raises(NotPermitted):
        manage_projects.set_paste(desk.rooms, desk.ada, "heart", True)
    manage_projects.set_paste(desk.rooms, desk.admin, "heart", False)
    manage_projects.set_paste(desk.rooms, desk.admin, "heart", False)
    assert [event.details["paste"] for event in desk.audited("project.paste")] == [False]
