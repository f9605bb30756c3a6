"""The language that an answer is given in, by what its reader asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType

from atoll.reviewed.languages import ENGLISH, FRENCH, said_in

#: English outside a request. Threads that answer a request inherit it.
LANGUAGE: ContextVar[str] = ContextVar("atoll_language", default=ENGLISH)

_HEADERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        language: MappingProxyType({"Content-Language": language, "Vary": "Accept-Language"})
        for language in (ENGLISH, FRENCH)
    }
)


def headers() -> Mapping[str, str]:
    """What an answer that may hold sentences says of its language."""
    return _HEADERS[LANGUAGE.get()]


def speech() -> Callable[[str], str] | None:
    """What says a sentence in the language of the answer; None for English."""
    return said_in(LANGUAGE.get())
