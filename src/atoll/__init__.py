"""Atoll: data science as a service on clinical data.

import atoll

frame = atoll.sql("select count(*) from ward.patients", to="polars", project="heart")
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what is found decides
    """`sql` (see `atoll.client.asking`), found when it is asked for: the root itself stands on nothing."""
    if name == "sql":
        return importlib.import_module("atoll.client.asking").sql
    raise AttributeError(f"module 'atoll' has no attribute {name!r}")
