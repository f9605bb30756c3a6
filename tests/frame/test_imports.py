"""The house is built as drawn: import-linter's contracts hold, and each of them can fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT = Path(sys.executable).with_name("lint-imports")


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(directory / "src")},
        check=False,
    )


def test_import_contracts_hold(root):
    result = lint(root)
    assert result.returncode == 0, result.stdout


TRESPASSES = [
    ("lake", "atoll.model.identified"),
    ("lake", "duckdb"),
    ("query", "pyiceberg"),
    ("query", "atoll.access"),
    ("providers", "atoll.flows"),
    ("cli", "atoll.ledger"),
    ("model", "atoll.ports"),
    ("flows", "fastapi"),
    ("gateway", "atoll.flows"),
    ("gateway", "fastapi"),
    ("workspaces", "atoll.ledger"),
    ("airlock", "atoll.deid"),
    ("reviewed", "atoll.model"),
]


@pytest.fixture
def copy(root, tmp_path) -> Path:
    """A copy of the house, to trespass in."""
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_each_trespass_is_seen(copy):
    """All at once, since reading the house is what takes time: every one is told by its own line."""
    for number, (room, imported) in enumerate(TRESPASSES):
        (copy / "src" / "atoll" / room / f"trespass_{number}.py").write_text(f"import {imported}\n")
    result = lint(copy)
    assert result.returncode != 0, result.stdout
    told = result.stdout + result.stderr
    unseen = [
        f"{room} imports {imported}"
        for number, (room, imported) in enumerate(TRESPASSES)
        if not re.search(rf"atoll\.{room}\.trespass_{number} -> {re.escape(imported)}\b", told)
    ]
    assert not unseen, told


def test_a_room_that_no_layer_lists_is_seen(copy):
    lodger = copy / "src" / "atoll" / "lodger" / "__init__.py"
    lodger.parent.mkdir()
    lodger.write_text("import atoll.errors\n")
    result = lint(copy)
    assert result.returncode != 0, result.stdout
    assert "not listed" in result.stdout + result.stderr, result.stdout + result.stderr
