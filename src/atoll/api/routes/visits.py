"""Tickets into machines."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.visits import TicketAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.errors import Unavailable
from atoll.flows.visit_workspace import issue_ticket

routes = Routes("workspaces")

#: Where the holder of a ticket enters: (workspace, ticket) -> URL. `app.state.ticket_url`, set by
#: whoever runs a proxy of machines beside the app.
TicketUrl = Callable[[str, str], str]


@routes.post("/workspaces/{id}/ticket", scope=Scope.WORKSPACES_OPEN, status_code=201)
def open_workspace(request: Request, rooms: RoomsHere, caller: CallerHere, id: str) -> TicketAnswer:
    """A ticket that lets one's browser into the machine, once and within a minute."""
    url: TicketUrl = getattr(request.app.state, "ticket_url", _nowhere)
    issued = issue_ticket(rooms, caller, id)
    return TicketAnswer(url=url(id, issued.secret), expires_at=issued.expires_at)


def _nowhere(_workspace: str, _ticket: str) -> str:
    raise Unavailable(
        "Machines are not reached by this process.", todo="Start the platform with its proxy, or ask another process."
    )
