"""Values made safe to show: the shape is kept, what it says is not."""

from __future__ import annotations

import unicodedata

import polars as pl

#: Characters shown at most.
MASK_LENGTH = 24


def mask(text: str) -> str:
    """Letters as `a` or `A`, digits as `9`, other characters kept, 24 at most."""
    return "".join(_masked(character) for character in text[:MASK_LENGTH])


def mask_expr(column: pl.Expr) -> pl.Expr:
    """`mask` for a String column; null stays null."""
    return (
        column.str.head(MASK_LENGTH)
        .str.replace_all(r"[\p{L}&&[^\p{Lu}\p{Lt}]]", "a")
        .str.replace_all(r"[\p{Lu}\p{Lt}]", "A")
        .str.replace_all(r"\p{N}", "9")
    )


def _masked(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Lu", "Lt"):
        return "A"
    if category.startswith("L"):
        return "a"
    return "9" if category.startswith("N") else character
