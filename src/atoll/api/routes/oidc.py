"""Sign-on by redirect: to the issuer and back. Browsers follow these; answers are redirects to pages."""

from __future__ import annotations

import logging
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from atoll.api import browser
from atoll.api.request_id import REQUEST_ID
from atoll.api.routes.sessions import admit
from atoll.api.routing import Routes
from atoll.api.security import PUBLIC, RoomsHere, address_of
from atoll.errors import AtollError, NotAuthenticated
from atoll.flows import sign_on_by_redirect as story

log = logging.getLogger(__name__)

routes = Routes("sessions")

#: Time to sign in at the issuer.
_SECONDS = 600
_FOUND: dict[int | str, dict[str, Any]] = {303: {"description": "To the issuer, or to a page of the platform"}}

ReturnTo = Annotated[str, Query(max_length=2000, description="Path of the page to come back to.")]
Told = Annotated[str, Query(max_length=8000)]


@routes.get("/session/oidc/start", scope=PUBLIC, status_code=303, response_class=Response, responses=_FOUND)
def start_oidc(request: Request, rooms: RoomsHere, return_to: ReturnTo = "/") -> Response:
    """Send the browser to the issuer; it comes back to `return_to`, a path of the platform."""
    try:
        departure = story.depart(rooms, _callback(request))
    except AtollError as error:
        return _to_sign_in(error)
    answer = RedirectResponse(departure.url, status_code=303)
    kept = f"{departure.secret}.{quote(story.own_path(return_to), safe='')}"
    # Lax: the issuer's page, another site, leads back here.
    browser.set_cookie(request, answer, browser.SIGN_ON, kept, seconds=_SECONDS, lax=True)
    return answer


@routes.get("/session/oidc/callback", scope=PUBLIC, status_code=303, response_class=Response, responses=_FOUND)
def finish_oidc(request: Request, rooms: RoomsHere, state: Told = "", code: Told = "", error: Told = "") -> Response:
    """Take the issuer's answer, open a session and lead to the page that was wanted."""
    secret, _, wanted = (browser.peek_cookie(request, browser.SIGN_ON) or "").partition(".")
    # Checked again: the browser kept it.
    answer: Response = RedirectResponse(story.own_path(browser.unquoted(wanted)), status_code=303)
    try:
        if error:
            raise NotAuthenticated("The issuer let nobody in.", where="oidc", todo="Sign in there.")
        person = story.arrive(
            rooms,
            secret=secret,
            state=state,
            code=code,
            redirect_uri=_callback(request),
            address=address_of(request),
            request_id=REQUEST_ID.get(),
        )
        admit(request, answer, rooms, person, method="oidc", remember=False)
    except AtollError as refused:
        answer = _to_sign_in(refused)
    browser.clear_cookie(request, answer, browser.SIGN_ON)
    return answer


def _callback(request: Request) -> str:
    return f"{browser.public_url(request)}/api/v1/session/oidc/callback"


def _to_sign_in(error: AtollError) -> Response:
    """To the page where people sign in, with a word that it can explain; nothing of what was sent."""
    log.warning("A sign-on by redirect failed.", extra={"fields": {"error_code": error.code}})
    return RedirectResponse(f"/sign-in?problem={error.code}", status_code=303)
