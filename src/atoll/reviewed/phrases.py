"""Sentences in another language, recognised by their English.

Code, records, the audit and the command line speak English and nothing else. Where a person reads an answer in
another language, the English is recognised by the template that it was made from and said anew with the same
values. What no template fits stays as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: `{name}` stands for a value, `{~name}` in the other language for one that is a phrase, so said anew as well.
PLACE = re.compile(r"\{(~?)(\w+)\}")
_WORD = re.compile(r"[A-Za-z]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'`]?\S)")

#: Longer texts are no sentences; they stay as they are.
MAX_CHARACTERS = 4000
#: How often one text is looked at, with all its parts: texts that others wrote may be made to be slow.
_MAX_STEPS = 200
_MAX_DEPTH = 6
_MAX_PARTS = 32
_KEPT = 4096
#: How phrases are put together in English, and in the language.
_LISTS = (("; ", " ; "), (", or ", ", ou "), (" or ", " ou "), (" and ", " et "), (", ", ", "))
#: A value with one of these in it may be more than one value.
_MORE = re.compile(r"[.!?]\s|; |, or ")


@dataclass(frozen=True)
class _Phrase:
    """A template: what stands between its places, their names, and how it is said."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    said: str
    #: It would fit too much: a value that it begins with is one word.
    loose: bool = False

    def values(self, text: str) -> Mapping[str, str] | None:
        """What stands in the places; None when the text is not made from this template. Linear in the text."""
        first, last = self.literals[0], self.literals[-1]
        if not self.names:
            return {} if text == first else None
        if not text.startswith(first) or not text.endswith(last) or len(text) <= len(first) + len(last):
            return None
        at, end = len(first), len(text) - len(last)
        found: list[str] = []
        for literal in self.literals[1:-1]:
            stop = text.find(literal, at + 1, end)
            if stop < 0:
                return None
            found.append(text[at:stop])
            at = stop + len(literal)
        if at >= end:
            return None
        found.append(text[at:end])
        if self.loose and first == "" and " " in found[0]:
            return None
        return dict(zip(self.names, found, strict=True))


class Phrases:
    """The sentences of a language by the templates of their English.

    `within` are those that stand in the values of others only.
    """

    def __init__(self, said: Mapping[str, str], within: Mapping[str, str] | None = None) -> None:
        alone, inner = _Index.of(said), _Index.of(within or {}, loose=True)

        @lru_cache(_KEPT)
        def say(text: str) -> str:
            if not text or len(text) > MAX_CHARACTERS:
                return text
            return _Reading(alone, inner).text(text) or text

        self._say = say

    def say(self, text: str) -> str:
        """The text in the language, or as it is."""
        return self._say(text)


