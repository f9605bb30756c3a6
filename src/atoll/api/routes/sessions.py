"""Sessions of browsers: sign-in by password, who is signed in, sign-out."""

from __future__ import annotations

from fastapi import Request, Response

from atoll.access import sessions
from atoll.access.scopes import Scope, scopes_of
from atoll.api import browser
from atoll.api.request_id import REQUEST_ID
from atoll.api.routing import Routes
from atoll.api.schemas.sessions import MethodAnswer, MethodsAnswer, NewSession, ProjectOfSession, SessionAnswer
from atoll.api.security import PUBLIC, CallerHere, RoomsHere, address_of, door_of
from atoll.errors import NotFound
from atoll.flows import browser_sessions, known_browsers, second_factor, sign_in
from atoll.flows.callers import caller_now
from atoll.flows.rooms import Rooms
from atoll.flows.sign_in import Attempt
from atoll.model.person import Caller, Person
from atoll.model.session import Session

routes = Routes("sessions")


@routes.get("/session/methods", scope=PUBLIC)
def list_session_methods(rooms: RoomsHere) -> MethodsAnswer:
    """The ways to sign in here, and the languages of the pages."""
    password = MethodAnswer(kind="password", name="Atoll")
    if rooms.sign_on.issuer is None:
        return MethodsAnswer(methods=(password,))
    issuer = MethodAnswer(kind="oidc", name=rooms.settings.oidc_name, start_url="/api/v1/session/oidc/start")
    return MethodsAnswer(methods=(issuer, password))


@routes.post("/session", scope=PUBLIC, status_code=201)
def open_session(request: Request, response: Response, rooms: RoomsHere, body: NewSession) -> SessionAnswer:
    """Sign in at a browser: sets the session's cookie. Whatever session it had before ends."""
    browser.check_own_page(request)
    known = known_browsers.recognise(rooms, browser.peek_cookie(request, browser.KNOWN), body.login)
    attempt = Attempt(
        login=body.login,
        password=body.password,
        code=body.code,
        browser=known,
        address=address_of(request),
        request_id=REQUEST_ID.get(),
    )
    person = sign_in.prove(rooms, door_of(request), attempt)
    return admit(request, response, rooms, person, method="password", remember=known is None)


@routes.get("/session", scope=Scope.ME_READ)
def show_session(request: Request, rooms: RoomsHere, caller: CallerHere) -> SessionAnswer:
    """Who is signed in at this browser. A token is no session: with one the answer is 404."""
    session: Session | None = getattr(request.state, "session", None)
    if session is None:
        raise NotFound("This request came with a token, not with a session.", where="session", todo="See `GET /me`.")
    return _answer(rooms, caller, session, browser.read_cookie(request, browser.SESSION) or "")


@routes.delete("/session", scope=Scope.ME_READ, status_code=204)
def close_session(request: Request, response: Response, rooms: RoomsHere, caller: CallerHere) -> None:
    """Sign out at this browser; machines opened from it close too."""
    browser_sessions.close_session(rooms, caller)
    browser.clear_cookie(request, response, browser.SESSION)
    response.headers["Clear-Site-Data"] = '"cache"'


@routes.delete("/sessions", scope=Scope.ME_READ, status_code=204)
def close_sessions(request: Request, response: Response, rooms: RoomsHere, caller: CallerHere) -> None:
    """Sign out everywhere: every browser, and every token that a sign-in made. API tokens stay."""
    browser_sessions.close_sessions(rooms, caller)
    browser.clear_cookie(request, response, browser.SESSION)


def admit(
    request: Request, response: Response, rooms: Rooms, person: Person, *, method: str, remember: bool
) -> SessionAnswer:
    """Open a session for somebody who has proved who they are, and set its cookie on `response`."""
    secret, writes = known_browsers.remember(rooms, person) if remember else ("", None)
    opened = browser_sessions.open_session(
        rooms,
        person,
        method=method,
        address=address_of(request),
        request_id=REQUEST_ID.get(),
        replaces=browser.peek_cookie(request, browser.SESSION),
        also=() if writes is None else (writes,),
    )
    seconds = round(rooms.settings.session_hours * 3600)
    browser.set_cookie(request, response, browser.SESSION, opened.secret, seconds=seconds)
    if remember:
        seconds = round(known_browsers.KNOWN_FOR.total_seconds())
        browser.set_cookie(request, response, browser.KNOWN, secret, seconds=seconds)
    caller = caller_now(rooms, person, address_of(request), REQUEST_ID.get()).but(token_id=opened.session.id)
    request.state.caller = caller
    return _answer(rooms, caller, opened.session, opened.secret)


def _answer(rooms: Rooms, caller: Caller, session: Session, secret: str) -> SessionAnswer:
    seen = browser_sessions.presence(rooms, caller)
    return SessionAnswer(
        login=seen.person.login,
        display_name=seen.person.display_name,
        roles=tuple(sorted(seen.person.roles)),
        scopes=tuple(sorted(scopes_of(caller))),
        projects=tuple(ProjectOfSession(name=project.name, title=project.title) for project in seen.projects),
        csrf_token=sessions.csrf_token(secret),
        expires_at=session.expires_at,
        second_factor=second_factor.has_factor(rooms, seen.person.id),
        closed=caller.lapsed,
    )
