"""The application: every route, with what surrounds them."""

from __future__ import annotations

from fastapi import FastAPI

from atoll import __version__
from atoll.api import errors
from atoll.api.body_limit import BodyLimit
from atoll.api.envelope import Envelope
from atoll.api.lanes import Lanes
from atoll.api.metrics import Metrics
from atoll.api.routes import ALL
from atoll.api.routing import LiteralFirst
from atoll.api.security import check_declared
from atoll.api.web import Web
from atoll.flows.front_door import front_door
from atoll.flows.rooms import Rooms
from atoll.flows.tell_events import Events


def create_app(rooms: Rooms) -> FastAPI:
    """The HTTP face of the rooms. The caller keeps the rooms and closes them.

    Raises `RuntimeError` when a route declares no scope.
    """
    app = FastAPI(
        title="Atoll",
        description="Data science as a service on clinical data: a governed lake and the machines beside it.",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    metrics = Metrics(rooms)
    app.state.rooms = rooms
    app.state.door = front_door(rooms)
    app.state.metrics = metrics
    app.state.events = Events(rooms)
    app.state.lanes = Lanes()
    app.router.route_class = LiteralFirst
    for routes in ALL:
        routes.mount(app)
    errors.install(app)
    # The last one added is the outermost.
    app.add_middleware(Web, directory=rooms.settings.web_dir)
    app.add_middleware(BodyLimit)
    app.add_middleware(Envelope, metrics=metrics)
    check_declared(app)
    return app
