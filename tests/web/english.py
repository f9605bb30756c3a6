"""English left on a French page, beside what people wrote."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from playwright.sync_api import Page
from tests.web.stage import EXAMPLES, PRODUCT

_WORDS = re.compile(
    r"\b(the|is|are|was|were|has|been|of|and|its|it|not|with|must|should|which|that|your|you|by|be|an|this|there)\b",
    re.IGNORECASE,
)
#: What stands in code is a word of a program, and what is in an editor was typed.
_SHOWN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const shown = [];
  while (walker.nextNode()) {
    const inside = walker.currentNode.parentElement;
    if (!inside.closest('code, pre, .cm-editor, script, style, [lang="en"]')) shown.push(walker.currentNode.nodeValue);
  }
  return shown;
}"""
#: Typed on the stage by its people.
_WRITTEN = ("Table 1 of the paper", "Journal of Cardiology", "Heart failure study", "Lung function study")
#: A language is named in itself.
_NAMES = ("English",)


@cache
def written() -> frozenset[str]:
    """Texts of the contract and the product of the stage."""
    contracts = [yaml.safe_load(path.read_text()) for path in sorted(Path(EXAMPLES).glob("*/contract.yaml"))]
    return frozenset({*_WRITTEN, *_NAMES, *_texts([*contracts, yaml.safe_load(PRODUCT)])})


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in (*value.keys(), *value.values()) for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [" ".join(value.split())] if isinstance(value, str) else []


def english(lines: list[str]) -> list[str]:
    """Lines with two English words or more that nobody wrote."""
    found = []
    for line in lines:
        bare = " ".join(re.sub(r"`[^`]*`", "", line).split())
        for text in sorted(written(), key=len, reverse=True):
            if len(text) > 3:
                bare = bare.replace(text, "")
        if len(_WORDS.findall(bare)) > 1:
            found.append(line)
    return found


def english_on(page: Page) -> list[str]:
    """Such lines of what is shown."""
    return english(page.evaluate(_SHOWN))
