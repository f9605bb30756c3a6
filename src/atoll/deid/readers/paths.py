"""Paths into nested rows, as contracts write them: `name[0].given[*]`."""

from __future__ import annotations

import re
from enum import Enum

from atoll.errors import ContractInvalid

_SEGMENT = re.compile(r"([^.\[\]]+)((?:\[(?:[0-9]{1,4}|\*)\])*)\Z")
_INDEX = re.compile(r"\[([0-9]+|\*)\]")
#: A field's name, or the number of a private DICOM attribute.
_SAFE_KEY = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,63}|[A-Z][A-Z0-9]{2}-\d{1,3}|\([0-9A-F]{4},[0-9A-F]{4}\))\Z")


class Every(Enum):
    """The step `[*]`: every element of an array."""

    EVERY = "*"


#: A key, an index, or every element.
Step = str | int | Every


def parse_path(text: str) -> tuple[Step, ...]:
    """Split a path into its steps.

    Raises:
        ContractInvalid: the text is no path.
    """
    steps: list[Step] = []
    for segment in text.split("."):
        match = _SEGMENT.match(segment)
        if match is None:
            raise ContractInvalid(f"`{text}` is not a path.", todo="Write it like `name[0].given[*]`.")
        steps.append(match[1])
        steps += [Every.EVERY if i == "*" else int(i) for i in _INDEX.findall(match[2])]
    return tuple(steps)


def shown_path(steps: tuple[str | int, ...]) -> str:
    """A path found in data, for messages.

    Keys come from the data and may be values in a key's place: what does not look like a
    field's name is shown as `?`.
    """
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _SAFE_KEY.match(step) else "?")
    return text
