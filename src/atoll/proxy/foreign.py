"""Requests that another origin makes a visitor's browser send."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs

from atoll.proxy.origins import Origin

_OWN_SITES = ("same-origin", "none")


def foreign(headers: Mapping[str, str], origin: Origin) -> bool:
    """Whether a page elsewhere caused the request, be it on a sibling host or port.

    Browsers send Origin with every unsafe method and WebSocket, and Sec-Fetch-Site with
    every request over TLS or to this host itself (`same-site` is another machine on
    another port: SameSite cookies do not keep these apart). Programs send neither; they
    hold the cookie by themselves, and nobody can make them send it.
    """
    said = headers.get(hdrs.ORIGIN)
    if said is not None and said.lower() != origin.text:
        return True
    site = headers.get("Sec-Fetch-Site")
    return site is not None and site.lower() not in _OWN_SITES


def navigates(headers: Mapping[str, str]) -> bool:
    """Whether the browser opens a page (and nothing within one)."""
    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest", "document") == "document"
