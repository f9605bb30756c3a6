"""What tells a page of ours from a page of others: cookies, their names, and where a request came from."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

from fastapi import Request, Response

from atoll.access import sessions
from atoll.errors import NotAuthenticated, NotPermitted

SESSION = "atoll_session"
#: Tells a browser in which the person has signed in before; opens nothing.
KNOWN = "atoll_known"
#: What a sign-on by redirect needs when it comes back.
SIGN_ON = "atoll_sign_on"
CSRF_HEADER = "X-Atoll-Csrf"
#: Sent by pages with what they ask by themselves, so that it keeps no session alive.
BACKGROUND_HEADER = "X-Atoll-Background"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(request: Request, name: str) -> str:
    """With TLS the name keeps sibling hosts from setting the cookie (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if _secure(request) else name


def set_cookie(request: Request, response: Response, name: str, value: str, *, seconds: int, lax: bool = False) -> None:
    """Set a cookie that scripts cannot read and other sites do not send; `lax`: but for links followed."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=_secure(request),
        samesite="lax" if lax else "strict",
    )


def clear_cookie(request: Request, response: Response, name: str) -> None:
    """Take a cookie back."""
    set_cookie(request, response, name, "", seconds=0)


def read_cookie(request: Request, name: str) -> str | None:
    """The cookie's value. Raises `NotAuthenticated` when it is there with two: a page elsewhere planted one."""
    wanted = cookie_name(request, name)
    values = set()
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == wanted and value:
                values.add(value)
    if len(values) > 1:
        raise NotAuthenticated(
            "The browser sent two sessions.", where=wanted, todo="Delete the cookies of this address and sign in again."
        )
    return values.pop() if values else None


def peek_cookie(request: Request, name: str) -> str | None:
    """As `read_cookie`, and None when it is there with two values."""
    try:
        return read_cookie(request, name)
    except NotAuthenticated:
        return None


def unquoted(text: str) -> str:
    """A cookie's text with its percent signs resolved."""
    return unquote(text)


def check_own_page(request: Request) -> None:
    """Raise `NotPermitted` for a request that the browser says another origin made.

    Sec-Fetch-Site where the browser sends it, Origin otherwise. Machines on ports of the
    same host are the same *site*, so only the same *origin* will do.
    """
    fetch_site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    same = fetch_site in (None, "same-origin", "none") and (origin is None or _netloc(origin) == _own_netloc(request))
    if not same:
        raise NotPermitted("The request comes from another site.", where="Origin", todo="Use the pages of Atoll.")


def check_change(request: Request, secret: str) -> None:
    """Raise `NotPermitted` unless a change asked for by cookie comes from a page of ours."""
    if request.method in _SAFE_METHODS:
        return
    check_own_page(request)
    sessions.check_csrf(secret, request.headers.get(CSRF_HEADER))


def public_url(request: Request) -> str:
    """Where people reach Atoll, without a slash at the end."""
    configured: str = request.app.state.rooms.settings.public_url
    return (configured or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")


def _secure(request: Request) -> bool:
    return public_url(request).startswith("https://")


def _own_netloc(request: Request) -> str:
    # Without a public address only host and port are compared: a proxy may have ended TLS.
    return _netloc(public_url(request))


def _netloc(url: str) -> str:
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.lower().removesuffix(default)
