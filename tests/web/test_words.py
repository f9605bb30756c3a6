"""French and English are complete, nothing is left over, and no text is hard-coded (ESLint sees to the last)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.web.wording import words

SRC = Path(__file__).parents[2] / "web" / "src"
#: What a language's plural has; `_many` is French for millions.
PLURALS = {"en": {"one", "other"}, "fr": {"one", "many", "other"}}
_PLURAL = re.compile(r"_(zero|one|two|few|many|other)$")


def stem(key: str) -> str:
    return _PLURAL.sub("", key)


def test_both_languages_have_the_same_keys():
    en, fr = words("en"), words("fr")
    assert en.keys() == fr.keys()
    for namespace in en:
        assert {*map(stem, en[namespace])} == {*map(stem, fr[namespace])}, namespace


@pytest.mark.parametrize("language", ["en", "fr"])
def test_plurals_are_complete_and_no_text_is_empty(language):
    for namespace, texts in words(language).items():
        plural: dict[str, set[str]] = {}
        for key, text in texts.items():
            assert text.strip(), f"{namespace}:{key}"
            if found := _PLURAL.search(key):
                plural.setdefault(stem(key), set()).add(found[1])
        assert all(forms == PLURALS[language] for forms in plural.values()), (namespace, plural)


def test_both_languages_take_the_same_values():
    en, fr = words("en"), words("fr")
    for namespace, texts in en.items():
        french = {stem(key): text for key, text in fr[namespace].items()}
        for key, text in texts.items():
            values = {*re.findall(r"{{(\w+)", text)} - {"count"}
            assert values == {*re.findall(r"{{(\w+)", french[stem(key)])} - {"count"}, f"{namespace}:{key}"


def test_no_text_is_left_over():
    """A key is used as `"key"`, or as the beginning of a template, `` `key.${...}` ``, in some source file."""
    sources = "\n".join(f.read_text() for f in SRC.rglob("*.ts*") if f.name != "schema.d.ts")
    named = set(re.findall(r"""["'`](?:\w+:)?([\w-]+(?:\.[\w-]+)*)["'`]""", sources))
    begun = tuple(set(re.findall(r"`(?:\w+:)?((?:[\w-]+\.)+)\$\{", sources)))
    unused = {
        f"{namespace}:{key}"
        for namespace, texts in words("en").items()
        for key in texts
        if stem(key) not in named and not (begun and key.startswith(begun))
    }
    assert unused == set()
