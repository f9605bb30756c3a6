"""The functions that governed SQL may call: read from `functions.txt`, which a privacy officer can read too."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def allowed_functions() -> frozenset[str]:
    """Names of the operators and the scalar, aggregate and window functions that may be called, in lower case."""
    sections = _sections()
    return frozenset().union(*(names for title, names in sections.items() if title != "table"))


@cache
def allowed_table_functions() -> frozenset[str]:
    """Names of the functions that may stand in FROM, in lower case."""
    return _sections()["table"]


@cache
def _sections() -> dict[str, frozenset[str]]:
    sections: dict[str, set[str]] = {}
    title = ""
    for line in files("atoll.query").joinpath("functions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") or not line.strip():
            continue
        if line.startswith("[") and line.endswith("]"):
            title = line[1:-1]
            sections[title] = set()
        else:
            sections[title].update(name.lower() for name in line.split())
    return {title: frozenset(names) for title, names in sections.items()}
