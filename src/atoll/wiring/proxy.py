"""The proxy of machines, from the settings and the rooms."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from atoll.errors import InvalidInput
from atoll.flows.idle_workspaces import Visits
from atoll.flows.rooms import Rooms
from atoll.flows.visit_workspace import VisitDesk
from atoll.proxy import Callbacks, Options, ProxyServer
from atoll.settings import Settings

_LAST_PORT = 65_535


def build(rooms: Rooms, registry: CollectorRegistry | None = None) -> ProxyServer:
    """A proxy that is not started yet. Its `ticket_url` goes into `app.state.ticket_url` of the API."""
    desk = VisitDesk(rooms)

    def socket(workspace_id: str) -> Path | None:
        seen = desk.resolve(workspace_id)
        return None if seen is None else seen.socket

    callbacks = Callbacks(resolve=socket, admit=desk.admit, authorise=desk.authorise, leave=desk.leave)
    return ProxyServer(callbacks, options(rooms.settings), registry)


def options(settings: Settings) -> Options:
    """How machines are reached. Raises `InvalidInput`."""
    first, last = map(int, settings.machine_ports.split("-"))
    if not first <= last <= _LAST_PORT:
        raise InvalidInput(
            "The ports for machines cannot be used.",
            where=f"ATOLL_MACHINE_PORTS={settings.machine_ports}",
            todo="Write the first and the last, like 8500-8599.",
        )
    return Options(
        host=settings.host,
        url=settings.machine_url,
        port=settings.machine_port,
        ports=(first, last),
        public_host=settings.machine_host,
    )


def visits(proxy: ProxyServer, workspace_id: str) -> Visits:
    """What the rule of idle machines asks: pages that are open, and when a person last did something."""
    seen = proxy.activity(workspace_id)
    return Visits(connections=seen.connections, last_request=seen.action_at)
