"""Every sentence that the code can say has French, and no French is left over."""

from __future__ import annotations

import ast
import itertools
import re
from functools import cache

import pytest
import yaml
from tests.french.not_said import NOT_SAID
from tests.french.sentences import SOURCE, templates

from atoll.reviewed.french import WITHIN, by_file, french
from atoll.reviewed.phrases import PLACE

COMPOSED, WORDS, LIBRARY = "composed.yaml", "words.yaml", "library.yaml"
HAND = {COMPOSED, WITHIN, WORDS, LIBRARY}


@cache
def files():
    return by_file()


@cache
def said():
    """French by English, of all files."""
    return {english: text for texts in files().values() for english, text in texts.items()}


@cache
def in_code():
    return {one.text: f"{one.file}:{one.line}" for one in templates()}


@cache
def constants():
    trees = (ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py"))
    return {
        n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def pairs_of_words(text):
    """Words that stand side by side in a text, without its values."""
    for part in PLACE.split(text)[::3]:
        words = re.findall(r"[A-Za-z']+", part)
        yield from itertools.pairwise(words)


def test_every_sentence_has_french():
    missing = {text: place for text, place in in_code().items() if text not in said() and text not in NOT_SAID}
    assert missing == {}, "add them to a file of src/atoll/reviewed/french"


def test_no_french_is_left_over():
    left = {
        f"{file}: {english}"
        for file, texts in files().items()
        if file not in HAND
        for english in texts
        if english not in in_code()
    }
    assert left == set()
    assert in_code().keys() >= NOT_SAID


def test_what_is_put_together_is_put_together_of_what_the_code_says():
    known = {pair for text in (*in_code(), *constants()) for pair in pairs_of_words(text)}
    strange = {
        f"{file}: {english}"
        for file in (COMPOSED, WITHIN)
        for english in files()[file]
        # A word may stand in a value, or be begun anew in capitals.
        if sum(pair not in known for pair in pairs_of_words(english)) > 1
    }
    assert strange == set()
    words = {english for english in files()[WORDS] if english.removesuffix("s") not in constants() | {"of memory"}}
    assert {word for word in words if word not in constants() and not word.startswith("its ")} == set()


def test_both_languages_have_the_same_values():
    wrong = {}
    for file, texts in files().items():
        for english, text in texts.items():
            en, fr = ({name for _, name in PLACE.findall(one)} for one in (english, text))
            if en != fr and not (file == LIBRARY and fr < en):
                wrong[english] = text
    assert wrong == {}


def test_a_sentence_stands_once():
    seen: dict[str, str] = {}
    for path in sorted((SOURCE / "reviewed" / "french").glob("*.yaml")):
        mapping = yaml.compose(path.read_text("utf-8"), yaml.CSafeLoader)
        for key, _ in mapping.value:
            assert key.value not in seen, f"{path.name} and {seen[key.value]}: {key.value}"
            seen[key.value] = path.name


def test_french_is_written_as_french_is():
    for english, text in said().items():
        words = re.sub(r"`[^`]*`|\{~?\w+\}|https?://\S+|\S+:///?\S+", "", text)
        if "'" not in english:
            assert "'" not in words, f"an apostrophe is ’: {text}"
        assert not re.search(r"\w[;!?](\s|$)|[a-zà-ÿ]:(\s|$)", words), f"a space stands before ; : ! ?: {text}"
        if english not in files()[LIBRARY] and not english.endswith("..."):
            assert english.endswith(".") == text.endswith("."), f"one ends, the other goes on: {text}"


@pytest.mark.parametrize("file", sorted(files().keys() - {WITHIN}))
def test_each_sentence_is_recognised_among_all(file):
    """Filled with values it is said by its own template, whatever others might fit."""
    phrases = french()
    for english, text in files()[file].items():
        filled = PLACE.sub(lambda place: f"x{len(place[2])}y", english)
        told = PLACE.sub(lambda place: f"x{len(place[2])}y", text)
        plain = phrases.say(filled).replace("\u00a0", " ")
        wordless = not re.search("[A-Za-z]", PLACE.sub("", english))
        assert plain == told or wordless, f"{english!r} was read as another: {plain!r}"
