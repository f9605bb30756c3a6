"""Cookies: the session's own, what a machine gets to see, and what it may set."""

from __future__ import annotations

import re
from collections.abc import Iterable

from atoll.model.visit import Admission
from atoll.proxy.origins import Origin

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_NAME_BYTES_MAX = 256
#: More values under the session's name are not looked at.
_TRIED = 4


def session_name(origin: Origin) -> str:
    """Name of the cookie of a visit.

    The name tells the machine, since machines on ports share a host name. `__Host-` keeps
    pages of sibling hosts from setting it (RFC 6265bis 4.1.3.2); it needs TLS and the path `/`.
    """
    name = f"atoll_session_{origin.workspace}"
    return f"__Host-{name}" if origin.scheme == "https" else name


def session_secrets(header: str, origin: Origin) -> list[str]:
    """Every well-formed value of the session's cookie. A page can add false ones, but not take the true one."""
    name = session_name(origin)
    found = (_value(pair, name) for pair in header.split(";"))
    return [value for value in found if value is not None and _SECRET.match(value)][:_TRIED]


def set_session(admission: Admission, origin: Origin, seconds: int) -> str:
    """The Set-Cookie that opens a visit."""
    return _session(admission.secret, origin, seconds)


def clear_session(origin: Origin) -> str:
    """The Set-Cookie that ends a visit."""
    return _session("", origin, 0)


def for_machine(header: str, platform_cookies: Iterable[str]) -> str:
    """The Cookie header without the platform's; the others as they came, byte for byte."""
    hidden = tuple(platform_cookies)
    return ";".join(pair for pair in header.split(";") if not pair.strip().lower().startswith(hidden)).strip()


def from_machine(cookie: str, origin: Origin, platform_cookies: Iterable[str]) -> str | None:
    """A machine's Set-Cookie as its visitors get it, None when they do not.

    The platform's names are not for machines. Without a domain a cookie stays on its
    host; where that is shared by ports the path keeps it at the machine as well.
    """
    pair, *attributes = cookie.split(";")
    name = pair.partition("=")[0].strip()
    if not name or len(name) > _NAME_BYTES_MAX or name.lower().startswith(tuple(platform_cookies)):
        return None
    kept = [pair]
    path = None if origin.own_host else origin.base
    for attribute in attributes:
        key, _, value = attribute.strip().partition("=")
        match key.strip().lower():
            case "domain":
                continue
            case "path":
                if origin.own_host or _below(value.strip(), origin.base):
                    path = value.strip()
            case _:
                kept.append(attribute)
    if path is not None:
        kept.append(f" Path={path}")
    return ";".join(kept)


def _below(path: str, base: str) -> bool:
    return path.startswith(base) and "/../" not in f"{path}/" and "%" not in path


def _value(pair: str, name: str) -> str | None:
    key, equals, value = pair.strip().partition("=")
    return value if equals and key == name else None


def _session(value: str, origin: Origin, seconds: int) -> str:
    tls = origin.scheme == "https"
    parts = [
        f"{session_name(origin)}={value}",
        f"Path={'/' if tls else origin.base}",
        f"Max-Age={seconds}",
        "HttpOnly",
        "SameSite=Strict",
    ]
    return "; ".join([*parts, "Secure"] if tls else parts)