class _Reading:
    """How one text is recognised."""

    def __init__(self, alone: _Index, within: _Index) -> None:
        self._alone, self._within = alone, within
        self._steps, self._depth = _MAX_STEPS, 0

    def text(self, text: str) -> str | None:
        """Sentences, or places with commas between; None when nothing of it is known."""
        said = self._phrase(text, inner=False)
        return self._listed(text, *_LISTS[-1]) if said is None else said

    def _phrase(self, text: str, *, inner: bool) -> str | None:
        self._steps -= 1
        if self._steps < 0 or self._depth > _MAX_DEPTH or not text:
            return None
        self._depth += 1
        try:
            return self._known(text, inner=inner)
        finally:
            self._depth -= 1

    def _known(self, text: str, *, inner: bool) -> str | None:
        if (whole := self._alone.whole.get(text)) is not None:
            return whole
        indexes = (self._alone, self._within) if inner else (self._alone,)
        for index in indexes:
            for phrase in index.candidates(text):
                if (values := phrase.values(text)) is not None:
                    several = self._several(text, every=True) if any(map(_MORE.search, values.values())) else None
                    listed = self._lists(text, every=True) if several is None and inner else None
                    return several or listed or self._filled(phrase, values)
        if (several := self._several(text, every=False)) is not None:
            return several
        for phrase in self._alone.wordless:
            if (values := phrase.values(text)) is not None and self._knows(phrase, values):
                return self._filled(phrase, values)
        return None

    def _inner(self, text: str) -> str | None:
        """A phrase within another: with or without its full stop, or several in a list."""
        bare = text.strip()
        said = self._phrase(bare, inner=True)
        if said is None and not bare.endswith("."):
            said = self._phrase(f"{bare}.", inner=True)
            said = None if said is None else said.removesuffix(".")
        if said is None:
            said = self._lists(bare, every=False)
        return None if said is None else text.replace(bare, said, 1)

    def _lists(self, text: str, *, every: bool) -> str | None:
        return next((s for pair in _LISTS if (s := self._listed(text, *pair, every=every)) is not None), None)

    def _listed(self, text: str, english: str, other: str, *, every: bool = False) -> str | None:
        parts = text.split(english)
        if not 1 < len(parts) <= _MAX_PARTS:
            return None
        told = [self._inner(part) for part in parts]
        if not any(told) or (every and not all(told)):
            return None
        return other.join(one or part for one, part in zip(told, parts, strict=True))

    def _several(self, text: str, *, every: bool) -> str | None:
        """Sentences one behind the other, each said by itself, the longest known beginning first."""
        ends = [match.span() for match in _SENTENCE_END.finditer(text)]
        if not ends or len(ends) > _MAX_PARTS:
            return None
        for start, stop in reversed(ends):
            head = self._phrase(text[:start], inner=False)
            if head is not None:
                tail = text[stop:]
                rest = self._phrase(tail, inner=False)
                if rest is not None or not every:
                    return f"{head}{text[start:stop]}{rest or tail}"
        if every:
            return None
        # The first is not known: it stays, and what follows it may be.
        start, stop = ends[0]
        rest = self._phrase(text[stop:], inner=False)
        return None if rest is None else text[:stop] + rest

    def _filled(self, phrase: _Phrase, values: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            text = values[match.group(2)]
            return (self._inner(text) or text) if match.group(1) else text

        return PLACE.sub(value, phrase.said)

    def _knows(self, phrase: _Phrase, values: Mapping[str, str]) -> bool:
        """Whether every value that is a phrase is a known one: a template without a word would fit anything."""
        inner = [values[name] for mark, name in PLACE.findall(phrase.said) if mark]
        return all(self._inner(text) is not None for text in inner)


@dataclass(frozen=True)
class _Index:
    """Sentences by what they are found by."""

    #: Those without a place.
    whole: Mapping[str, str]
    by_word: Mapping[str, Sequence[_Phrase]]
    #: Those of places and marks alone, tightest first.
    wordless: Sequence[_Phrase]

    @classmethod
    def of(cls, said: Mapping[str, str], *, loose: bool = False) -> _Index:
        whole = {english: text for english, text in said.items() if not PLACE.search(english)}
        phrases = [_phrase(english, text, loose=loose) for english, text in said.items() if english not in whole]
        return cls(whole, *_by_rarest_word(phrases))

    def candidates(self, text: str) -> Iterable[_Phrase]:
        """Phrases that may fit, those that leave least to values first."""
        fits = {id(one): one for word in set(_WORD.findall(text)) for one in self.by_word.get(word, ())}
        return sorted(fits.values(), key=_looseness)


def _phrase(english: str, said: str, *, loose: bool) -> _Phrase:
    parts = PLACE.split(english)
    names = tuple(parts[2::3])
    if {name for _, name in PLACE.findall(said)} - set(names):
        raise ValueError(f"A place of the translation is none of the sentence: {english!r}")
    literals = tuple(parts[0::3])
    return _Phrase(literals, names, said, loose or not _WORD.search("".join(literals)))


def _by_rarest_word(phrases: Sequence[_Phrase]) -> tuple[Mapping[str, Sequence[_Phrase]], Sequence[_Phrase]]:
    """Each phrase below the word of its own that fewest others have, and those without a word, tightest first."""
    words = [_words(phrase) for phrase in phrases]
    count: dict[str, int] = defaultdict(int)
    for of_one in words:
        for word in of_one:
            count[word] += 1
    by_word: dict[str, list[_Phrase]] = defaultdict(list)
    wordless: list[_Phrase] = []
    for phrase, of_one in zip(phrases, words, strict=True):
        if of_one:
            by_word[min(sorted(of_one), key=lambda word: count[word])].append(phrase)
        else:
            wordless.append(phrase)
    return by_word, sorted(wordless, key=_looseness)


def _words(phrase: _Phrase) -> set[str]:
    """Words that stand whole in every text of the template: one beside a place may be part of a longer one."""
    found: set[str] = set()
    last = len(phrase.literals) - 1
    for at, literal in enumerate(phrase.literals):
        for match in _WORD.finditer(literal):
            joined_left = at > 0 and match.start() == 0
            joined_right = at < last and match.end() == len(literal)
            if not joined_left and not joined_right:
                found.add(match.group())
    return found


def _looseness(phrase: _Phrase) -> tuple[bool, int, int]:
    """Less is tighter: a beginning of its own, then more of the text, then fewer places."""
    return not phrase.literals[0], -sum(map(len, phrase.literals)), len(phrase.names)
