"""The house is built as drawn: import-linter's contracts hold, and each of them can fail."""

from __future__ import annotations

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


@pytest.fixture
def copy(root, tmp_path) -> Path:
    """A copy of the house, to trespass in."""
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    assert lint(tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("lake/trespass.py", "import atoll.model.identified"),
        ("lake/trespass.py", "import duckdb"),
        ("query/trespass.py", "import pyiceberg"),
        ("query/trespass.py", "import atoll.access"),
        ("providers/trespass.py", "import atoll.flows"),
        ("cli/trespass.py", "import atoll.ledger"),
        ("model/trespass.py", "import atoll.ports"),
        ("flows/trespass.py", "import fastapi"),
        ("gateway/trespass.py", "import atoll.flows"),
        ("gateway/trespass.py", "import fastapi"),
        ("workspaces/trespass.py", "import atoll.ledger"),
        ("airlock/trespass.py", "import atoll.deid"),
        ("reviewed/trespass.py", "import atoll.model"),
        ("lodger/__init__.py", "import atoll.errors"),
    ],
)
def test_trespass_is_seen(copy, file, line):
    trespass = copy / "src" / "atoll" / file
    trespass.parent.mkdir(exist_ok=True)
    trespass.write_text(f"{line}\n")
    result = lint(copy)
    assert result.returncode != 0, result.stdout
    assert "BROKEN" in result.stdout or "not listed" in result.stdout, result.stdout + result.stderr
