"""Names of workspaces: said by their owner, or made from the product's."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import count

from atoll.errors import Conflict, InvalidInput
from atoll.model.person import NAME

#: Longest name, as the pattern has it.
_LONGEST = 40


def chosen(asked: str | None, product: str, taken: Collection[str]) -> str:
    """The name of a new workspace, where `taken` are those that its owner's standing ones have.

    Without one asked for it is `<product>-<n>`, the lowest that is free. Raises
    `InvalidInput` for a name that none can be, `Conflict` for one that is taken.
    """
    if asked is None:
        stem = product[: _LONGEST - 5]
        return next(name for number in count(1) if (name := f"{stem}-{number}") not in taken)
    if not re.fullmatch(NAME, asked):
        raise InvalidInput(
            "A name has lower case letters, digits, - and _, starts with a letter, and is not over 40 long.",
            where="name",
            todo="Choose another, or none.",
        )
    if asked in taken:
        raise Conflict(
            "You have a workspace of this name.",
            where=f"name {asked}",
            todo="Choose another name, or terminate that one first.",
        )
    return asked
