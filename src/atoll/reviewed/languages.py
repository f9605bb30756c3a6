"""The languages that are read, and which of them somebody asks for."""

from __future__ import annotations

from collections.abc import Callable

from atoll.reviewed.french import french

ENGLISH = "en"
FRENCH = "fr"


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


def said_in(language: str) -> Callable[[str], str] | None:
    """What says a sentence in the language; None for English, in which it is said anyway."""
    return french().say if language == FRENCH else None


def _weight(parameter: str) -> float:
    name, _, number = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
