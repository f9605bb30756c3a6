"""Health, figures, settings and the description of the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field, SecretStr

from atoll.access.scopes import Scope
from atoll.api.metrics import Metrics
from atoll.api.openapi import openapi_json
from atoll.api.routing import Routes
from atoll.api.schemas.health import HealthAnswer
from atoll.api.schemas.listing import Listing
from atoll.api.security import PUBLIC, CallerHere, RoomsHere
from atoll.flows import read_health
from atoll.model.record import Frozen
from atoll.model.said import Sentence
from atoll.settings import Settings

routes = Routes("platform")
outside = Routes("health", prefix="")


class SettingAnswer(Frozen):
    """A setting in force."""

    name: str
    #: As text; a secret is told as `set` or `not set`.
    value: str
    help: Sentence
    secret: bool


class Health(Frozen):
    """The process answers."""

    ok: Annotated[bool, Field(description="Always true: no answer is the other case.")] = True


class Readiness(Frozen):
    """Whether each part that requests need is there."""

    ready: bool
    #: Whether it works, by part: records, engine, lake.
    parts: dict[str, bool]


@routes.get("/settings", scope=Scope.SETTINGS_READ)
def show_settings(rooms: RoomsHere) -> Listing[SettingAnswer]:
    """Every setting in force, secrets masked."""
    fields = type(rooms.settings).model_fields
    return Listing(
        items=tuple(_setting(rooms.settings, name, field.description or "") for name, field in fields.items())
    )


@routes.get("/health", scope=Scope.SETTINGS_READ)
def show_health(rooms: RoomsHere, caller: CallerHere) -> HealthAnswer:
    """Parts, hosts of machines, housekeeping and versions, tried for this answer."""
    return HealthAnswer.of(read_health.show_health(rooms, caller))


@routes.get("/openapi.json", scope=PUBLIC, include_in_schema=False)
def show_openapi(request: Request) -> Response:
    """The description of this API."""
    return Response(openapi_json(request.app), media_type="application/json")


@outside.get("/healthz", scope=PUBLIC)
async def healthz() -> Health:
    """The process is alive. Asks nothing else, so that a busy store does not get it killed."""
    return Health()


@outside.get("/readyz", scope=PUBLIC, responses={503: {"model": Readiness, "description": "Not ready"}})
def readyz(rooms: RoomsHere, response: Response) -> Readiness:
    """Whether requests can be served: records, query engine, lake directory."""
    parts = {name: not read_health.works(part) for name, part in read_health.needed(rooms).items()}
    ready = all(parts.values())
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, parts=parts)


@outside.get("/metrics", scope=PUBLIC, response_class=Response)
def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    figures: Metrics = request.app.state.metrics
    return Response(figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _setting(settings: Settings, name: str, help: str) -> SettingAnswer:
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        return SettingAnswer(name=name, value="set" if value.get_secret_value() else "not set", help=help, secret=True)
    return SettingAnswer(name=name, value="" if value is None else str(value), help=help, secret=False)
