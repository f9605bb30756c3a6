"""What people have inside a machine: `import atoll` in Python, `atoll_sql()` in R. Files to be shown there, read-only.

Neither holds a secret or knows the platform's own code: they speak to the gateway, which
adds the workspace's identity.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def python_package() -> Path:
    """Directory to be on Python's path inside; it holds the package `atoll`, pure Python, pyarrow its only need."""
    return _HERE / "python-package"


def r_file() -> Path:
    """R file to be sourced at R's start inside; it needs base R only."""
    return _HERE / "atoll.R"
