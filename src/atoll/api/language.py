"""The language that an answer is given in, by what its reader asks for."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from atoll.model.said import Say, spoken
from atoll.reviewed.french import french

ENGLISH = "en"
FRENCH = "fr"

#: English outside a request. Threads that answer a request inherit it.
LANGUAGE: ContextVar[str] = ContextVar("atoll_language", default=ENGLISH)

_VARY = "Accept-Language"
_HEADERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {language: MappingProxyType({"Content-Language": language, "Vary": _VARY}) for language in (ENGLISH, FRENCH)}
)


def accepted(header: str | None) -> str:
    """The language of ours that `Accept-Language` (RFC 9110, 12.5.4) likes best; English when it names none."""
    best, weight = ENGLISH, 0.0
    for item in (header or "").split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().split("-")[0]
        liked = _weight(parameter)
        if language in (ENGLISH, FRENCH) and liked > weight:
            best, weight = language, liked
    return best


def _weight(parameter: str) -> float:
    name, _, number = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0


def headers() -> Mapping[str, str]:
    """What an answer that may hold sentences says of its language."""
    return _HEADERS[LANGUAGE.get()]


def speech() -> Mapping[str, Say] | None:
    """The context in which an answer is written; None for English, which is what is said anyway."""
    return spoken(french().say if LANGUAGE.get() == FRENCH else None)
