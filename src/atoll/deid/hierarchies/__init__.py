"""Hierarchies of codes as data, a YAML file each: classes, the codes of each, and the source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from atoll.model.record import Frozen

_HERE = Path(__file__).parent


class Hierarchy(Frozen):
    """One level of a hierarchy."""

    title: str
    #: Who publishes it, in which edition, and by what right it is here.
    source: str = Field(min_length=20)
    #: Class to its codes: beginnings (`I2`) or ranges of beginnings of one length (`I20-I25`).
    classes: dict[str, tuple[str, ...]]


@cache
def hierarchies() -> dict[str, Hierarchy]:
    """Every hierarchy that is shipped, by name."""
    return {p.stem: Hierarchy.model_validate(yaml.safe_load(p.read_text())) for p in sorted(_HERE.glob("*.yaml"))}
