"""Presets: rules for known columns as data, a YAML file each, every rule with its source."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from atoll.model.contract import Format, Rule
from atoll.model.record import Frozen

_HERE = Path(__file__).parent


class PresetRule(Frozen):
    """What is done to columns of some names."""

    #: Regular expressions; one must match the whole name, case ignored.
    columns: tuple[str, ...] = Field(min_length=1)
    rule: Rule
    #: The regulation or standard it follows.
    source: str = Field(min_length=10)

    def takes(self, column: str) -> bool:
        """Whether it is for a column of this name."""
        return any(re.fullmatch(pattern, column, re.IGNORECASE) for pattern in self.columns)


class Preset(Frozen):
    """The rules of one regulation or standard."""

    name: str
    title: str
    #: Formats whose names of columns it knows.
    formats: tuple[Format, ...]
    #: The first that takes a column decides.
    rules: tuple[PresetRule, ...]


@cache
def presets() -> tuple[Preset, ...]:
    """Every preset, by name."""
    return tuple(Preset.model_validate(yaml.safe_load(path.read_text())) for path in sorted(_HERE.glob("*.yaml")))


def preset_rule(format: Format, column: str) -> PresetRule | None:
    """The rule of a preset for a column of a file in this format; None where none has one."""
    rules = (rule for preset in presets() if format in preset.formats for rule in preset.rules)
    return next((rule for rule in rules if rule.takes(column)), None)
