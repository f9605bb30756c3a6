"""Weekly hours of workspaces, and why a machine is or is not put to rest."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import idle_workspaces, schedule_workspaces
from atoll.model.record import Frozen
from atoll.model.said import Sentence
from atoll.model.schedule import WeeklyHours

routes = Routes("workspaces")


class NewHours(Frozen):
    """Hours to set; null takes them away."""

    hours: WeeklyHours | None


class HoursAnswer(Frozen):
    """When a workspace is to run, and the last judgement of its idle rule."""

    hours: WeeklyHours | None
    #: `kept alive because ...`, `hibernated because ...`; empty before the first judgement.
    idle: Sentence


@routes.get("/workspaces/{id}/hours", scope=Scope.WORKSPACES_READ_OWN)
def show_workspace_hours(rooms: RoomsHere, caller: CallerHere, id: str) -> HoursAnswer:
    """Weekly hours of a workspace, and why it is kept alive or was put to rest."""
    hours = schedule_workspaces.show_hours(rooms, caller, id)
    return HoursAnswer(hours=hours, idle=idle_workspaces.why(rooms, id))


@routes.put("/workspaces/{id}/hours", scope=Scope.WORKSPACES_RUN)
def set_workspace_hours(rooms: RoomsHere, caller: CallerHere, id: str, body: NewHours) -> HoursAnswer:
    """Wake it when its hours begin, and outside them rest as soon as nothing runs."""
    hours = schedule_workspaces.set_hours(rooms, caller, id, body.hours).hours
    return HoursAnswer(hours=hours, idle=idle_workspaces.why(rooms, id))
