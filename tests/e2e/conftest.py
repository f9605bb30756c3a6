from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.process import Platform

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def platform(tmp_path):
    """A platform that answers; stopped at the end, whatever happens."""
    made = Platform(tmp_path)
    made.start()
    yield made
    made.stop()
