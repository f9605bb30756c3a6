"""The environment of platforms that tests start as processes: packages that only tests need are not there."""

from __future__ import annotations

import os
from pathlib import Path


def environment(**more: str) -> dict[str, str]:
    """This process's own, without its settings of Atoll, and with what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).with_name("as_installed")), **more}
