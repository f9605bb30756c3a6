"""Answers of the proxy itself: a page for people, JSON for programs."""

from __future__ import annotations

import json
from html import escape

from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest

from atoll import errors
from atoll.reviewed.languages import accepted, said_in

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{head}
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem}}</style></head>
<body><main><h1>{title}</h1><p>{text}</p>{link}</main></body></html>
"""
#: Pages of the proxy run nothing, load nothing and are framed by nobody.
_GUARDS = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Server": "Atoll",
}
_STATUS: dict[type[errors.AtollError], int] = {
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    # What may not be seen is not told from what is not there, nor from a session that is none.
    errors.NotFound: 404,
    errors.Unavailable: 503,
}


def refused(request: BaseRequest, error: errors.AtollError, *, go_on: str = "") -> web.Response:
    """The error as an answer; `go_on` is an address that a person may go on to."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return answer(request, status, error.code, error.what, error.todo, go_on=go_on)


def answer(request: BaseRequest, status: int, code: str, what: str, todo: str = "", *, go_on: str = "") -> web.Response:
    """A refusal, in the shape the asker reads."""
    headers = _guards(language := accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE)))
    what, todo = _said(language, what), _said(language, todo)
    if status == 503:
        headers[hdrs.RETRY_AFTER] = "2"
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        again = '<meta http-equiv="refresh" content="3">' if status == 503 and request.method == hdrs.METH_GET else ""
        link = _link(language, go_on) if go_on else ""
        page = _PAGE.format(language=language, head=again, title=escape(what), text=escape(todo), link=link)
        return web.Response(status=status, text=page, content_type="text/html", headers=headers)
    body = {"code": code, "message": what, "where": "", "todo": todo, "findings": [], "request_id": ""}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)


def entered(request: BaseRequest, to: str, cookie: str) -> web.Response:
    """A page that goes on to the machine.

    A redirect would not do: the browser counts it as caused by the page that held the
    link, and leaves out a SameSite=Strict cookie. This page's own step is the machine's.
    """
    headers = _guards(language := accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE)))
    head = f'<meta http-equiv="refresh" content="0;url={escape(to)}">'
    title = _said(language, "The machine opens")
    page = _PAGE.format(language=language, head=head, title=title, text="", link=_link(language, to))
    if cookie:
        headers[hdrs.SET_COOKIE] = cookie
    return web.Response(text=page, content_type="text/html", headers=headers)


def moved(to: str) -> web.Response:
    """Where the machine's service begins."""
    return web.Response(status=308, headers={**_GUARDS, hdrs.LOCATION: to})


def _guards(language: str) -> dict[str, str]:
    return {**_GUARDS, hdrs.CONTENT_LANGUAGE: language, hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_LANGUAGE}"}


def _said(language: str, text: str) -> str:
    say = said_in(language)
    return text if say is None else say(text)


def _link(language: str, to: str) -> str:
    return f'<p><a href="{escape(to)}">{_said(language, "Go on")}</a></p>'


def left(cookie: str) -> web.Response:
    """The visit has ended."""
    return web.Response(status=204, headers={**_GUARDS, hdrs.SET_COOKIE: cookie})
