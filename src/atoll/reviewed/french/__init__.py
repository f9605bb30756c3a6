"""What the platform says, in French: by room, each sentence below the template of its English.

People who know both languages review these files like any other text; a test holds them against the code.
`composed.yaml`, `within.yaml`, `words.yaml` and `library.yaml` are written by hand: see the head of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from atoll.reviewed.phrases import Phrases

#: Phrases of this file stand within others only.
WITHIN = "within.yaml"
_BEFORE = re.compile(r" (?=[;:!?»](?:\s|$))|(?<=«) ")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def french() -> Phrases:
    """The French sentences, read once, when the first French reader comes."""
    found = {name: dict(texts) for name, texts in by_file().items()}
    within = found.pop(WITHIN)
    return Phrases({en: _spaced(fr) for texts in found.values() for en, fr in texts.items()}, within)


def by_file() -> Mapping[str, Mapping[str, str]]:
    """The sentences of each file, by its name. Raises `ValueError` for a file that holds anything else."""
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            texts = yaml.load(file.read_text("utf-8"), _LOADER)  # noqa: S506, a safe one either way
            if not isinstance(texts, dict) or not all(isinstance(x, str) for pair in texts.items() for x in pair):
                raise ValueError(f"{file.name} is no mapping of texts to texts")
            found[file.name] = texts
    return found


def _spaced(text: str) -> str:
    """The text with spaces that keep its marks on the line: files are written with plain ones."""
    return _BEFORE.sub("\u00a0", text)
