"""Headers on the way in and on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiohttp import hdrs
from multidict import CIMultiDict

from atoll.model.visit import Visit
from atoll.proxy import cookies
from atoll.proxy.origins import Origin

#: Of one connection only (RFC 9110 7.6.1).
_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: The platform's credentials, what only the proxy may say, and what aiohttp does by itself.
_NOT_IN = _HOP | {"authorization", "cookie", "expect", "forwarded", "x-real-ip", "x-scheme", "http2-settings"}
_NOT_IN_BEGINNINGS = ("x-forwarded-", "x-atoll-", "sec-websocket-")
#: What would reach beyond the machine's origin: permissions for other origins, promises for the
#: whole host, its other ports or the whole site, and addresses that browsers send reports to.
_NOT_OUT = _HOP | {
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "alt-svc",
    "clear-site-data",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "public-key-pins",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "server",
    "set-cookie",
    "strict-transport-security",
    "www-authenticate",
    "x-content-type-options",
}
#: Kept by a browser only when checked again each time: code and looks, never data.
_STATIC = ("text/css", "text/javascript", "application/javascript", "application/wasm", "font/", "image/")
_POWERS = (
    "camera",
    "display-capture",
    "geolocation",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "serial",
    "usb",
)
_CLIPBOARD = ("clipboard-read", "clipboard-write")


def for_machine(
    headers: Mapping[str, str], origin: Origin, platform_cookies: Iterable[str], *, websocket: bool = False
) -> CIMultiDict[str]:
    """A request's headers as the machine gets them: with its own cookies, and nothing of the platform's."""
    named = {name.strip().lower() for name in headers.get(hdrs.CONNECTION, "").split(",")}
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        low = name.lower()
        if low in _NOT_IN or low in named or low.startswith(_NOT_IN_BEGINNINGS):
            continue
        kept.add(name, value)
    own = "; ".join(filter(None, (cookies.for_machine(line, platform_cookies) for line in _all(headers, hdrs.COOKIE))))
    if own:
        kept[hdrs.COOKIE] = own
    kept["X-Forwarded-Proto"] = origin.scheme
    kept["X-Forwarded-Host"] = origin.host
    if websocket:
        kept.popall(hdrs.CONTENT_LENGTH, None)
    return kept


class Outgoing:
    """Headers of answers at one origin. What is the same for all of them is made once.

    Args:
        origin: the machine's.
        platform_cookies: beginnings of names that a machine may not set.
        confine_pages: whether pages may load from, and send to, their own origin only.
    """

    def __init__(self, origin: Origin, platform_cookies: tuple[str, ...], *, confine_pages: bool) -> None:
        self._origin = origin
        self._platform_cookies = platform_cookies
        self._fixed: dict[tuple[bool, bool], tuple[tuple[str, str], ...]] = {}
        self._confine_pages = confine_pages

    def from_machine(self, headers: Mapping[str, str], visit: Visit) -> CIMultiDict[str]:
        """A machine's answer as its visitors get it."""
        named = {name.strip().lower() for name in headers.get(hdrs.CONNECTION, "").split(",")}
        kept: CIMultiDict[str] = CIMultiDict()
        for name, value in headers.items():
            low = name.lower()
            if low not in _NOT_OUT and low not in named:
                kept.add(name, value)
        for line in _all(headers, hdrs.SET_COOKIE):
            cookie = cookies.from_machine(line, self._origin, self._platform_cookies)
            if cookie is not None:
                kept.add(hdrs.SET_COOKIE, cookie)
        kept[hdrs.CACHE_CONTROL] = cache_control(
            kept.get(hdrs.CACHE_CONTROL, ""), kept.get(hdrs.CONTENT_TYPE, "").lower()
        )
        kept.extend(self.guards(visit))
        return kept

    def guards(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        """What every answer carries, so that no other origin can use it or act through it."""
        key = (visit.downloads, visit.clipboard)
        if key not in self._fixed:
            self._fixed[key] = self._guards(visit)
        return self._fixed[key]

    def _guards(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        powers = _POWERS if visit.clipboard else _POWERS + _CLIPBOARD
        policy = [f"frame-ancestors {self._origin.text}", "form-action 'self'", "base-uri 'self'"]
        if self._confine_pages:
            here = f"'self' {self._origin.websocket} data: blob:"
            policy += [f"default-src {here} 'unsafe-inline' 'unsafe-eval'", f"connect-src {here}", "object-src 'self'"]
        if not visit.downloads:
            # A sandbox without allow-downloads: the browser refuses to save, also what a script made.
            policy.append(
                "sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-popups"
                " allow-popups-to-escape-sandbox allow-pointer-lock"
            )
        return (
            # A second policy beside the machine's own can only forbid more (CSP 3, 8.1).
            ("Content-Security-Policy", "; ".join(policy)),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"),
            ("Permissions-Policy", ", ".join(f"{power}=()" for power in powers)),
            # Nothing goes to other origins; within its own Jupyter asks for it.
            ("Referrer-Policy", "same-origin"),
            ("Server", "Atoll"),
            ("X-Content-Type-Options", "nosniff"),
        )


def cache_control(said: str, content_type: str) -> str:
    """Never in a shared cache, and data not on the visitor's disk unless the machine says so."""
    if not said.strip():
        return "private, no-cache" if content_type.startswith(_STATIC) else "no-store"
    kept = [part.strip() for part in said.split(",")]
    kept = [part for part in kept if not part.lower().startswith(("public", "s-maxage", "private"))]
    if any(part.lower() == "no-store" for part in kept):
        return ", ".join(kept)
    return ", ".join(["private", *filter(None, kept)])


def _all(headers: Mapping[str, str], name: str) -> list[str]:
    """Every line of a header that may come several times."""
    return headers.getall(name, []) if hasattr(headers, "getall") else [headers[name]] if name in headers else []
