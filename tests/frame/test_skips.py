"""In CI a test that skips has failed; elsewhere it says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

SKIPS = {
    "in a test": "import pytest\ndef test_one():\n    pytest.skip('no server')\n",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='no server')\ndef test_one():\n    pass\n",
    "of a module": "import pytest\npytest.skip('no server', allow_module_level=True)\ndef test_one():\n    pass\n",
}


@pytest.mark.parametrize("way", SKIPS)
@pytest.mark.parametrize(("ci", "code"), [("true", {1, 2}), ("", {0, 5})])
def test_skip(root, tmp_path, way, ci, code):
    shutil.copy(root / "tests" / "frame" / "no_skips.py", tmp_path / "conftest.py")
    (tmp_path / "test_it.py").write_text(SKIPS[way])

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode in code, run.stdout
    assert "no server" in run.stdout
    assert ("No test skips in CI" in run.stdout) == (ci == "true")
