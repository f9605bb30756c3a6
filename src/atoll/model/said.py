"""Sentences of a closed set: said in English, and recognised again, so that a page can put them in one's language.

Records and the audit keep the sentence as it was said. Its code and values are derived from it and never stored
beside it, so what was said before a code existed has one too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from atoll.model.record import Frozen

_PLACE = re.compile(r"\{(\w+)\}")


class Said(Frozen):
    """Which sentence it is, and what varies in it."""

    #: The set it is of: `idle`, `wish`, `finding`, `todo`.
    kind: str
    code: str
    values: Mapping[str, str] = {}


class Sentences:
    """A set of sentences by their codes. `{name}` stands for what varies."""

    def __init__(self, kind: str, texts: Mapping[str, str]) -> None:
        self.kind = kind
        self.texts: Mapping[str, str] = MappingProxyType(dict(texts))
        self._patterns = {code: re.compile(_pattern(text), re.DOTALL) for code, text in texts.items()}

    def say(self, code: str, /, **values: object) -> str:
        """The sentence in English. Raises KeyError for a code, or a value, that is not there."""
        return self.texts[code].format_map({name: str(value) for name, value in values.items()})

    def read(self, sentence: str) -> Said | None:
        """Which sentence it is; None when it is none of these."""
        for code, pattern in self._patterns.items():
            if match := pattern.fullmatch(sentence):
                return Said(kind=self.kind, code=code, values=match.groupdict())
        return None

    def places(self, code: str) -> frozenset[str]:
        """The names of what varies in a sentence."""
        return frozenset(_PLACE.findall(self.texts[code]))


def _pattern(text: str) -> str:
    parts = _PLACE.split(text)
    return "".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
