"""One's own password and second factor."""

from __future__ import annotations

from fastapi import Request

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.own_account import Code, EnrolmentAnswer, NewPassword, RecoveryCodes
from atoll.api.security import CallerHere, RoomsHere, door_of
from atoll.flows import change_password, second_factor

routes = Routes("own account")


@routes.post("/me/second-factor", scope=Scope.ME_WRITE, status_code=201)
def start_second_factor(rooms: RoomsHere, caller: CallerHere) -> EnrolmentAnswer:
    """A secret for one's app; codes are asked for once one of them is confirmed."""
    made = second_factor.start(rooms, caller)
    return EnrolmentAnswer(secret=made.secret, uri=made.uri)


@routes.post("/me/second-factor/confirm", scope=Scope.ME_WRITE)
def confirm_second_factor(rooms: RoomsHere, caller: CallerHere, body: Code) -> RecoveryCodes:
    """Put the second factor in force by a code of the app."""
    return RecoveryCodes(recovery_codes=second_factor.confirm(rooms, caller, body.code))


@routes.delete("/me/second-factor", scope=Scope.ME_WRITE, status_code=204)
def remove_second_factor(rooms: RoomsHere, caller: CallerHere, body: Code) -> None:
    """Take the second factor away, with a code of the app or a recovery code."""
    second_factor.remove(rooms, caller, body.code)


@routes.post("/me/password", scope=Scope.ME_WRITE, status_code=204)
def change_own_password(request: Request, rooms: RoomsHere, caller: CallerHere, body: NewPassword) -> None:
    """Change one's own password; every other session and every token made before ends."""
    change_password.change_own_password(rooms, door_of(request), caller, body.current, body.new)
