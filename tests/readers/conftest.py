"""Shared fixtures of the reader tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from atoll.model.contract import TableContract

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def examples() -> Path:
    """The examples' folder."""
    return EXAMPLES


@pytest.fixture
def table() -> Callable[..., TableContract]:
    """Builds a table contract from its columns."""

    def build(columns: dict[str, object], **more: object) -> TableContract:
        return TableContract.model_validate({"files": ["*"], "format": "ndjson", "columns": columns, **more})

    return build
