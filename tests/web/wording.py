"""The words of the web application, as its translators wrote them."""

from __future__ import annotations

import json
from pathlib import Path

LOCALES = Path(__file__).parents[2] / "web" / "src" / "locales"


def flat(tree: dict, before: str = "") -> dict[str, str]:
    found = {}
    for key, value in tree.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


def words(language: str) -> dict[str, dict[str, str]]:
    """Namespace to key to text."""
    return {file.stem: flat(json.loads(file.read_text())) for file in (LOCALES / language).glob("*.json")}


class Wording:
    """`w("machines:new.review")`: what a person of the language reads there."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = words(language)

    def __call__(self, key: str, **values: object) -> str:
        namespace, _, name = key.partition(":")
        text = self._words[namespace][name]
        for value, shown in values.items():
            text = text.replace("{{" + value + "}}", str(shown))
        return text
